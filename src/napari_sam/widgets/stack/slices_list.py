"""List of a stack's objects, each with a bar of its slices: click on one to go there."""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QEvent, QModelIndex, QPoint, QRect, QRectF, QSize, Qt, Signal
from qtpy.QtGui import (
    QBrush,
    QColor,
    QFont,
    QFontMetrics,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
)
from qtpy.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolTip,
    QWidget,
)

from napari_sam.widgets.stack.rows import State, aggregated
from napari_sam.widgets.stack.slices_model import SlicesModel

__all__ = ["Legend", "SlicesList"]

COLOURS = {State.ACCEPTED: "#40a860", State.SURE: "#5b8def", State.LOOK: "#f08c00"}
HEIGHTS = {State.ACCEPTED: 1.0, State.SURE: 0.55, State.LOOK: 1.0}  # told apart without colours
LEGEND = {
    State.ACCEPTED: "accepted",
    State.SURE: "sure",
    State.LOOK: "look at this",
    State.NONE: "none",
}
BAR, MARGIN, SWATCH = 14, 5, 10
NAME = 46  # pixels for swatch and number
GAP_FROM = 5  # pixels of a slice from which its neighbours are set apart


def draw_state(painter: QPainter, box: QRectF, state: State, base: QColor) -> None:
    """Draw the mark of a state into a box, by height and pattern as well as by colour."""
    if state is State.NONE:
        painter.fillRect(QRectF(box.left(), box.bottom() - 1, box.width(), 1), base)
        return
    height = max(2.0, HEIGHTS[state] * box.height())
    part = QRectF(box.left(), box.bottom() - height, box.width(), height)
    colour = QColor(COLOURS[state])
    if state is State.LOOK:
        painter.fillRect(part, QColor(colour.red(), colour.green(), colour.blue(), 90))
        painter.fillRect(part, QBrush(colour, Qt.BrushStyle.BDiagPattern))
        painter.fillRect(QRectF(part.left(), part.top(), part.width(), 3), colour)
    else:
        painter.fillRect(part, colour)


