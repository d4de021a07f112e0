"""Thumbnail of the model's input, read in a background thread."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QCloseEvent, QImage, QPixmap, QShowEvent
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QLabel, QWidget

from napari_sam.widgets.common.forms import add_row, new_form
from napari_sam.widgets.common.questions import Question
from napari_sam.widgets.common.timers import new_timer
from napari_sam.widgets.jobs.background import Background
from napari_sam.widgets.layers.channel_mix import Read

__all__ = ["SIDE", "ChannelControls", "ModelView"]

SIDE = 96
REST_MS = 150


class ModelView(QLabel):
    """Shows the most recently requested thumbnail; reads nothing while hidden.

    Attributes
    ----------
    source : callable or None
        Returns what reads (H, W, 3) uint8 pixels, or None if there is nothing to see.
    """

    shown = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.source: Callable[[], Read | None] = lambda: None
        self._background = Background("view", self)
        self._wanted: Future[NDArray[np.uint8]] | None = None
        self._rest = new_timer(REST_MS, self._start, self)
        self.setFixedHeight(SIDE)
        self.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self.setToolTip("The slice on show as it is handed to the model")

    @property
    def busy(self) -> bool:
        """True while a read is pending."""
        return self._rest.isActive() or self._wanted is not None

    def refresh(self, event: object = None) -> None:
        """Schedule (debounced) a new read."""
        if self.isVisible():
            self._rest.start()

    def showEvent(self, event: QShowEvent | None) -> None:
        """Refresh on show, as the thumbnail may be outdated."""
        super().showEvent(event)
        self.refresh()

    def closeEvent(self, event: QCloseEvent | None) -> None:
        """Stop reading permanently."""
        self.source = lambda: None
        self._rest.stop()
        self._background.close()
        super().closeEvent(event)

    def _start(self) -> None:
        if self._wanted is not None:
            self._wanted.cancel()
            self._wanted = None
        read = self.source()
        if read is None:
            self.clear()
            return
        self._wanted = self._background.submit(read, self._take)

    def _take(self, future: Future[NDArray[np.uint8]]) -> None:
        if future is not self._wanted:
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


COLOURS = {"Red": "#e03131", "Green": "#2f9e44", "Blue": "#1c7ed6"}


class ChannelControls(QWidget):
    """Rows of the channel options; the question about the channel axis is placed elsewhere."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.question = Question("Channels", "Yes, channels", "No, it is a stack")
        self.yes, self.no = self.question.answers
        self.yes.setToolTip("One mask counts for all channels; the model sees them as colours")
        self.no.setToolTip("Each slice has masks of its own")
        self.axis = QComboBox()
        self.axis.setToolTip("Which axis holds the channels: masks do not go along it")
        self.sees = QComboBox()
        self.sees.setToolTip("What of the picture is handed to the model")
        self.colours = [QComboBox() for _ in COLOURS]
        self.mix = QWidget()
        self.view = ModelView()
        self._lay_out()

    def ask(self, question: str, note: str = "") -> None:
        """Show the question, or a note without buttons; hide both if the texts are empty."""
        self.question.ask(question or note)
        self.yes.setVisible(bool(question))
        self.no.setVisible(bool(question))

    def show_rows(self, axis: bool, sees: bool, mix: bool, view: bool) -> None:
        """Show only the rows that offer a choice."""
        shown = (self.axis, axis), (self.sees, sees), (self.mix, mix), (self.view, view)
        for field, on in shown:
            field.setVisible(on)
            self._form.labelForField(field).setVisible(on)  # type: ignore[union-attr]

    def _lay_out(self) -> None:
        row = QHBoxLayout(self.mix)
        row.setContentsMargins(0, 0, 0, 0)
        for box, (name, colour) in zip(self.colours, COLOURS.items(), strict=True):
            box.setAccessibleName(name)
            box.setToolTip(f"What the model sees as {name.lower()}")
            box.setStyleSheet(f"QComboBox {{ border-bottom: 2px solid {colour}; }}")
            box.setMinimumContentsLength(1)
            row.addWidget(box, 1)
        self._form = form = new_form(self)
        add_row(form, "C&hannels", self.axis)
        add_row(form, "Model &sees", self.sees)
        add_row(form, "As colours", self.mix, self.colours[0])
        self.colours[0].setAccessibleName(next(iter(COLOURS)))
        add_row(form, "Its view", self.view)
