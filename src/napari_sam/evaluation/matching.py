"""Matching of labels with the truth at IoU thresholds: mSA and F1. Numpy only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import linear_sum_assignment

from napari_sam.errors import InputError

__all__ = ["THRESHOLDS", "count_matches", "f1", "matched", "mean_accuracy", "pairwise_iou"]

THRESHOLDS = tuple(round(0.5 + 0.05 * i, 2) for i in range(10))
"""0.50 to 0.95 in steps of 0.05."""


def pairwise_iou(truth: NDArray[np.integer], found: NDArray[np.integer]) -> NDArray[np.float64]:
    """Return the IoU of every true object with every predicted one, (N, M), in the order of ids.

    Raises
    ------
    InputError
        If the labels (H, W) differ in shape.

    Examples
    --------
    >>> pairwise_iou(np.array([[1, 1, 1, 2]]), np.array([[0, 5, 5, 5]])).round(2)
    array([[0.5 ],
           [0.33]])
    """
    if truth.shape != found.shape:
        raise InputError(f"labels of shapes {truth.shape} and {found.shape} cannot be compared")
    rows, first = np.unique(truth, return_inverse=True)
    columns, second = np.unique(found, return_inverse=True)
    places = (first.ravel(), second.ravel())
    shape = (len(rows), len(columns))
    counts = sparse.coo_matrix((np.ones(truth.size), places), shape=shape).toarray()
    either = counts.sum(axis=1, keepdims=True) + counts.sum(axis=0) - counts
    return np.asarray((counts / either)[rows != 0][:, columns != 0])


def matched(ious: NDArray[np.float64], threshold: float) -> NDArray[np.int64]:
    """Return the rows (true objects) that have a one-to-one match of at least the threshold.

    Examples
    --------
    >>> matched(np.array([[0.4], [0.5]]), 0.5)
    array([1])
    """
    good = ious >= threshold
    rows, columns = linear_sum_assignment(good, maximize=True)
    return np.asarray(rows[good[rows, columns]])


def count_matches(ious: NDArray[np.float64], threshold: float) -> int:
    """Return the number of one-to-one matches with an IoU of at least the threshold."""
    return len(matched(ious, threshold))


def mean_accuracy(ious: NDArray[np.float64]) -> float:
    """Return mSA: the mean over `THRESHOLDS` of TP / (TP + FP + FN).

    TP are the matched pairs, FP the found objects without, FN the true ones without a match. It is
    1 where nothing is and nothing was found.

    Examples
    --------
    >>> mean_accuracy(np.array([[0.72], [0.1]]))  # half, at five of ten thresholds
    0.25
    """
    true, found = ious.shape
    if true + found == 0:
        return 1.0
    hits = [count_matches(ious, threshold) for threshold in THRESHOLDS]
    return float(np.mean([hit / (true + found - hit) for hit in hits]))


def f1(ious: NDArray[np.float64], threshold: float = 0.5) -> float:
    """Return the F1 score, 2 TP / (2 TP + FP + FN), at one IoU; 1 if there are no objects at all.

    Examples
    --------
    >>> round(f1(np.array([[0.72], [0.1]])), 3)
    0.667
    """
    total = sum(ious.shape)
    return 2 * count_matches(ious, threshold) / total if total else 1.0
