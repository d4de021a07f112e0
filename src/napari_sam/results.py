"""What comes back from the model. Numpy only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Prediction", "Step"]


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


@dataclass(frozen=True, eq=False)
class Step:
    """One slice of a stack as it stands; a later step of the same slice replaces it.

    Parameters
    ----------
    index : int
        Which slice.
    labels : (Y, X) int
        All objects known there: those given and those found, zero elsewhere.
    scores : dict of int to float
        Predicted IoU of the objects that were found, by id; a given mask has none.
    stopped : dict of int to str
        Objects that are not followed past this slice, and why.
    unsure : dict of int to str
        Objects that a person should look at here, and why; also one that is missing here.
    """

    index: int
    labels: NDArray[Any]
    scores: Mapping[int, float]
    stopped: Mapping[int, str] = field(default_factory=dict)
    unsure: Mapping[int, str] = field(default_factory=dict)