class SlicesDelegate(QStyledItemDelegate):
    """Paints a row: colour and number, the bar of the slices, and below it a few words.

    Attributes
    ----------
    seen : int or None
        The slice in view, which a line marks in every bar.
    """

    def __init__(self, model: SlicesModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.seen: int | None = None
        self._model = model

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        """Return the height of two lines."""
        return QSize(120, 2 * MARGIN + BAR + 4 + option.fontMetrics.lineSpacing())

    def bar(self, row: QRect) -> QRect:
        """Return where the bar lies in a row."""
        left = row.left() + MARGIN + NAME
        return QRect(left, row.top() + MARGIN, max(row.right() - left - MARGIN, 1), BAR)

    def slice_at(self, index: QModelIndex, row: QRect, place: QPoint) -> int | None:
        """Return the slice below a place in a row; None beside the bar.

        Where several share a pixel it is the one that the pixel shows.
        """
        bar, length = self.bar(row), self._model.length
        if not (bar.left() <= place.x() <= bar.right() and place.y() <= bar.bottom() + 3):
            return None
        at = place.x() - bar.left()
        first, beyond = (min(x * length // bar.width(), length - 1) for x in (at, at + 1))
        return first + int(self._model.states(index.row())[first : max(beyond, first + 1)].argmax())

    def paint(
        self, painter: QPainter | None, option: QStyleOptionViewItem, index: QModelIndex
    ) -> None:
        """Paint a row."""
        assert painter is not None
        row, palette = self._model.row(index.row()), option.palette
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        role = QPalette.ColorRole.HighlightedText if chosen else QPalette.ColorRole.Text
        painter.save()
        if chosen:
            painter.fillRect(option.rect, palette.color(QPalette.ColorRole.Highlight))
        text = palette.color(role)
        bar = self.bar(option.rect)
        left = option.rect.left() + MARGIN
        colour = self._model.colour
        if (rgba := None if colour is None else colour(row.held.id)) is not None:
            square = QRect(left, bar.top() + (BAR - SWATCH) // 2, SWATCH, SWATCH)
            painter.fillRect(square, QColor.fromRgbF(*map(float, rgba)))
        painter.setPen(text)
        font = QFont(option.font)
        font.setBold(True)
        painter.setFont(font)
        name = QRect(left + SWATCH + 5, bar.top() - 2, NAME - SWATCH - 8, BAR + 4)
        painter.drawText(name, int(Qt.AlignmentFlag.AlignVCenter), str(row.held.id))
        self._paint_bar(painter, bar, self._model.states(index.row()), text)
        painter.setFont(option.font)
        words = QRect(bar.left(), bar.bottom() + 4, bar.width(), option.fontMetrics.lineSpacing())
        said = str(index.data(Qt.ItemDataRole.DisplayRole))
        elided = option.fontMetrics.elidedText(said, Qt.TextElideMode.ElideRight, words.width())
        painter.setPen(text)
        painter.drawText(words, int(Qt.AlignmentFlag.AlignVCenter), elided)
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(text, 1, Qt.PenStyle.DotLine))
            painter.drawRect(option.rect.adjusted(0, 0, -1, -1))
        painter.restore()

    def _paint_bar(
        self, painter: QPainter, bar: QRect, states: NDArray[np.uint8], text: QColor
    ) -> None:
        drawn = aggregated(states, bar.width())
        base = QColor(text)
        base.setAlpha(90)
        width = bar.width() / len(drawn)
        gap = 1.0 if width >= GAP_FROM else 0.0
        apart = np.ones(len(drawn) - 1, bool) if gap else drawn[1:] != drawn[:-1]
        ends = [0, *(np.flatnonzero(apart) + 1).tolist(), len(drawn)]
        for begin, end in pairwise(ends):  # neighbours of one state in one piece, if they touch
            left = bar.left() + begin * width
            box = QRectF(left, bar.top(), (end - begin) * width - gap, bar.height())
            draw_state(painter, box, State(int(drawn[begin])), base)
        if self.seen is not None and self.seen < self._model.length:
            place = int(bar.left() + (self.seen + 0.5) * bar.width() / self._model.length)
            painter.setPen(QPen(text, 1))
            painter.drawLine(place, bar.top() - 3, place, bar.bottom() + 2)


class SlicesList(QListView):
    """View of the objects of a stack; arrows, Enter and clicks lead to slices.

    Attributes
    ----------
    place_wanted : Signal(int, int)
        Emitted with the object and the slice that somebody wants to see.
    """

    place_wanted = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.slices = SlicesModel(self)
        self.delegate = SlicesDelegate(self.slices, self)
        self.setModel(self.slices)
        self.setItemDelegate(self.delegate)
        self.setUniformItemSizes(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumHeight(100)
        self.setAccessibleName("Objects and their slices")
        self.setToolTip("Click on a slice of a bar to go there")
        self._by_user = True
        self.selectionModel().currentChanged.connect(self._choose)  # type: ignore[union-attr]

    @property
    def current(self) -> int | None:
        """Row of the selected object."""
        rows = self.selectedIndexes()
        return rows[0].row() if rows else None

    def see(self, index: int | None) -> None:
        """Mark a slice in all bars as the one in view."""
        if index != self.delegate.seen:
            self.delegate.seen = index
            self.viewport().update()  # type: ignore[union-attr]

    def select(self, object_id: int | None) -> None:
        """Select the row of an object, if it has one."""
        at = self.slices.find(object_id)
        if at is None:
            self.clearSelection()
        elif at != self.current:
            self._by_user = False
            self.setCurrentIndex(self.slices.index(at))
            self._by_user = True

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Select the row, and go to the slice below the mouse, or to what is to be looked at."""
        self._by_user = False  # the row alone would lead elsewhere first
        super().mousePressEvent(event)
        self._by_user = True
        assert event is not None
        place = event.position().toPoint()
        index = self.indexAt(place)
        if event.button() != Qt.MouseButton.LeftButton or not index.isValid():
            return
        number = self.slices.held(index.row()).id
        wanted = self.delegate.slice_at(index, self.visualRect(index), place)
        self.place_wanted.emit(number, self.first(index.row()) if wanted is None else wanted)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Go along the slices with left and right, to the next one to look at with Enter."""
        assert event is not None
        at, seen, key = self.current, self.delegate.seen or 0, event.key()
        if at is not None and key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            wanted = seen + (1 if key == Qt.Key.Key_Right else -1)
        elif at is not None and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            wanted = self._next_doubtful(at)
        else:
            super().keyPressEvent(event)
            return
        last = self.slices.length - 1
        self.place_wanted.emit(self.slices.held(at).id, min(max(wanted, 0), last))

    def viewportEvent(self, event: QEvent | None) -> bool:
        """Tell what is known of the slice below the mouse."""
        if isinstance(event, QHelpEvent):
            index = self.indexAt(event.pos())
            said = self.tip(index, event.pos()) if index.isValid() else self.toolTip()
            QToolTip.showText(event.globalPos(), said, self)
            return True
        return super().viewportEvent(event)

    def tip(self, index: QModelIndex, place: QPoint) -> str:
        """Return what is known of a slice, or of an object beside its bar, with the figures."""
        model, row = self.slices, self.slices.row(index.row())
        at = self.delegate.slice_at(index, self.visualRect(index), place)
        report = model.report(row.held.id)
        if at is None:
            figures = [f"{model.noun} {e.at}: {e.why}" for e in row.endings(report)]
            return "\n".join([row.sentence(model.noun, report), *figures])
        state = LEGEND[State(int(model.states(index.row())[at]))]
        why = "" if report is None else report.figures(at)
        return f"Object {row.held.id}, {model.noun} {at}: {state}{why and f' ({why})'}"

    def first(self, at: int) -> int:
        """Return the slice of a row that matters most: the first to look at, else its first."""
        row = self.slices.row(at)
        return row.places.get(State.LOOK, [row.first])[0]

    def _next_doubtful(self, at: int) -> int:
        looks = self.slices.row(at).places.get(State.LOOK)
        if not looks:
            return self.first(at)
        seen = -1 if self.delegate.seen is None else self.delegate.seen
        return looks[bisect_right(looks, seen) % len(looks)]

    def _choose(self, current: QModelIndex, before: QModelIndex) -> None:
        if self._by_user and current.isValid():
            row = current.row()
            self.place_wanted.emit(self.slices.held(row).id, self.first(row))


class Legend(QWidget):
    """One line that says what the marks in the bars mean."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(
            "In the bars: full height is accepted, half height is sure, hatched is to look at"
        )
        self.setFixedHeight(QFontMetrics(self.font()).lineSpacing() + 4)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint each mark with its word."""
        painter = QPainter(self)
        text = self.palette().color(QPalette.ColorRole.WindowText)
        base = QColor(text)
        base.setAlpha(90)
        left, metrics = 0, self.fontMetrics()
        for state, word in LEGEND.items():
            box = QRectF(left, (self.height() - BAR) / 2, BAR, BAR)
            draw_state(painter, box, state, base)
            width = metrics.horizontalAdvance(word)
            painter.setPen(text)
            where = QRectF(left + BAR + 4, 0, width + 2, self.height())
            painter.drawText(where, int(Qt.AlignmentFlag.AlignVCenter), word)
            left += BAR + width + 16
        painter.end()
