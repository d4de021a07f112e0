"""Objects that touch, and how many of them are told apart. Numpy only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_sam.evaluation.matching import matched, pairwise_iou

__all__ = ["told_apart", "touching_pairs"]

STEPS = (0, 1), (1, 0), (1, 1), (1, -1)  # to half of the eight neighbours; the others mirror them
GAP = 1  # pixels of background that may lie between; many annotators leave such a line


def touching_pairs(labels: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return the pairs of objects with at most one pixel of background between them.

    Parameters
    ----------
    labels : (H, W) int
        0 is background.

    Returns
    -------
    (N, 2) int64
        Ids, the smaller first; in order.

    Examples
    --------
    >>> touching_pairs(np.array([[1, 1, 0, 2, 0, 0, 3]])).tolist()
    [[1, 2]]
    """
    found = [np.zeros((0, 2), np.int64)]
    for down, right in STEPS:
        for reach in range(1, GAP + 2):
            first, second = _shifted(labels, reach * down, reach * right)
            differ = (first != second) & (first > 0) & (second > 0)
            found.append(np.stack([first[differ], second[differ]], axis=1).astype(np.int64))
    pairs = np.sort(np.concatenate(found), axis=1)
    return np.unique(pairs, axis=0)


def told_apart(
    truth: NDArray[np.integer], found: NDArray[np.integer], threshold: float = 0.5
) -> tuple[int, int]:
    """Return how many pairs of touching true objects are told apart, and how many there are.

    A pair is told apart if both are matched, one to one, at an IoU of at least the threshold.

    Parameters
    ----------
    truth, found : (H, W) int
        0 is background.
    threshold : float

    Raises
    ------
    InputError
        If the labels differ in shape.

    Examples
    --------
    >>> truth = np.array([[1, 1, 2, 2, 3, 3]])
    >>> told_apart(truth, np.array([[7, 7, 8, 8, 8, 8]]))
    (1, 2)
    """
    pairs = touching_pairs(truth)
    ids = np.unique(truth[truth != 0])
    rows = matched(pairwise_iou(truth, found), threshold)
    return int(np.isin(pairs, ids[rows]).all(axis=1).sum()), len(pairs)


def _shifted(
    labels: NDArray[np.integer], down: int, right: int
) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """Return the labels and those `down` and `right` of them, without what has no partner."""
    height, width = labels.shape
    here = labels[: max(0, height - down), max(0, -right) : max(0, width - max(0, right))]
    there = labels[down:, max(0, right) : max(0, width + min(0, right))]
    return here, there
