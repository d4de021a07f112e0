"""View of the drawer Tracks: the list of tracks and what can be done with them. No logic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QFrame,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QSpinBox,
    QVBoxLayout,
)

from napari_sam.widgets.common.button_flow import ButtonFlow
from napari_sam.widgets.common.forms import in_a_row, in_place, new_button, new_label
from napari_sam.widgets.common.style import primary

__all__ = ["TrackRow", "TracksControls"]

ACTIONS = {
    "join": ("Join", "Make one track of the two that are selected"),
    "break": ("Break here", "From the frame in view on the selected track is another one"),
    "divide": ("Divide", "The first of the selected tracks divides into the others"),
    "part": ("No division", "The selected track comes from no division"),
    "swap": ("Swap from here", "From the frame in view on the two selected tracks change places"),
}
NEEDED = {"join": (2, 2), "break": (1, 1), "divide": (2, 9), "part": (1, 1), "swap": (2, 2)}
ROWS = 8  # of the list that are seen at least


class TrackRow(NamedTuple):
    """A line of the list: the track, the frame to go to, and what is said of it."""

    number: int
    frame: int
    text: str


class TracksControls(QFrame):
    """All widgets of the drawer, top to bottom in the order of use.

    Attributes
    ----------
    buttons : dict of str to QPushButton
        Edits, see `ACTIONS`.
    wanted : Signal(str)
        Emitted with the name of an edit.
    went : Signal(int, int)
        Emitted with a track that was clicked on, and the frame to go to.
    opened : Signal()
        Emitted when the drawer opens.
    """

    wanted = Signal(str)
    went = Signal(int, int)
    opened = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.link = new_button(
            "Link into tracks",
            "Join the objects of all frames by overlap, distance and size; one undo takes it back",
        )
        self.link.setStyleSheet(primary())
        self.cancel = new_button("Cancel", "Stop; everything stays as it was")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(6)
        self.bar.setAccessibleName("How far linking is")
        self.shown = QCheckBox("Show as a layer")
        self.shown.setToolTip("Tracks and their lineage beside the labels, in a layer of their own")
        self.status = new_label("What is known of the tracks")
        self.status.setTextFormat(Qt.TextFormat.PlainText)
        self.list = QListWidget()
        self.list.setAccessibleName("Tracks, the most doubtful first")
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setUniformItemSizes(True)
        self.list.setMinimumHeight(ROWS * (self.list.fontMetrics().lineSpacing() + 4))
        self.buttons = {name: new_button(text, tip) for name, (text, tip) in ACTIONS.items()}
        self.shortest = QSpinBox()
        self.shortest.setRange(2, 999)
        self.shortest.setValue(3)
        self.shortest.setAccessibleName("Fewest frames of a track")
        self.delete_short = new_button(
            "Delete shorter than", "Delete tracks of fewer frames, but not those of a division"
        )
        self.export = new_button(
            "Export…", "Write a folder of the Cell Tracking Challenge with GEFF and tables"
        )
        for name, button in self.buttons.items():
            button.clicked.connect(lambda _=False, name=name: self.wanted.emit(name))
        self.list.itemClicked.connect(self._go)
        self.list.itemSelectionChanged.connect(self._offer)
        self._lay_out()
        self.show_work(busy=False)

    @property
    def selected(self) -> list[int]:
        """The tracks that are selected, in the order of the list."""
        rows = sorted(self.list.row(item) for item in self.list.selectedItems())
        return [self._row(self.list.item(row)).number for row in rows]

    def show_rows(self, rows: Sequence[TrackRow]) -> None:
        """Show these tracks; what was selected stays so."""
        bar = self.list.verticalScrollBar()
        chosen, place = set(self.selected), 0 if bar is None else bar.value()
        self.list.blockSignals(True)
        self.list.clear()
        for row in rows:
            item = QListWidgetItem(row.text)
            item.setToolTip(row.text)
            item.setData(Qt.ItemDataRole.UserRole, row)
            self.list.addItem(item)
            item.setSelected(row.number in chosen)
        self.list.blockSignals(False)
        if bar is not None:
            bar.setValue(place)
        self._offer()

    def select(self, number: int | None) -> None:
        """Select one track, if another one is selected."""
        if number is None or number in self.selected:
            return
        self.list.blockSignals(True)
        self.list.clearSelection()
        for place in range(self.list.count()):
            item = self.list.item(place)
            if item is not None and self._row(item).number == number:
                item.setSelected(True)
                self.list.scrollToItem(item)
        self.list.blockSignals(False)
        self._offer()

    def show_work(self, busy: bool) -> None:
        """Switch between the widgets of linking and the idle ones."""
        self.bar.setVisible(busy)
        self.cancel.setVisible(busy)
        self.link.setVisible(not busy)
        for widget in (self.delete_short, self.export):
            widget.setEnabled(not busy and self.list.count() > 0)
        self._offer()

    def showEvent(self, event: QShowEvent | None) -> None:
        """Tell that the drawer has opened."""
        super().showEvent(event)
        self.opened.emit()

    def _offer(self) -> None:
        count, idle = len(self.list.selectedItems()), self.cancel.isHidden()
        for name, button in self.buttons.items():
            fewest, most = NEEDED[name]
            button.setEnabled(idle and fewest <= count <= most)

    def _go(self, item: QListWidgetItem) -> None:
        row = self._row(item)
        self.went.emit(row.number, row.frame)

    def _row(self, item: QListWidgetItem | None) -> TrackRow:
        assert item is not None
        row: TrackRow = item.data(Qt.ItemDataRole.UserRole)
        return row

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        work = QFrame()
        in_a_row(self.bar, self.cancel, parent=work).setContentsMargins(0, 0, 0, 0)
        begin = in_a_row(in_place(self.link, work), self.shown)
        begin.setStretch(0, 1)
        layout.addLayout(begin)
        layout.addWidget(self.status)
        layout.addWidget(self.list, 1)
        edits = ButtonFlow()
        edits.show_buttons(tuple(self.buttons.values()))
        layout.addWidget(edits)
        layout.addLayout(in_a_row(self.delete_short, self.shortest, self.export))
