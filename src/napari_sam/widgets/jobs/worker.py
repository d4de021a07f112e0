"""Base class of the tabs' workers: one task at a time, with one way to end."""

from __future__ import annotations

from typing import Generic, TypeVar

from qtpy.QtCore import QObject, Signal

__all__ = ["Worker"]

Job = TypeVar("Job")


class Worker(QObject, Generic[Job]):
    """Base class of workers that run one task at a time; each subclass has its own `start`."""

    ended = Signal(str)  # empty, or why before all was done

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._job: Job | None = None  # what is under way

    @property
    def busy(self) -> bool:
        """True while a task runs."""
        return self._job is not None

    def close(self) -> None:
        """Stop without any further signal; results so far are kept."""
        self._job = None

    def stop(self, why: str = "") -> None:
        """Stop the task, and report why."""
        busy = self.busy
        self.close()
        if busy:
            self.ended.emit(why)

    def fail(self, error: BaseException) -> None:
        """Stop the task because of an error."""
        self.stop(str(error) or type(error).__name__)
