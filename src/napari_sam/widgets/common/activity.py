"""Progress bars in napari's activity dock for long-running work."""

from __future__ import annotations

import time

from napari.utils import progress
from qtpy.QtCore import QObject

from napari_sam.widgets.common.timers import new_timer

__all__ = ["Activity"]

PATIENCE_MS = 1000  # to open a bar takes napari a while, and the window waits for it


class Activity(QObject):
    """Shows a progress bar in the activity dock while work is under way."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bar: progress | None = None
        self._what = ""
        self._done = self._total = 0
        self._began = 0.0  # when nothing is being done
        self._timer = new_timer(PATIENCE_MS, self._open, self)

    @property
    def is_long(self) -> bool:
        """True if the work has run long enough to be shown."""
        return bool(self._began) and time.monotonic() - self._began > PATIENCE_MS / 1000

    def show(self, what: str, done: int = 0, total: int = 0) -> None:
        """Report the current work; a bar opens after a delay."""
        if (what, total) != (self._what, self._total):
            self._close_bar()
        self._what, self._done, self._total = what, done, total
        self._began = self._began or time.monotonic()
        if self._bar is None:
            if not self._timer.isActive():
                self._timer.start()
        elif total:
            self._bar.update(done - self._bar.n)

    def end(self) -> None:
        """Report that the work has ended."""
        self._timer.stop()
        self._close_bar()
        self._what, self._began = "", 0.0

    def _open(self) -> None:
        self._bar = progress(total=self._total, desc=f"napari-sam: {self._what}")
        if self._total:
            self._bar.update(self._done)

    def _close_bar(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
