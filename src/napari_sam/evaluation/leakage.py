"""Leakage check: held-out images that resemble a training image, as of the same slide."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_sam.data.samples import LabelledImage

__all__ = ["look_alikes"]

ALIKE = 0.95  # Bhattacharyya coefficient of the histograms; 1 for equal ones
SIZES = 1.25  # largest ratio of the objects' median diameters


def look_alikes(training: Sequence[LabelledImage], held_out: Sequence[LabelledImage]) -> set[str]:
    """Return the held-out sources that resemble one of the training images.

    Two pictures look alike if they have the same shape, nearly the same colours (histograms of
    64 steps per channel) and objects of about the same size. Figures on such sources say how
    good a model is on more of what it knows, and flatter it on anything else.

    Examples
    --------
    >>> look_alikes([], [])
    set()
    """
    known: dict[tuple[int, ...], list[tuple[NDArray[np.float64], float]]] = {}
    for image in training:
        known.setdefault(image.labels.shape, []).append(_looks(image))
    return {p.source for p in held_out if _any_alike(_looks(p), known.get(p.labels.shape, []))}


def _looks(image: LabelledImage) -> tuple[NDArray[np.float64], float]:
    """Return the root of the histograms, of unit length, and the log of the median diameter."""
    channels = np.moveaxis(image.rgb // 4, -1, 0)
    counts = np.stack([np.bincount(c.ravel(), minlength=64) for c in channels])
    return np.sqrt(counts / counts.sum()).ravel(), float(np.log(np.median(image.diameters)))


def _any_alike(
    looks: tuple[NDArray[np.float64], float], others: list[tuple[NDArray[np.float64], float]]
) -> bool:
    return any(
        looks[0] @ histogram > ALIKE and abs(looks[1] - diameter) < np.log(SIZES)
        for histogram, diameter in others
    )
