"""Base of the workers of the tabs: one job under way at a time, and one way to end it."""

from __future__ import annotations

from typing import Generic, TypeVar

from qtpy.QtCore import QObject, Signal

__all__ = ["Worker"]

Job = TypeVar("Job")


class Worker(QObject, Generic[Job]):
    """Does one thing at a time in a model's thread; each kind of worker has its own `start`."""

    ended = Signal(str)  # empty, or why before all was done

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._job: Job | None = None  # what is under way

    @property
    def busy(self) -> bool:
        """True while something is under way."""
        return self._job is not None

    def close(self) -> None:
        """End now and say nothing any more; what has come stays."""
        self._job = None

    def stop(self, why: str = "") -> None:
        """End now, and tell why."""
        busy = self.busy
        self.close()
        if busy:
            self.ended.emit(why)

    def fail(self, error: BaseException) -> None:
        """End because of an error."""
        self.stop(str(error) or type(error).__name__)
