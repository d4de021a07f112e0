"""Progress row of the background embedding, with a button to stop it."""

from __future__ import annotations

from qtpy.QtWidgets import QProgressBar, QVBoxLayout, QWidget

from napari_sam.progress import Progress
from napari_sam.serving.precompute import Precomputed
from napari_sam.widgets.common.forms import in_a_row, new_button, new_label
from napari_sam.widgets.common.wording import time_left

__all__ = ["PrecomputeRow"]


class PrecomputeRow(QWidget):
    """Row that is visible while slices are embedded, and after an early stop.

    Attributes
    ----------
    word : str
        What they are, "slices" or "tiles".
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.word = "slices"
        self.text = new_label("Slices prepared ahead")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(6)
        self.bar.setAccessibleName("Slices prepared ahead")
        self.cancel = new_button(
            "Cancel", "Slices that are done stay; the others are prepared when you click"
        )
        self.cancel.setAccessibleName("Stop preparing slices ahead")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(row := in_a_row(self.text, self.cancel))
        row.setStretch(0, 1)
        layout.addWidget(self.bar)
        self.hide()

    def show_progress(self, progress: Progress[Precomputed]) -> None:
        """Show the progress."""
        where = f"Preparing {self.word}: {progress.done} of {progress.total}"
        self.text.setText(where + time_left(progress))
        self.bar.setMaximum(progress.total)
        self.bar.setValue(int(progress.done))
        self._show(working=True)

    def show_end(self, why: str) -> None:
        """Show why embedding stopped; hide the row if the text is empty."""
        self.text.setText(f"⚠ Not all {self.word} are prepared: {why}")
        self._show(working=False)
        self.setVisible(bool(why))

    def _show(self, working: bool) -> None:
        self.bar.setVisible(working)
        self.cancel.setVisible(working)
        self.show()
