"""View of the list of differences between two Labels layers, with an answer each. No logic."""

from __future__ import annotations

from collections.abc import Iterable

from qtpy.QtCore import QEvent, QObject, Qt, Signal
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_sam.evaluation.differences import Disparity
from napari_sam.widgets.common.forms import in_a_row, new_button
from napari_sam.widgets.refine.review_table import ReviewTable, Row
from napari_sam.widgets.refine.verdict import Disputed, Verdict

__all__ = ["DifferencesList"]

COLUMNS = {
    "What": "How the labels that you compare with (theirs) differ from those you work on (mine)",
    "Mine": "Objects in the labels that you work on",
    "Theirs": "Objects in the labels that you compare with",
    "Pixels": "How many pixels are in dispute",
}
ANSWERS = {
    Verdict.MINE: ("&Mine", Qt.Key.Key_M, "Mine stay as they are"),
    Verdict.THEIRS: ("&Theirs", Qt.Key.Key_T, "Theirs are written in place of mine"),
    Verdict.BOTH: ("&Both", Qt.Key.Key_B, "Mine, and what theirs have besides"),
    Verdict.NEITHER: ("&Neither", Qt.Key.Key_N, "Mine are deleted on this slice"),
}
SHORT = {
    Disparity.MISSING: "only theirs",
    Disparity.EXTRA: "only mine",
    Disparity.JOINED: "mine joined",
    Disparity.SPLIT: "mine split",
    Disparity.MIXED: "cut otherwise",
    Disparity.BORDER: "border",
}
FEW = 3  # numbers that are named


class DifferencesList(QWidget):
    """A table of differences with a button and a key for each answer."""

    chosen = Signal()  # other rows were selected
    answered = Signal(object)  # Verdict, on the selected rows

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.table = ReviewTable("Differences", COLUMNS, (3, Qt.SortOrder.DescendingOrder))
        self.table.installEventFilter(self)
        self.buttons = {
            verdict: new_button(text, f"{tip}. Key: {text.strip('&')[0]}")
            for verdict, (text, _, tip) in ANSWERS.items()
        }
        for verdict, button in self.buttons.items():
            button.clicked.connect(lambda _, verdict=verdict: self.answered.emit(verdict))
        self.table.itemSelectionChanged.connect(self._choose)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.table)
        layout.addLayout(in_a_row(*self.buttons.values()))
        self._choose()

    def show_rows(self, rows: Iterable[tuple[int, Disputed]]) -> None:
        """Show these differences, each with its key; keep the selection."""
        self.table.show_rows(_cells(*row) for row in rows)
        self._choose()

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Answer with a letter; other keys move through the table."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            keys = {key: verdict for verdict, (_, key, _) in ANSWERS.items()}
            verdict = keys.get(Qt.Key(event.key()))
            if verdict is not None and self.table.selected:
                self.answered.emit(verdict)
                return True
        return super().eventFilter(watched, event)

    def _choose(self) -> None:
        for button in self.buttons.values():
            button.setEnabled(bool(self.table.selected))
        self.chosen.emit()


def _cells(key: int, one: Disputed) -> Row:
    found = one.difference
    return Row(
        key,
        [
            (SHORT[found.kind], list(Disparity).index(found.kind)),
            (_names(found.mine), min(found.mine, default=0)),
            (_names(found.theirs), min(found.theirs, default=0)),
            (f"{found.pixels:,}", found.pixels),
        ],
    )


def _names(ids: tuple[int, ...]) -> str:
    named = ", ".join(map(str, ids[:FEW]))
    return f"{named} …" if len(ids) > FEW else named
