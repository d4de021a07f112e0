"""Table of results that somebody goes through: sorted, several rows selected, one after another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from qtpy.QtCore import QItemSelectionModel, QModelIndex, Qt
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

__all__ = ["ReviewTable", "Row"]

ROWS = 4  # that are seen at once
SORTED_BY, KEY = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1


class Row(NamedTuple):
    """Row of the table: the key of what it shows, and the text and the sort key of each cell."""

    key: int
    cells: Sequence[tuple[str, float]]


class ReviewTable(QTableWidget):
    """A sorted table of read-only rows with a key each.

    Parameters
    ----------
    name : str
        For screen readers.
    columns : mapping of str to str
        The head of each column, and its tip.
    sort : (int, Qt.SortOrder)
        By which column, at first.
    """

    def __init__(
        self,
        name: str,
        columns: Mapping[str, str],
        sort: tuple[int, Qt.SortOrder],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(0, len(columns), parent)
        self.setAccessibleName(name)
        self.setHorizontalHeaderLabels(list(columns))
        for column, tip in enumerate(columns.values()):
            self.horizontalHeaderItem(column).setToolTip(tip)  # type: ignore[union-attr]
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        head, side = self.horizontalHeader(), self.verticalHeader()
        head.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)  # type: ignore[union-attr]
        side.hide()  # type: ignore[union-attr]
        height = side.defaultSectionSize() * ROWS + head.sizeHint().height()  # type: ignore[union-attr]
        self.setMinimumHeight(height)
        self.setSortingEnabled(True)
        self.sortByColumn(*sort)

    @property
    def selected(self) -> list[int]:
        """Keys of the selected rows, in ascending order."""
        return sorted(self._key(row.row()) for row in self._selected_rows())

    @property
    def place(self) -> int:
        """Index of the first selected row."""
        return min((row.row() for row in self._selected_rows()), default=0)

    def show_rows(self, rows: Iterable[Row]) -> None:
        """Show these rows; what was selected stays so."""
        selected = set(self.selected)
        blocked = self.blockSignals(True)
        self.setSortingEnabled(False)
        self.clearContents()
        self.setRowCount(0)
        for at, row in enumerate(rows):
            self.insertRow(at)
            for column, cell in enumerate(row.cells):
                self.setItem(at, column, _Cell(row.key, *cell))
        self.setSortingEnabled(True)
        self.blockSignals(blocked)
        self._select(at for at in range(self.rowCount()) if self._key(at) in selected)

    def select_at(self, place: int) -> None:
        """Select the row at an index, or the last one."""
        self._select([min(place, self.rowCount() - 1)])

    def _selected_rows(self) -> Sequence[QModelIndex]:
        return self.selectionModel().selectedRows()  # type: ignore[union-attr]

    def _key(self, row: int) -> int:
        return int(self.item(row, 0).data(KEY))  # type: ignore[union-attr]

    def _select(self, places: Iterable[int]) -> None:
        flags = QItemSelectionModel.SelectionFlag
        model, chosen = self.model(), self.selectionModel()
        for at in places:
            chosen.select(model.index(at, 0), flags.Select | flags.Rows)  # type: ignore[union-attr]


class _Cell(QTableWidgetItem):
    """Table cell that shows text and sorts by a number."""

    def __init__(self, key: int, text: str, sorted_by: float) -> None:
        super().__init__(text)
        self.setData(SORTED_BY, sorted_by)
        self.setData(KEY, key)
        self.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)

    def __lt__(self, other: QTableWidgetItem) -> bool:
        return bool(self.data(SORTED_BY) < other.data(SORTED_BY))
