"""View of the list of refined objects, to accept or reject individually. No logic."""

from __future__ import annotations

from collections.abc import Iterable

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_sam.widgets.common.forms import in_a_row, new_button
from napari_sam.widgets.refine.refined_masks import RefinedRow
from napari_sam.widgets.refine.review_table import ReviewTable, Row

__all__ = ["RefineList"]

COLUMNS = {
    "Object": "The number in the rough labels",
    "Slices": "On how many slices it was refined",
    "Quality": "The lowest: how well the model thinks that the new mask fits, 0 to 1",
    "Change": "The largest on a slice: pixels gained and lost, as a share of the area before",
}


class RefineList(QWidget):
    """A table of refined objects with buttons to accept or reject the selected ones."""

    chosen = Signal()  # other rows were selected

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.table = ReviewTable("Refined objects", COLUMNS, (2, Qt.SortOrder.AscendingOrder))
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
        return self.table.selected

    @property
    def place(self) -> int:
        """Index of the first selected row."""
        return self.table.place

    def show_rows(self, rows: Iterable[RefinedRow]) -> None:
        """Show these objects; keep the selection."""
        self.table.show_rows(map(_cells, rows))
        self._choose()

    def select_at(self, place: int) -> None:
        """Select the row at an index, or the last one."""
        self.table.select_at(place)

    def _choose(self) -> None:
        some = bool(self.selected)
        self.accept.setEnabled(some)
        self.reject.setEnabled(some)
        self.chosen.emit()


def _cells(row: RefinedRow) -> Row:
    change = f"{100 * row.change:.0f} %" if row.kept < row.slices else "old mask stays"
    return Row(
        row.id,
        [
            (str(row.id), row.id),
            (str(row.slices), row.slices),
            (f"{row.score:.2f}", row.score),
            (change, row.change),
        ],
    )
