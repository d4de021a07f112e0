"""View of the list of refined objects, to accept or reject individually. No logic."""

from __future__ import annotations

from collections.abc import Iterable

from qtpy.QtCore import QItemSelectionModel, Qt, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_sam.widgets.common.forms import in_a_row, new_button
from napari_sam.widgets.refine.refined_masks import RefinedRow

__all__ = ["RefineList"]

COLUMNS = {
    "Object": "The number in the rough labels",
    "Slices": "On how many slices it was refined",
    "Quality": "The lowest: how well the model thinks that the new mask fits, 0 to 1",
    "Change": "The largest on a slice: pixels gained and lost, as a share of the area before",
}
ROWS = 4  # that are seen at once


class RefineList(QWidget):
    """A table of refined objects with buttons to accept or reject the selected ones."""

    chosen = Signal()  # other rows were selected

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.table = QTableWidget(0, len(COLUMNS))
        self.table.setAccessibleName("Refined objects")
        self.table.setHorizontalHeaderLabels(list(COLUMNS))
        for column, tip in enumerate(COLUMNS.values()):
            self.table.horizontalHeaderItem(column).setToolTip(tip)  # type: ignore[union-attr]
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setTabKeyNavigation(False)
        self.table.setShowGrid(False)
        head, side = self.table.horizontalHeader(), self.table.verticalHeader()
        head.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)  # type: ignore[union-attr]
        side.hide()  # type: ignore[union-attr]
        height = side.defaultSectionSize() * ROWS + head.sizeHint().height()  # type: ignore[union-attr]
        self.table.setMinimumHeight(height)
        self.table.setSortingEnabled(True)
        self.table.sortByColumn(2, Qt.SortOrder.AscendingOrder)
        self.accept = new_button(
            "Accept selected", "Write the new masks of these objects into the labels, as one step"
        )
        self.reject = new_button("Reject selected", "Forget the new masks of these objects")
        self.table.itemSelectionChanged.connect(self._choose)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.table)
        layout.addLayout(in_a_row(self.accept, self.reject))
        self._choose()

    @property
    def selected(self) -> list[int]:
        """Ids of the objects in the selected rows."""
        rows = self.table.selectionModel().selectedRows()  # type: ignore[union-attr]
        return sorted(int(row.data(Qt.ItemDataRole.UserRole)) for row in rows)

    def show_rows(self, rows: Iterable[RefinedRow]) -> None:
        """Show these objects; keep the selection."""
        selected = set(self.selected)
        blocked = self.table.blockSignals(True)
        self.table.setSortingEnabled(False)
        self.table.clearContents()
        self.table.setRowCount(0)
        for at, row in enumerate(rows):
            self.table.insertRow(at)
            change = f"{100 * row.change:.0f} %" if row.kept < row.slices else "old mask stays"
            texts = str(row.id), str(row.slices), f"{row.score:.2f}", change
            keys = row.id, row.slices, row.score, row.change
            for column, cell in enumerate(map(_Cell, texts, keys)):
                self.table.setItem(at, column, cell)
        self.table.setSortingEnabled(True)
        self.table.blockSignals(blocked)
        self._select(at for at in range(self.table.rowCount()) if self._id(at) in selected)
        self._choose()

    def select_at(self, place: int) -> None:
        """Select the row at an index, or the last one."""
        self._select([min(place, self.table.rowCount() - 1)])

    @property
    def place(self) -> int:
        """Index of the first selected row."""
        rows = self.table.selectionModel().selectedRows()  # type: ignore[union-attr]
        return min((row.row() for row in rows), default=0)

    def _id(self, row: int) -> int:
        return int(self.table.item(row, 0).data(Qt.ItemDataRole.UserRole))  # type: ignore[union-attr]

    def _select(self, places: Iterable[int]) -> None:
        flags = QItemSelectionModel.SelectionFlag
        model, chosen = self.table.model(), self.table.selectionModel()
        for at in places:
            chosen.select(model.index(at, 0), flags.Select | flags.Rows)  # type: ignore[union-attr]

    def _choose(self) -> None:
        some = bool(self.selected)
        self.accept.setEnabled(some)
        self.reject.setEnabled(some)
        self.chosen.emit()


class _Cell(QTableWidgetItem):
    """Table cell that shows text and sorts by a number."""

    def __init__(self, text: str, key: float) -> None:
        super().__init__(text)
        self.setData(Qt.ItemDataRole.UserRole, key)
        self.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)

    def __lt__(self, other: QTableWidgetItem) -> bool:
        role = Qt.ItemDataRole.UserRole
        return bool(self.data(role) < other.data(role))
