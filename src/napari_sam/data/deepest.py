"""Deepest point of a mask, where a person would click, and its bounding box."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_sam.inference.masks import depth
from napari_sam.masks import bounding_box, slices

__all__ = ["bounding_slices", "deepest_point"]


def deepest_point(mask: NDArray[np.bool_]) -> tuple[int, int]:
    """Return the pixel (row, column) farthest from the outline; image borders count as outline.

    Examples
    --------
    >>> deepest_point(np.ones((5, 7), bool))
    (2, 2)
    """
    box = bounding_slices(mask)
    distance = depth(mask[box])
    row, column = np.unravel_index(distance.argmax(), distance.shape)
    return int(row) + box[0].start, int(column) + box[1].start


def bounding_slices(mask: NDArray[np.bool_]) -> tuple[slice, slice]:
    """Return the row and column slices of a mask's bounding box; the mask must not be empty."""
    box = bounding_box(mask)
    assert box is not None
    return slices(box)
