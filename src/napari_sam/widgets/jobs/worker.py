"""Base class of the tabs' workers: one task at a time, with one way to end."""

from __future__ import annotations

from qtpy.QtCore import QObject, Signal

__all__ = ["Worker"]


class Worker(QObject):
    """Base class of workers that run one task at a time; each subclass has its own `start`."""

    ended = Signal(str)  # empty, or why before all was done

    @property
    def busy(self) -> bool:
        """True while a task runs."""
        raise NotImplementedError

    def close(self) -> None:
        """Stop without any further signal; results so far are kept."""
        raise NotImplementedError

    def stop(self, why: str = "") -> None:
        """Stop the task, and report why."""
        busy = self.busy
        self.close()
        if busy:
            self.ended.emit(why)

    def fail(self, error: BaseException) -> None:
        """Stop the task because of an error."""
        self.stop(str(error) or type(error).__name__)
