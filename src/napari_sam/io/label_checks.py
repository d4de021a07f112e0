"""Check that an array holds labels, not intensities."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from napari_sam.arrays import Array, LazyArray
from napari_sam.errors import InputError

__all__ = ["check_are_labels"]

CROP_SIDE = 1024  # pixels of the piece that is looked at
MIN_PIXELS = 1000  # pixels of objects in it to judge by
MIN_IDS = 32  # classes may be speckled all over a picture, but they are fewer
MIN_UNLIKE = 0.2  # of neighbours in objects; 0.08 in the worst of labels, 0.3 in pictures
MAX_PIECES = 8  # of each number
MAX_UNLIKE = 0.6  # of neighbours that differ where objects are hardly larger than a pixel


def check_are_labels(path: Path, labels: LazyArray) -> None:
    """Refuse an intensity image given as labels: its values change from pixel to pixel.

    Parameters
    ----------
    path : Path
        What is refused.
    labels : (..., Y, X) array-like
        The middle of the middle plane is read.
    """
    part = _middle(labels)
    if np.count_nonzero(part) < MIN_PIXELS:
        return
    unlike, numbers = _unlike(part), np.unique(part)
    ids = int((numbers != 0).sum())
    if ids < MIN_IDS or unlike < MIN_UNLIKE:
        return
    from skimage.measure import label

    pieces = int(label(np.searchsorted(numbers, part), connectivity=1, background=-1).max())
    if unlike > MAX_UNLIKE or pieces > MAX_PIECES * ids:
        raise InputError(
            f"{path} is a picture of brightness and not of labels: {ids} numbers lie in {pieces} "
            "pieces there, where each object should have a number and few pieces; give the labels, "
            "or make them with `napari-sam segment`"
        )


def _middle(labels: LazyArray) -> Array:
    *planes, height, width = labels.shape
    top, left = (max(0, (side - CROP_SIDE) // 2) for side in (height, width))
    index = (
        *(count // 2 for count in planes),
        slice(top, top + CROP_SIDE),
        slice(left, left + CROP_SIDE),
    )
    return np.asarray(labels[index])


def _unlike(part: Array) -> float:
    """Return how many of the neighbours that both belong to objects are not of the same."""
    both = differ = 0
    for one, other in ((part[1:], part[:-1]), (part[:, 1:], part[:, :-1])):
        inside = (one != 0) & (other != 0)
        both += int(inside.sum())
        differ += int((inside & (one != other)).sum())
    return differ / max(both, int(np.count_nonzero(part)), 1)  # points have few neighbours
