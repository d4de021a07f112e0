"""How far the slices are embedded ahead, and the button that stops it."""

from __future__ import annotations

from qtpy.QtWidgets import QProgressBar, QVBoxLayout, QWidget

from napari_sam.progress import Progress
from napari_sam.serving.precompute import Precomputed
from napari_sam.widgets.common.forms import in_a_row, new_button, new_label
from napari_sam.widgets.common.wording import time_left

__all__ = ["PrecomputeRow"]


class PrecomputeRow(QWidget):
    """Shown while slices are embedded, and when that ended early."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.text = new_label("Slices embedded ahead")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(6)
        self.bar.setAccessibleName("Slices embedded ahead")
        self.cancel = new_button(
            "Cancel", "Slices that are done stay; the others are embedded when you click"
        )
        self.cancel.setAccessibleName("Stop embedding slices ahead")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(row := in_a_row(self.text, self.cancel))
        row.setStretch(0, 1)
        layout.addWidget(self.bar)
        self.hide()

    def show_progress(self, progress: Progress[Precomputed]) -> None:
        """Show how far it is."""
        where = f"Embedding slices: {progress.done} of {progress.total}"
        self.text.setText(where + time_left(progress))
        self.bar.setMaximum(progress.total)
        self.bar.setValue(int(progress.done))
        self._show(working=True)

    def show_end(self, why: str) -> None:
        """Show why it ended; an empty text hides the row."""
        self.text.setText(f"⚠ Not all slices are embedded: {why}")
        self._show(working=False)
        self.setVisible(bool(why))

    def _show(self, working: bool) -> None:
        self.bar.setVisible(working)
        self.cancel.setVisible(working)
        self.show()
