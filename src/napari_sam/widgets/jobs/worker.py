"""What the workers of the tabs have in common: one thing under way, which ends in one way."""

from __future__ import annotations

from qtpy.QtCore import QObject, Signal

__all__ = ["Worker"]


class Worker(QObject):
    """Does one thing at a time in a model's thread; each kind of it has its own `start`."""

    ended = Signal(str)  # empty, or why before all was done

    @property
    def busy(self) -> bool:
        """True while something is under way."""
        raise NotImplementedError

    def close(self) -> None:
        """End now and say nothing any more; what has come stays."""
        raise NotImplementedError

    def stop(self, why: str = "") -> None:
        """End now, and tell why."""
        busy = self.busy
        self.close()
        if busy:
            self.ended.emit(why)

    def fail(self, error: BaseException) -> None:
        """End because of an error."""
        self.stop(str(error) or type(error).__name__)
