"""A small picture of what the model sees, read off the window's own thread."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtGui import QImage, QPixmap, QShowEvent
from qtpy.QtWidgets import QLabel, QWidget

from napari_sam.widgets.mix import Read

__all__ = ["SIDE", "ModelView"]

SIDE = 96
REST_MS = 150


class ModelView(QLabel):
    """Shows the newest of what it was asked for; reads nothing while it is hidden.

    Attributes
    ----------
    source : callable or None
        Returns what reads (H, W, 3) uint8 pixels, or None if there is nothing to see.
    """

    shown = Signal()
    _ended = Signal(object)  # Future

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.source: Callable[[], Read | None] = lambda: None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="napari-sam view")
        self._wanted: Future[NDArray[np.uint8]] | None = None
        self._closed = False
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.timeout.connect(self._start)
        self._ended.connect(self._take)
        self.setFixedHeight(SIDE)
        self.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self.setToolTip("The slice on show as it is handed to the model")

    @property
    def busy(self) -> bool:
        """True while there is something to read."""
        return self._rest.isActive() or self._wanted is not None

    def refresh(self, event: object = None) -> None:
        """Look again, once nothing has moved for a moment."""
        if self.isVisible() and not self._closed:
            self._rest.start(REST_MS)

    def showEvent(self, event: QShowEvent | None) -> None:
        """Look, because what was seen before may be out of date."""
        super().showEvent(event)
        self.refresh()

    def close_view(self) -> None:
        """Read and show nothing any more."""
        self._closed = True
        self._rest.stop()
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _start(self) -> None:
        if self._wanted is not None:
            self._wanted.cancel()
            self._wanted = None
        read = self.source()
        if read is None:
            self.clear()
            return
        self._wanted = self._thread.submit(read)
        self._wanted.add_done_callback(self._tell)

    def _tell(self, future: Future[NDArray[np.uint8]]) -> None:  # in the reading thread
        if not self._closed:
            self._ended.emit(future)

    def _take(self, future: Future[NDArray[np.uint8]]) -> None:
        if self._closed or future is not self._wanted:
            return
        self._wanted = None
        error = future.exception()
        if error is None:
            self._show(future.result())
        else:
            self.setText(f"⚠ {error or type(error).__name__}")
        self.shown.emit()

    def _show(self, pixels: NDArray[np.uint8]) -> None:
        height, width = pixels.shape[:2]
        image = QImage(pixels.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
        fitted = QPixmap.fromImage(image).scaled(
            2 * SIDE,
            SIDE,
            Qt.AspectRatioMode.KeepAspectRatio,
            Qt.TransformationMode.SmoothTransformation,
        )
        self.setPixmap(fitted)
