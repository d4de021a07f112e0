"""How a run goes and what comes out: bar, table, curve and preview."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QProgressBar, QVBoxLayout, QWidget

from napari_sam.widgets.curve import Curve
from napari_sam.widgets.forms import new_label
from napari_sam.widgets.train_preview import LEGEND, TrainPreview
from napari_sam.widgets.train_words import Rows, table

if TYPE_CHECKING:
    from napari_sam.training.finetune import Progress

__all__ = ["TrainOutcome"]


class TrainOutcome(QWidget):
    """Each part appears when there is something to show."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(8)
        self.bar.setAccessibleName("Progress of the training")
        self.left_out = new_label("Pictures left out")
        self.left_out.setTextFormat(Qt.TextFormat.PlainText)
        self.table = new_label("Before and after")
        self.curve, self.preview = Curve(), TrainPreview()
        self.legend = new_label("Legend of the preview")
        self.legend.setText(LEGEND)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._parts = (
            *(self.bar, self.left_out, self.table),
            *(self.curve, self.preview, self.legend),
        )
        for part in self._parts:
            layout.addWidget(part)
            part.hide()

    def clear(self, steps: int) -> None:
        """Begin anew, for a run of so many steps."""
        for part in self._parts:
            part.hide()
        self.left_out.clear()
        self.curve.clear(steps)

    def fill_bar(self, done: int, total: int) -> None:
        """Show how much is done of how much; of 0 if nobody knows."""
        self.bar.setRange(0, total)
        self.bar.setValue(done)
        self.bar.show()

    def take(self, progress: Progress) -> None:
        """Show what is new."""
        self.fill_bar(progress.done, progress.total)
        if progress.phase == "Training":
            self.curve.add(progress.done, progress.loss, progress.iou, progress.validation)
            self.curve.show()
        if progress.preview is not None:
            self.preview.take(progress.preview)
            self.preview.show()
            self.legend.show()

    def leave_out(self, source: str, reason: str) -> None:
        """Name a sample that cannot be used."""
        text = f"{self.left_out.text()}\nLeft out {source}: {reason}".strip()
        self.left_out.setText(text)
        self.left_out.show()

    def compare(self, rows: Rows) -> None:
        """Show the table of before and after, if there is one."""
        self.table.setText(table(rows))
        self.table.setVisible(bool(rows))
