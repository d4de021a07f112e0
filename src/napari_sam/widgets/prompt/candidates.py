"""Thumbnails of the candidate masks, to select one."""

from __future__ import annotations

import numpy as np
from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QColor, QIcon, QPixmap
from qtpy.QtWidgets import QButtonGroup, QHBoxLayout, QToolButton, QWidget

from napari_sam.masks import pixels_of
from napari_sam.results import Prediction
from napari_sam.widgets.common.thumbnail import SIDE, pixmap, thinned, thumbnail

__all__ = ["CandidateChoice"]

STYLE = (
    "QToolButton { padding: 2px; border: 2px solid transparent; border-radius: 3px; }"
    "QToolButton:focus { background: rgba(128, 128, 128, 90); }"
    "QToolButton:checked { border-color: #ff2ec4; font-weight: bold; }"
)


class CandidateChoice(QWidget):
    """One button per candidate, with its outline and score."""

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: Prediction | None = None
        self._group = QButtonGroup(self)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for index in range(3):
            button = QToolButton()
            button.setCheckable(True)
            button.setStyleSheet(STYLE)
            button.setAccessibleName(f"Mask {index + 1} of 3")
            button.setText("0.00")  # keeps room for the score
            button.setIconSize(QSize(SIDE, SIDE))
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
            self._group.addButton(button, index)
            layout.addWidget(button)
        self._group.idClicked.connect(self.chosen)
        self.clear()

    def clear(self) -> None:
        """Grey the buttons out: there is nothing to choose from."""
        self._shown = None
        blank = QPixmap(SIDE, SIDE)
        blank.fill(QColor(128, 128, 128, 40))
        self._group.setExclusive(False)  # else one of them has to stay chosen
        for index, button in enumerate(self._group.buttons()):
            button.setChecked(False)
            button.setIcon(QIcon(blank))
            button.setText(str(index + 1))
            button.setAccessibleName(f"Mask {index + 1} of 3")
            button.setToolTip("Up to three masks of the next click, of different sizes")
        self._group.setExclusive(True)
        self.setEnabled(False)

    def show_candidates(
        self, pixels: np.ndarray, limits: tuple[float, float], prediction: Prediction, choice: int
    ) -> None:
        """Show the candidates of a prediction over the pixels of its plane, or of its tile.

        These are (H, W) or (H, W, colours), those of a tile `thinned`.
        """
        self.setEnabled(True)
        if prediction is not self._shown:
            self._shown = prediction
            masks = prediction.masks
            if prediction.tile is not None:
                masks = masks[:, *thinned(prediction.tile)]
            around = np.asarray(masks.any(axis=0))
            for index, button in enumerate(self._group.buttons()):
                mask, score = masks[index], float(prediction.scores[index])
                button.setIcon(QIcon(pixmap(thumbnail(pixels, limits, mask, around))))
                button.setText(f"{score:.2f}")
                button.setAccessibleName(f"Mask {index + 1} of 3, quality {score:.2f}")
                size = pixels_of(prediction.masks[index])
                button.setToolTip(f"{size:,} pixels, quality {score:.2f} of 1 as the model sees it")
        self._group.buttons()[choice].setChecked(True)
