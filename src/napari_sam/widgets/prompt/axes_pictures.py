"""Drawings of what an axis may be: slices in depth, time points, colours."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QIcon, QPainter, QPen, QPixmap, QPolygonF

from napari_sam.widgets.common.questions import PICTURE
from napari_sam.widgets.prompt.channel_controls import COLOURS

__all__ = ["colours", "depth", "time"]

FINER = 3  # drawn larger than it is shown, for screens with fine pixels


def depth(colour: QColor) -> QIcon:
    """Return sheets that lie above each other."""

    def draw(painter: QPainter) -> None:
        for top in (8.0, 4.5, 1.0):
            sheet = ((12, top), (22, top + 3.5), (12, top + 7), (2, top + 3.5))
            painter.setBrush(_pale(colour))
            painter.drawPolygon(QPolygonF([QPointF(x, y) for x, y in sheet]))

    return _drawn(draw, colour)


def time(colour: QColor) -> QIcon:
    """Return frames beside each other, in which a spot moves."""

    def draw(painter: QPainter) -> None:
        for step in range(3):
            left = 1.0 + 8 * step
            painter.setBrush(_pale(colour))
            painter.drawRect(QRectF(left, 2, 6, 12))
            painter.setBrush(colour)
            painter.drawEllipse(QPointF(left + 3, 11 - 3 * step), 1.0, 1.0)

    return _drawn(draw, colour)


def colours(colour: QColor) -> QIcon:
    """Return a spot of each colour, one over the other."""

    def draw(painter: QPainter) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        for (x, y), name in zip(((8.5, 10), (12, 5), (15.5, 10)), COLOURS.values(), strict=True):
            spot = QColor(name)
            spot.setAlphaF(0.8)
            painter.setBrush(spot)
            painter.drawEllipse(QPointF(x, y), 4.5, 4.5)

    return _drawn(draw, colour)


def _pale(colour: QColor) -> QColor:
    pale = QColor(colour)
    pale.setAlphaF(0.25)
    return pale


def _drawn(draw: Callable[[QPainter], None], colour: QColor) -> QIcon:
    """Return what is drawn in `PICTURE` units, with lines in a colour."""
    pixmap = QPixmap(QSize(*PICTURE) * FINER)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(FINER, FINER)
    painter.setPen(QPen(colour, 1.2))
    draw(painter)
    painter.end()
    return QIcon(pixmap)
