"""Report of a training run: validation preview, learning curve, and comparison table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QImage, QPixmap, QResizeEvent
from qtpy.QtWidgets import QLabel, QProgressBar, QSizePolicy, QVBoxLayout, QWidget

from napari_sam.widgets.common.curve import Curve
from napari_sam.widgets.common.forms import new_label
from napari_sam.widgets.train.wording import Rows, table

if TYPE_CHECKING:
    from napari_sam.progress import Progress
    from napari_sam.training.finetune import TrainingState, ValidationPreview


__all__ = ["LEGEND", "TrainPreview", "TrainReport", "drawn"]

TALLEST = 320  # pixels on the screen
SPARE = 32  # pixels, more than a scroll bar's width
TRUTH, FOUND = (0, 190, 255), (255, 140, 0)
LEGEND = (
    "A picture that is not learned from: "
    '<span style="color: #00beff">■</span> your labels, <span style="color: #ff8c00">■</span> '
    "the model's masks, from one click each."
)


class TrainPreview(QLabel):
    """Preview of a validation image, scaled to the available space with its aspect ratio kept."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("ValidationPreview of the new model")
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._preview: ValidationPreview | None = None

    def take(self, preview: ValidationPreview) -> None:
        """Show a new preview."""
        self._preview = preview
        self._draw()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Redraw at the new size, with outlines one pixel wide."""
        super().resizeEvent(event)
        # A scroll bar that comes and goes must not make it grow and shrink for ever.
        if self._preview is not None and not 0 <= self.width() - self.pixmap().width() < SPARE:
            self._draw()

    def sizeHint(self) -> QSize:
        """Return the image's size as the size hint; the panel sets the width."""
        return QSize(300, self.pixmap().height())

    def _draw(self) -> None:
        assert self._preview is not None
        height, width = self._preview.truth.shape
        scale = min(max(self.width(), 100) / width, TALLEST / height)
        size = max(1, round(height * scale)), max(1, round(width * scale))
        picture = drawn(self._preview, size)
        image = QImage(
            picture.tobytes(), size[1], size[0], 3 * size[1], QImage.Format.Format_RGB888
        )
        self.setPixmap(QPixmap.fromImage(image))
        self.setFixedHeight(size[0])


def drawn(preview: ValidationPreview, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return the image resized to (rows, columns), with both outlines drawn on it.

    Returns
    -------
    (rows, columns, 3) uint8
    """
    index = np.ix_(
        *(np.arange(new) * old // new for new, old in zip(size, preview.truth.shape, strict=True))
    )
    picture = preview.rgb[index].copy()
    picture[_outlines(preview.truth[index])] = TRUTH
    picture[_outlines(preview.predicted[index])] = FOUND
    return picture


def _outlines(labels: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Return (H, W): the pixels of objects with a neighbour of another number."""
    padded = np.pad(labels, 1, mode="edge")
    inner = np.zeros(labels.shape, bool)
    for rows, columns in ((0, 1), (2, 1), (1, 0), (1, 2)):
        inner |= padded[rows:, columns:][: labels.shape[0], : labels.shape[1]] != labels
    return inner & (labels > 0)


class TrainReport(QWidget):
    """Progress bar, curve, preview and table of a run, each shown when it has content."""

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
        """Clear the report for a run of this many steps."""
        for part in self._parts:
            part.hide()
        self.left_out.clear()
        self.curve.clear(steps)

    def fill_bar(self, done: int, total: int) -> None:
        """Show the progress; a total of 0 means unknown."""
        self.bar.setRange(0, total)
        self.bar.setValue(done)
        self.bar.show()

    def take(self, progress: Progress[TrainingState]) -> None:
        """Show the new state of the run."""
        self.fill_bar(int(progress.done), progress.total)
        now = progress.result
        if now.phase == "Training":
            self.curve.add(int(progress.done), now.loss, now.iou, now.validation)
            self.curve.show()
        if now.preview is not None:
            self.preview.take(now.preview)
            self.preview.show()
            self.legend.show()

    def leave_out(self, source: str, reason: str) -> None:
        """Add a sample to the list of those left out."""
        text = f"{self.left_out.text()}\nLeft out {source}: {reason}".strip()
        self.left_out.setText(text)
        self.left_out.show()

    def compare(self, rows: Rows) -> None:
        """Show the before/after table; hide it if empty."""
        self.table.setText(table(rows))
        self.table.setVisible(bool(rows))
