"""Coarser levels of pictures: where their pixels lie in the finest one. Numpy only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from napari_sam.arrays import Array, LazyArray
from napari_sam.masks import Box, slices

__all__ = [
    "CoarserLevel",
    "coarser_levels",
    "fitting_level",
    "sampled",
    "usual_first",
    "usual_steps",
]

MARGIN = 2  # steps of the result around a part: what its outermost pixels are made of, too

Edges = tuple[float, float, float, float]
"""Top, left, bottom and right edge of a box, in pixels from the outer edge of the first one."""


@dataclass(frozen=True)
class CoarserLevel:
    """One coarser level of a picture, and where its pixels lie in the finest level.

    Parameters
    ----------
    pixels : array-like
        The level, with the axes of the picture, then its colours.
    steps : tuple of float
        Pixels of the finest level from one pixel's centre to the next, for each axis but colours.
    first : tuple of float
        Where the centre of the first pixel lies, in pixels of the finest level.

    Examples
    --------
    >>> level = CoarserLevel(np.arange(6).reshape(2, 3), (2.0, 2.0), (0.5, 0.5))
    >>> pixels, edges = level.part((0, 2, 4, 6), 2)  # with two pixels on each side
    >>> pixels.shape, edges
    ((6, 6), (2.0, 2.0, 4.0, 4.0))
    """

    pixels: LazyArray
    steps: tuple[float, ...]
    first: tuple[float, ...]

    def plane(self, index: Sequence[int], plane: LazyArray) -> CoarserLevel | None:
        """Return a plane of the level; None if it shows other planes along any axis.

        Parameters
        ----------
        index : sequence of int
            Along the axes before rows and columns.
        plane : array-like
            (h, w) or (h, w, C): that plane of the pixels.
        """
        count = len(index)
        same = self.steps[:count] == (1.0,) * count and self.first[:count] == (0.0,) * count
        return CoarserLevel(plane, self.steps[count:], self.first[count:]) if same else None

    def part(self, box: Box, factor: int) -> tuple[Array, Edges]:
        """Read what shows a box of the finest level, and a margin.

        Parameters
        ----------
        box : Box
            Rows and columns of the finest level, perhaps beyond its far borders.
        factor : int
            Pixels of the finest level along one of those that are made of the part.

        Returns
        -------
        (h, w) or (h, w, C) ndarray
            Filled up with the pixels at the border where the level ends.
        Edges
            Where the box lies in it.
        """
        steps, first = np.array(self.steps), np.array(self.first)
        edges = (np.reshape(box, (2, 2)) - 0.5 - first) / steps + 0.5
        margin = np.ceil(MARGIN * factor / steps)
        low, high = np.floor(edges[0] - margin), np.ceil(edges[1] + margin)
        sizes = np.array(self.pixels.shape[:2])
        inner = np.clip([low, high], [[0, 0], [1, 1]], [sizes - 1, sizes]).astype(int)
        top, left, bottom, right = inner.ravel().tolist()
        pixels = np.asarray(self.pixels[slices((top, left, bottom, right))])
        lacking = np.maximum(0, [inner[0] - low, high - inner[1]]).astype(int)
        around = [*zip(*lacking.tolist(), strict=True), *[(0, 0)] * (pixels.ndim - 2)]
        y0, x0, y1, x1 = (edges - (inner[0] - lacking[0])).ravel().tolist()
        return np.pad(pixels, around, mode="edge"), (y0, x0, y1, x1)

    def nearest(self, *places: range) -> Array:
        """Read the pixels that are nearest to rows and columns of the finest level."""
        sides = zip(places, self.steps, self.first, self.pixels.shape, strict=False)
        rows, columns = (
            np.clip(np.rint((np.asarray(at) - first) / step), 0, size - 1).astype(int)
            for at, step, first, size in sides
        )
        box = int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1
        pixels = np.asarray(self.pixels[slices(box)])
        return pixels[np.ix_(rows - rows[0], columns - columns[0])]


def coarser_levels(image: object) -> Sequence[CoarserLevel]:
    """Return the coarser levels that a picture has, finest first; none of a plain array."""
    levels: Sequence[CoarserLevel] = getattr(image, "coarser", ())
    return levels


def fitting_level(image: object, factor: int) -> CoarserLevel | None:
    """Return the coarsest level of a plane that still has a pixel for every `factor` pixels.

    Examples
    --------
    >>> fitting_level(np.zeros((4, 4)), 2) is None
    True
    """
    fitting = [one for one in coarser_levels(image) if max(one.steps) <= factor * (1 + 1e-6)]
    return max(fitting, key=lambda one: max(one.steps), default=None)


def sampled(image: LazyArray, rows: slice, columns: slice) -> Array:
    """Return every so manieth pixel of a plane, from a coarser level that has one for each.

    Examples
    --------
    >>> sampled(np.arange(16).reshape(4, 4), slice(0, 4, 2), slice(1, 4, 2)).tolist()
    [[1, 3], [9, 11]]
    """
    places = [range(n)[at] for n, at in zip(image.shape, (rows, columns), strict=False)]
    level = fitting_level(image, min(at.step for at in places))
    return np.asarray(image[rows, columns]) if level is None else level.nearest(*places)


def usual_steps(finest: Sequence[int], coarse: Sequence[int]) -> tuple[float, ...]:
    """Return the steps of a level of which only the shape is known.

    Whole numbers where the shape can be that of blocks of so many pixels, the last of them left out
    or not whole.

    Examples
    --------
    >>> usual_steps((30, 5001, 5001), (30, 2500, 1251))
    (1.0, 2.0, 4.0)
    """
    return tuple(_step(n, m) for n, m in zip(finest, coarse, strict=True))


def usual_first(steps: Sequence[float]) -> tuple[float, ...]:
    """Return where the first centre lies if each pixel shows the block that it stands for.

    Examples
    --------
    >>> usual_first((1.0, 2.0, 4.0))
    (0.0, 0.5, 1.5)
    """
    return tuple((step - 1) / 2 for step in steps)


def _step(finest: int, coarse: int) -> float:
    whole = max(1, round(finest / coarse))
    fits = finest // whole <= coarse <= -(-finest // whole)
    return float(whole) if fits else finest / coarse
