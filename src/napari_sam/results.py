"""What comes back from the model. Numpy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Prediction", "Window"]


@dataclass(frozen=True)
class Window:
    """The square of the picture that the decoder looked at.

    Low-resolution logits belong to it and may only be fed back for the same window.

    Parameters
    ----------
    scale : float
        Model pixels per picture pixel (mean of both axes).
    row, column : int
        Upper left corner in model pixels.
    """

    scale: float
    row: int
    column: int


@dataclass(frozen=True, eq=False)
class Prediction:
    """Candidate masks for one object, best predicted IoU first.

    Parameters
    ----------
    masks : (C, H, W) bool
        Masks in the picture's own pixels.
    scores : (C,) float32
        Predicted IoU.
    logits : (C, h, w) float32
        Low-resolution logits; feed one back as ``Prompts(mask=...)``.
    window : Window
        Where the logits lie in the picture.
    """

    masks: NDArray[np.bool_]
    scores: NDArray[np.float32]
    logits: NDArray[np.float32]
    window: Window
