"""Part of a plane's labels that holds what goes on from a place; all of it, if in memory."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from napari_sam.arrays import LazyArray
from napari_sam.errors import InputError
from napari_sam.masks import Box, grown, slices
from napari_sam.session.objects import LabelArray

__all__ = ["LabelWindow", "surroundings"]

STEP = 256  # pixels by which the first look goes beyond the place
MOST = 2**28  # pixels that are looked at


@dataclass(frozen=True, eq=False)
class LabelWindow:
    """Labels of a part of a plane.

    Parameters
    ----------
    shape : (H, W)
        Of the plane.
    box : Box
        The part.
    pixels : (h, w) int
        Its labels.
    """

    shape: tuple[int, int]
    box: Box
    pixels: LabelArray


def surroundings(
    labels: LazyArray, values: Collection[int] | None = None, near: Box | None = None
) -> LabelWindow:
    """Return the part of a plane that holds labels near a place; of an array all of it.

    The part grows as long as these labels run out of it.

    Parameters
    ----------
    labels : (H, W) array-like of int
        The plane; of one that is no array only windows are read.
    values : collection of int, optional
        The labels; None: any but 0.
    near : Box, optional
        Where to begin; None: the whole plane is read.

    Raises
    ------
    InputError
        If they reach too far to be held.

    Examples
    --------
    >>> surroundings(np.eye(3, dtype=int), [1], (0, 0, 1, 1)).box
    (0, 0, 3, 3)
    """
    height, width = labels.shape
    shape = (height, width)
    box: Box = (0, 0, *shape)
    if near is not None and not isinstance(labels, np.ndarray):
        box = grown(near, STEP, shape)
    while True:
        if (box[2] - box[0]) * (box[3] - box[1]) > MOST:
            raise InputError(
                f"labels of {box[2] - box[0]:,} x {box[3] - box[1]:,} pixels would have to be read "
                "for one object; is that the background? Its number must be 0"
            )
        pixels = np.asarray(labels[slices(box)])
        wider = _wider(box, pixels, values, shape)
        if wider == box:
            return LabelWindow(shape, box, pixels)
        box = wider


def _wider(
    box: Box, pixels: LabelArray, values: Collection[int] | None, shape: tuple[int, int]
) -> Box:
    """Return the box, twice as far on the sides at which labels run out of it."""
    sides = pixels[0], pixels[:, 0], pixels[-1], pixels[:, -1]
    hit = [
        bool(side.any() if values is None else np.isin(side, list(values)).any()) for side in sides
    ]
    more = max(STEP, *pixels.shape)
    top, left, bottom, right = (
        at + sign * more * out for at, sign, out in zip(box, (-1, -1, 1, 1), hit, strict=True)
    )
    return max(0, top), max(0, left), min(shape[0], bottom), min(shape[1], right)
