"""Measures by which proposals are filtered, with a range slider each, and a histogram."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QRectF, QSignalBlocker, QSize, Qt, Signal
from qtpy.QtGui import QColor, QPainter, QPaintEvent, QPalette
from qtpy.QtWidgets import QAbstractSpinBox, QDoubleSpinBox, QGridLayout, QSizePolicy, QWidget
from superqt import QDoubleRangeSlider

from napari_sam.inference.automatic.selection import OPEN, Range
from napari_sam.results import Proposal
from napari_sam.widgets.common.forms import new_label

__all__ = ["MEASURES", "Histogram", "Measure", "MeasureRow", "diameter"]

BARS = 40
LINES = 4  # of text: the height of the histogram
KEPT = QColor("#4c6ef5")
WIDEST = "00000.0"  # of a number above a slider


@dataclass(frozen=True)
class Measure:
    """A measure of a proposal, such as its diameter or score.

    Parameters
    ----------
    name : str
        The range of `Selection` that filters by it.
    title, tip : str
        For the user.
    of : callable
        Returns the value that is shown, in a unit that people think in.
    back : callable
        Turns such a value into that of the `Selection`.
    """

    name: str
    title: str
    tip: str
    of: Callable[[Proposal], float]
    back: Callable[[float], float] = float
    there: Callable[[float], float] = float


def diameter(area: float) -> float:
    """Return the diameter of a disc of this area.

    Examples
    --------
    >>> round(diameter(78.54), 2)
    10.0
    """
    return 2 * math.sqrt(area / math.pi)


MEASURES = (
    Measure(
        "score",
        "Quality",
        "How well the model thinks that the mask covers the object (predicted IoU)",
        lambda one: one.score,
    ),
    Measure(
        "area",
        "Diameter (pixels)",
        "Of a disc of the object's area",
        lambda one: diameter(one.area),
        lambda value: math.pi / 4 * value**2,
        diameter,
    ),
    Measure(
        "roundness",
        "Roundness",
        "1 is a disc; long, branched and ragged objects have less",
        lambda one: one.roundness,
    ),
    Measure(
        "stability",
        "Stability",
        "How little the mask changes when the model's threshold does (stability score)",
        lambda one: one.stability,
    ),
    Measure(
        "intensity",
        "Mean intensity",
        "Of the picture under the mask, in its own units",
        lambda one: one.intensity,
    ),
)


class MeasureRow(QWidget):
    """Range slider with two spin boxes; a handle at its end means no limit.

    Parameters
    ----------
    measure : Measure
        What is filtered by.
    """

    changed = Signal()
    looked_at = Signal()  # it was touched, so that its histogram is of interest

    def __init__(self, measure: Measure, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.measure = measure
        self.values: NDArray[np.float64] = np.zeros(0)
        self._bounds: Range = OPEN  # in the unit that is shown
        self.slider = QDoubleRangeSlider(Qt.Orientation.Horizontal)
        self.slider.setAccessibleName(measure.title)
        self.slider.setToolTip(measure.tip)
        self.low, self.high = QDoubleSpinBox(), QDoubleSpinBox()
        for box, end in ((self.low, "lowest"), (self.high, "highest")):
            box.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)
            box.setKeyboardTracking(False)
            box.setStyleSheet("QAbstractSpinBox { min-width: 10px; padding: 1px 4px; }")
            box.setFixedWidth(box.fontMetrics().horizontalAdvance(WIDEST) + 10)
            box.setAccessibleName(f"{measure.title}, {end}")
            box.valueChanged.connect(self._typed)
        name = new_label(measure.title)
        name.setText(measure.title)
        name.setToolTip(measure.tip)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(1)
        grid.addWidget(name, 0, 0)
        grid.addWidget(self.low, 0, 1)
        grid.addWidget(self.high, 0, 2)
        grid.addWidget(self.slider, 1, 0, 1, 3)
        grid.setColumnStretch(0, 1)
        self.slider.valueChanged.connect(self._moved)
        self.slider.sliderPressed.connect(self.looked_at)

    @property
    def range(self) -> Range:
        """The range in units of the `Selection`; None for an open end."""
        low, high = self._bounds
        back = self.measure.back
        return None if low is None else back(low), None if high is None else back(high)

    def set_range(self, kept: Range) -> None:
        """Set the range without signals."""
        low, high = kept
        there = self.measure.there
        self._bounds = None if low is None else there(low), None if high is None else there(high)
        self._show()

    def set_found(self, found: list[Proposal]) -> None:
        """Set the limits of the slider from these proposals; keep the range."""
        self.values = np.array([self.measure.of(one) for one in found])
        self.values = self.values[np.isfinite(self.values)]
        self._show()

    @property
    def shown(self) -> tuple[float, float]:
        """Positions of the handles, in displayed units."""
        low, high = map(float, self.slider.value())
        return low, high

    def _show(self) -> None:
        ends = (self.values.min(), self.values.max()) if self.values.size else (0.0, 1.0)
        decimals = int(np.clip(2 - np.floor(np.log10(max(ends[1] - ends[0], 1e-6))), 0, 3))
        unit = 10.0**-decimals
        low, high = self._bounds
        first = math.floor(min(ends[0], ends[0] if low is None else low) / unit) * unit
        last = math.ceil(max(ends[1], ends[1] if high is None else high) / unit) * unit
        last = max(last, first + unit)
        with QSignalBlocker(self.slider), QSignalBlocker(self.low), QSignalBlocker(self.high):
            self.slider.setRange(first, last)
            self.slider.setSingleStep(unit)
            self.slider.setValue((first if low is None else low, last if high is None else high))
            for box in (self.low, self.high):
                box.setDecimals(decimals)
                box.setSingleStep(unit)
                box.setRange(first, last)
            self._show_numbers()

    def _show_numbers(self) -> None:
        low, high = self.shown
        self.low.setValue(low)
        self.high.setValue(high)

    def _moved(self) -> None:
        low, high = self.shown
        with QSignalBlocker(self.low), QSignalBlocker(self.high):
            self._show_numbers()
        self._take(low, high)

    def _typed(self) -> None:
        low, high = sorted((self.low.value(), self.high.value()))
        with QSignalBlocker(self.slider):
            self.slider.setValue((low, high))
        self._take(low, high)

    def _take(self, low: float, high: float) -> None:
        first, last = self.slider.minimum(), self.slider.maximum()
        near = (last - first) / 1000
        self._bounds = (
            None if low - first < near else low,
            None if last - high < near else high,
        )
        self.looked_at.emit()
        self.changed.emit()


class Histogram(QWidget):
    """Histogram of a measure; bars inside the range are coloured."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Histogram")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._row: MeasureRow | None = None

    def show_row(self, row: MeasureRow) -> None:
        """Show the values of a row, as wide as its slider."""
        self._row = row
        self.setToolTip(f"{row.measure.title} of everything that was found; kept ones in colour")
        self.update()

    def sizeHint(self) -> QSize:
        """Return a size hint of a few text lines."""
        return QSize(200, LINES * self.fontMetrics().height())

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint the bars and the name of the measure."""
        painter, row = QPainter(self), self._row
        if row is None or not row.values.size:
            return
        slider = row.slider
        first, last = slider.minimum(), slider.maximum()
        counts, edges = np.histogram(row.values, BARS, (first, last))
        line = self.fontMetrics().height()
        left, width = float(slider.x()), float(slider.width())
        bottom, top = float(self.height()), float(line)
        faint = self.palette().color(QPalette.ColorRole.WindowText)
        faint.setAlpha(70)
        low, high = row.shown
        for count, start, end in zip(counts, edges, edges[1:], strict=False):
            # Beside few high bars the low ones would vanish.
            height = (bottom - top) * math.sqrt(count / counts.max())
            x = left + width * (start - first) / (last - first)
            middle = (start + end) / 2
            colour = KEPT if low <= middle <= high else faint
            painter.fillRect(QRectF(x, bottom - height, width / BARS - 1, height), colour)
        painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
        painter.drawText(
            QRectF(self.rect()), Qt.AlignmentFlag.AlignHCenter, f"Found: {row.measure.title}"
        )
