"""View of the two planes across the slice in view: pictures that take clicks. No logic."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent
from qtpy.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from napari_sam.widgets.common.forms import new_label

__all__ = ["SidePane", "SidePicture", "SideView"]

LINE = QColor(255, 255, 0, 170)
LEAST = 120  # pixels of the window


class SidePicture(NamedTuple):
    """What a pane shows.

    Parameters
    ----------
    pixels : (h, w, 3) uint8
        The plane with its masks, maybe coarser than it is.
    shape : (H, W)
        Of the plane.
    pixel : (float, float)
        Size of its pixels along rows and columns, in any unit.
    at : (row, column)
        Where the lines cross: the place that was clicked on.
    """

    pixels: NDArray[np.uint8]
    shape: tuple[int, int]
    pixel: tuple[float, float]
    at: tuple[float, float]


class SidePane(QWidget):
    """One picture, as large as fits, with two lines through a place.

    Attributes
    ----------
    clicked : Signal(float, float, bool)
        Emitted with the row and column that was clicked on, and whether that excludes.
    """

    clicked = Signal(float, float, bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.shown: SidePicture | None = None
        self.setMinimumSize(LEAST, LEAST)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setCursor(Qt.CursorShape.CrossCursor)

    def sizeHint(self) -> QSize:
        """Return the size that it would like."""
        return QSize(2 * LEAST, 2 * LEAST)

    def show_picture(self, shown: SidePicture | None) -> None:
        """Show a picture, or none."""
        self.shown = shown
        self.update()

    def place_of(self, position: QPointF) -> tuple[float, float] | None:
        """Return the row and column of the plane at a position in the widget; None beside it."""
        if self.shown is None:
            return None
        area, (height, width) = self._area(self.shown), self.shown.shape
        row = (position.y() - area.top()) / area.height() * height - 0.5
        column = (position.x() - area.left()) / area.width() * width - 0.5
        inside = -0.5 <= row < height - 0.5 and -0.5 <= column < width - 0.5
        return (row, column) if inside else None

    def position_of(self, place: tuple[float, float]) -> QPointF:
        """Return where a row and column of the plane are in the widget."""
        assert self.shown is not None
        area, (height, width) = self._area(self.shown), self.shown.shape
        down, right = ((at + 0.5) / n for at, n in zip(place, (height, width), strict=True))
        return QPointF(area.left() + right * area.width(), area.top() + down * area.height())

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Tell which place was clicked on."""
        place = None if event is None else self.place_of(event.position())
        if event is None or place is None:
            return
        alt = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        self.clicked.emit(*place, alt or event.button() == Qt.MouseButton.RightButton)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint picture and lines."""
        if self.shown is None:
            return
        painter = QPainter(self)
        area, pixels = self._area(self.shown), np.ascontiguousarray(self.shown.pixels)
        height, width = pixels.shape[:2]
        image = QImage(pixels.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
        painter.drawImage(area, image)
        painter.setPen(LINE)
        at = self.position_of(self.shown.at)
        painter.drawLine(QPointF(area.left(), at.y()), QPointF(area.right(), at.y()))
        painter.drawLine(QPointF(at.x(), area.top()), QPointF(at.x(), area.bottom()))
        painter.end()

    def _area(self, shown: SidePicture) -> QRectF:
        """Return where the picture is in the widget, with its sides as in the world."""
        high, wide = (n * size for n, size in zip(shown.shape, shown.pixel, strict=True))
        factor = min(self.width() / wide, self.height() / high)
        size = wide * factor, high * factor
        return QRectF((self.width() - size[0]) / 2, (self.height() - size[1]) / 2, *size)


class SideView(QWidget):
    """The two planes across the slice in view, one above the other.

    Attributes
    ----------
    panes : tuple of SidePane
        That along the columns of the slice in view, and that along its rows.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Side view")
        self.panes = SidePane(), SidePane()
        self.titles = new_label("Axes of the first plane"), new_label("Axes of the second plane")
        self.hint = new_label("What a click does")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        for pane, title in zip(self.panes, self.titles, strict=True):
            layout.addWidget(title)
            layout.addWidget(pane, 1)
        layout.addWidget(self.hint)
