"""Checks of integer labels of any origin, and their relabelling from 1 on."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_sam.errors import InputError

__all__ = ["MAX_LABEL", "check_numbers", "ranked", "smallest_type", "whole_number"]

MAX_LABEL = 2**64 - 1  # the largest number that labels can hold
MAX_DENSE = 100_000  # up to this largest number a place for each one is quick and small


def check_numbers(labels: ArrayLike) -> NDArray[np.integer]:
    """Validate labels as integers from 0 on and return them; masked pixels become background.

    Parameters
    ----------
    labels : (..., Y, X) array-like
        Whole numbers of any type; floats and booleans, too, as long as they say whole numbers.

    Raises
    ------
    InputError
        If some are negative, have fractions, are larger than any integer type, or are no numbers,
        or if there are no pixels or fewer than two axes.

    Examples
    --------
    >>> check_numbers(np.array([[0.0, 7.0]])).dtype
    dtype('uint8')
    """
    labels = np.ma.filled(labels, 0) if np.ma.isMaskedArray(labels) else np.asarray(labels)
    kind = labels.dtype.kind
    if kind not in "biuf":
        raise InputError(f"labels must be whole numbers; got dtype {labels.dtype}")
    if labels.ndim < 2 or labels.size == 0:
        raise InputError(f"labels must have rows and columns of pixels; got shape {labels.shape}")
    if kind == "f" and not (np.isfinite(labels) & (labels == np.rint(labels))).all():
        raise InputError("labels must be whole numbers; these have fractions or NaN")
    if kind in "if" and labels.size and labels.min() < 0:
        raise InputError(
            f"labels must not be negative; got {labels.min():.0f}. Set what is no object to 0, and "
            "number the objects from 1"
        )
    if kind in "bf":
        labels = labels.astype(np.uint8 if kind == "b" else _smallest(labels))
    whole: NDArray[np.integer] = labels
    return whole


def ranked(labels: ArrayLike) -> tuple[NDArray[np.integer], NDArray[np.int32]]:
    """Relabel objects from 1 on, so that memory depends on their number and not on their ids.

    Parameters
    ----------
    labels : (..., Y, X) array-like
        Whole numbers, 0 for background.

    Returns
    -------
    ids : (n,) int
        The labels in ascending order; where all are small, also those in between that are missing.
    ranks : (..., Y, X) int32
        For each pixel the place of its label among `ids`, from 1; 0 for background.

    Raises
    ------
    InputError
        As `check_numbers`.

    Examples
    --------
    >>> ids, ranks = ranked(np.array([[0, 4_000_000_000], [7, 7]]))
    >>> ids.tolist(), ranks.tolist()
    ([7, 4000000000], [[0, 2], [1, 1]])
    """
    labels = check_numbers(labels)
    most = int(labels.max(initial=0))
    if most <= MAX_DENSE:
        return np.arange(1, most + 1), labels.astype(np.int32, copy=False)
    inside, ranks = labels > 0, np.zeros(labels.shape, np.int32)
    ids, places = np.unique(labels[inside], return_inverse=True)
    ranks[inside] = places + 1
    return ids, ranks


def _smallest(labels: NDArray[np.floating]) -> np.dtype[np.unsignedinteger]:
    largest = int(labels.max(initial=0))
    if largest > MAX_LABEL:
        raise InputError(f"labels must be whole numbers of at most {MAX_LABEL}; got {largest:.3g}")
    return smallest_type(largest)


def smallest_type(largest: int) -> np.dtype[np.unsignedinteger]:
    """Return the smallest unsigned integer dtype for numbers up to the largest.

    numpy's own answer may be the second of two types of 64 bits, which zarr does not know.

    Examples
    --------
    >>> smallest_type(300), smallest_type(2**63)
    (dtype('uint16'), dtype('uint64'))
    """
    return np.dtype(np.min_scalar_type(largest).name)


def whole_number(value: object) -> int | None:
    """Return a whole number from a file as int; None for fractions, texts, booleans and others.

    Examples
    --------
    >>> [whole_number(value) for value in (7, 7.0, 7.5, "7", True, None)]
    [7, 7, None, None, None, None]
    """
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
