"""Live plot of the loss and IoU of a training run."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QPainter, QPaintEvent, QPalette, QPen, QPolygonF
from qtpy.QtWidgets import QSizePolicy, QWidget

__all__ = ["Curve", "smoothed"]

Point = tuple[float, float]
KEEP = 0.9  # of the running mean at each step
# Each reads well on napari's dark and on its light background, and apart from the others also
# where colours are hard to tell: by dashes and dots.
LOSS, IOU, VALIDATION = QColor("#e8743b"), QColor("#3d8bd4"), QColor("#2fa36b")
LABELS = {"loss": LOSS, "IoU": IOU, "IoU, held-out pictures": VALIDATION}


class Curve(QWidget):
    """Plot of the loss (left axis, from 0 to its maximum) and IoU (right axis, from 0 to 1)."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Curve of the training")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.clear(1)

    def clear(self, steps: int) -> None:
        """Clear the plot for a run of this many steps."""
        self.steps = max(steps, 1)
        self.loss: list[Point] = []
        self.iou: list[Point] = []
        self.validation: list[Point] = []
        self.update()

    def add(
        self, step: int, loss: float | None, iou: float | None, validation: float | None
    ) -> None:
        """Add the values of one step."""
        for points, value in (
            (self.loss, loss),
            (self.iou, iou),
            (self.validation, validation),
        ):
            if value is not None:
                points.append((step, value))
        self.update()

    def sizeHint(self) -> QSize:
        """Return a size hint that fits a narrow panel."""
        return QSize(300, 12 * self.fontMetrics().height())

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint legend, axes and lines."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        line = self.fontMetrics().height()
        margin = self.fontMetrics().horizontalAdvance("0.00") + 6.0
        area = QRectF(self.rect()).adjusted(margin, 1.6 * line, -margin, -1.4 * line)
        top = _round_up(max((value for _, value in smoothed(self.loss)), default=1.0))
        self._draw_legend(painter, line)
        self._draw_axes(painter, area, top)
        for points, most, colour, dashed in (
            (self.loss, top, LOSS, False),
            (self.iou, 1.0, IOU, True),
        ):
            faint = QColor(colour)
            faint.setAlpha(70)
            self._draw_line(painter, area, points, most, QPen(faint, 1))
            style = Qt.PenStyle.DashLine if dashed else Qt.PenStyle.SolidLine
            self._draw_line(painter, area, smoothed(points), most, QPen(colour, 2, style))
        self._draw_line(painter, area, self.validation, 1.0, QPen(VALIDATION, 1))
        painter.setBrush(VALIDATION)
        painter.setPen(Qt.PenStyle.NoPen)
        for point in self.validation:
            painter.drawEllipse(self._place(area, point, 1.0), 4, 4)

    def _draw_legend(self, painter: QPainter, line: int) -> None:
        metrics, x = self.fontMetrics(), 2.0
        for text, colour in LABELS.items():
            style = Qt.PenStyle.DashLine if text == "IoU" else Qt.PenStyle.SolidLine
            painter.setPen(QPen(colour, 2, style))
            painter.drawLine(QPointF(x, line * 0.6), QPointF(x + 18, line * 0.6))
            if colour is VALIDATION:
                painter.setBrush(colour)
                painter.drawEllipse(QPointF(x + 9, line * 0.6), 4, 4)
            painter.setPen(self._ink())
            painter.drawText(QPointF(x + 23, float(metrics.ascent())), text)
            x += 23 + metrics.horizontalAdvance(text) + 12

    def _draw_axes(self, painter: QPainter, area: QRectF, top: float) -> None:
        ink, metrics = self._ink(), self.fontMetrics()
        faint = QColor(ink)
        faint.setAlpha(60)
        for share in (0.0, 0.5, 1.0):
            y = area.bottom() - share * area.height()
            painter.setPen(QPen(faint, 1))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            below = y + metrics.ascent() / 2 - 1
            painter.setPen(LOSS)
            text = f"{share * top:.3g}"
            left = area.left() - 5 - metrics.horizontalAdvance(text)
            painter.drawText(QPointF(left, below), text)
            painter.setPen(IOU)
            painter.drawText(QPointF(area.right() + 5, below), f"{share:g}")
        painter.setPen(ink)
        bottom = area.bottom() + 1.2 * metrics.height()
        painter.drawText(QPointF(area.left(), bottom), "0")
        end = f"{self.steps} steps"
        painter.drawText(QPointF(area.right() - metrics.horizontalAdvance(end), bottom), end)

    def _draw_line(
        self, painter: QPainter, area: QRectF, points: Sequence[Point], most: float, pen: QPen
    ) -> None:
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolyline(QPolygonF([self._place(area, point, most) for point in points]))

    def _place(self, area: QRectF, point: Point, most: float) -> QPointF:
        step, value = point
        across, up = step / self.steps, min(max(value / most, 0.0), 1.0)
        return QPointF(area.left() + across * area.width(), area.bottom() - up * area.height())

    def _ink(self) -> QColor:
        return self.palette().color(QPalette.ColorRole.WindowText)


def smoothed(points: Sequence[Point]) -> list[Point]:
    """Return the exponential moving average of noisy points, bias-corrected at the start.

    Examples
    --------
    >>> smoothed([(1, 2.0), (2, 4.0)])
    [(1, 2.0), (2, 3.0526315789473686)]
    """
    found: list[Point] = []
    total = weight = 0.0
    for step, value in points:
        total, weight = KEEP * total + value, KEEP * weight + 1
        found.append((step, total / weight))
    return found


def _round_up(value: float) -> float:
    """Return the next of 0.1, 0.2, 0.5, 1, 2, 5... that is at least the value."""
    tops = (digit * 10.0**power for power in range(-3, 7) for digit in (1, 2, 5))
    return next((top for top in tops if top >= value), value)
