"""Small pictures of the candidate masks, to pick one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QIcon, QImage, QPixmap
from qtpy.QtWidgets import QButtonGroup, QHBoxLayout, QToolButton, QWidget

from napari_sam.results import Prediction

__all__ = ["Thumbnails", "pixmap", "thumbnail"]

SIDE = 72
STYLE = (
    "QToolButton { padding: 2px; border: 2px solid transparent; border-radius: 3px; }"
    "QToolButton:focus { background: rgba(128, 128, 128, 90); }"
    "QToolButton:checked { border-color: #ff2ec4; font-weight: bold; }"
)
COLOUR = (255, 46, 196)


class Thumbnails(QWidget):
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
        layout.addStretch()
        self._group.idClicked.connect(self.chosen)

    def show_candidates(
        self, plane: NDArray[Any], limits: tuple[float, float], prediction: Prediction, choice: int
    ) -> None:
        """Show the candidates of a prediction over a picture plane (H, W) or (H, W, colours)."""
        if prediction is not self._shown:
            self._shown = prediction
            around = np.asarray(prediction.masks.any(axis=0))
            for index, button in enumerate(self._group.buttons()):
                mask, score = prediction.masks[index], float(prediction.scores[index])
                button.setIcon(QIcon(pixmap(thumbnail(plane, limits, mask, around))))
                button.setText(f"{score:.2f}")
                button.setAccessibleName(f"Mask {index + 1} of 3, score {score:.2f}")
                button.setToolTip(
                    f"{int(mask.sum()):,} pixels, predicted overlap with the object {score:.2f}"
                )
        self._group.buttons()[choice].setChecked(True)


def thumbnail(
    plane: NDArray[Any],
    limits: tuple[float, float],
    mask: NDArray[np.bool_],
    around: NDArray[np.bool_],
    side: int = SIDE,
) -> NDArray[np.uint8]:
    """Draw a mask's outline over its surroundings.

    Parameters
    ----------
    plane : (H, W) or (H, W, colours)
        The picture.
    limits : (low, high)
        What becomes black and white; 8-bit colours stay as they are.
    mask : (H, W) bool
        The mask.
    around : (H, W) bool
        What to show, with a margin.
    side : int
        Of the square result, in pixels.

    Returns
    -------
    (side, side, 3) uint8
    """
    rows, columns = (np.flatnonzero(around.any(axis=axis)) for axis in (1, 0))
    height, width = around.shape
    if len(rows) == 0:
        rows, columns = np.arange(height), np.arange(width)
    half = max(rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1) * 0.65 + 2
    steps = (np.arange(side) + 0.5) / side * 2 * half - half
    at_rows = np.rint((rows[0] + rows[-1]) / 2 + steps).astype(int)
    at_columns = np.rint((columns[0] + columns[-1]) / 2 + steps).astype(int)
    inside = np.ix_((at_rows >= 0) & (at_rows < height), (at_columns >= 0) & (at_columns < width))
    cut = np.ix_(at_rows.clip(0, height - 1), at_columns.clip(0, width - 1))
    pixels = np.zeros((side, side, 3), np.uint8)
    pixels[inside] = _rgb(plane[cut], limits)[inside]
    drawn = np.zeros((side, side), bool)
    drawn[inside] = mask[cut][inside]
    padded = np.pad(drawn, 1)
    core = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    pixels[drawn & ~core] = COLOUR
    return pixels


def pixmap(pixels: NDArray[np.uint8]) -> QPixmap:
    """Return a square (side, side, 3) picture for Qt."""
    side = len(pixels)
    image = QImage(pixels.tobytes(), side, side, 3 * side, QImage.Format.Format_RGB888)
    return QPixmap.fromImage(image.copy())


def _rgb(plane: NDArray[Any], limits: tuple[float, float]) -> NDArray[np.uint8]:
    if plane.ndim == 3 and plane.dtype == np.uint8:
        return plane[..., :3]
    low, high = (0, 1) if plane.ndim == 3 and plane.dtype.kind == "f" else limits
    unit = (np.nan_to_num(plane.astype(float)) - low) / max(high - low, 1e-12)
    scaled = (unit.clip(0, 1) * 255).astype(np.uint8)
    return np.repeat(scaled[..., None], 3, axis=2) if plane.ndim == 2 else scaled[..., :3]
