"""Outlines of labels, computed in numpy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["edges", "outlines", "width_of"]

SIDE = 1000  # pixels of a plane for each pixel that an outline is wide


def width_of(shape: tuple[int, ...]) -> int:
    """Return how many pixels wide outlines are on a plane (H, W), to be seen as a whole."""
    return 1 + max(shape) // SIDE


def outlines(labels: NDArray[np.integer], colours: int, wide: int = 1) -> NDArray[np.uint8]:
    """Return (H, W) colour numbers from 1 on the outlines of (H, W) labels, 0 elsewhere.

    Outlines lie inside of the labels, so that touching ones have an outline each.

    Examples
    --------
    >>> labels = np.zeros((5, 6), int)
    >>> labels[1:4, 1:4], labels[:, 5] = 8, 2
    >>> outlines(labels, 7).tolist()[2]
    [0, 1, 0, 1, 0, 2]
    """
    edge = edges(labels, wide)
    shown = np.zeros(labels.shape, np.uint8)
    shown[edge] = (labels[edge] - 1) % colours + 1
    return shown


def edges(labels: NDArray[np.integer], wide: int = 1) -> NDArray[np.bool_]:
    """Return (H, W) where the pixels of (H, W) labels are at the edge of their label."""
    edge = np.zeros(labels.shape, bool)
    for before, after in (np.s_[:-1], np.s_[1:]), (np.s_[:, :-1], np.s_[:, 1:]):
        differs = labels[before] != labels[after]
        edge[before] |= differs
        edge[after] |= differs
    for _ in range(wide - 1):
        thin = edge.copy()
        for before, after in (np.s_[:-1], np.s_[1:]), (np.s_[:, :-1], np.s_[:, 1:]):
            edge[before] |= thin[after]
            edge[after] |= thin[before]
    edge &= labels != 0
    return edge
