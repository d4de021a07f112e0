"""What comes back from the model. Numpy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Prediction"]


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
        Low-resolution logits of the whole picture; feed one back as ``Prompts(mask=...)``.
    """

    masks: NDArray[np.bool_]
    scores: NDArray[np.float32]
    logits: NDArray[np.float32]
