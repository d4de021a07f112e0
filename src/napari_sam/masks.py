"""Masks cropped to their bounding box, one bit per pixel, and operations on boxes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray
from scipy import ndimage

from napari_sam.arrays import Array, Labels
from napari_sam.numbering import ranked

__all__ = [
    "MAX_WHOLE",
    "Box",
    "CroppedMask",
    "PlaneMask",
    "WindowMask",
    "bounding_box",
    "cropped_masks",
    "empty_mask",
    "enclosing",
    "grown",
    "intersection",
    "is_remainder",
    "pixels_of",
    "shifted",
    "slices",
    "tiles_of",
    "without_slivers",
]

MAX_WHOLE = 2**22  # pixels of a plane up to which its masks are held whole
MIN_LEFT = 0.5  # share of a mask that others must leave to it: a rest of less is no object

Box = tuple[int, int, int, int]
"""First row and column, and the row and column behind the last."""


class WindowMask:
    """Mask (H, W) of a large plane of which only a window is held; elsewhere it is empty.

    Indexed by rows and columns it gives an array of that part; `np.asarray` gives the whole, which
    may be more than memory has.

    Parameters
    ----------
    shape : (H, W)
        Of the plane.
    corner : (int, int)
        Row and column of the window.
    part : (h, w) bool
        The window.

    Examples
    --------
    >>> mask = WindowMask((10**6, 10**6), (500, 700), np.ones((2, 3), bool))
    >>> mask[499:502, 702:704].tolist(), bool(mask[500, 700]), mask.any(), bounding_box(mask)
    ([[False, False], [True, False], [True, False]], True, True, (500, 700, 502, 703))
    """

    dtype = np.dtype(bool)
    ndim = 2

    def __init__(
        self, shape: tuple[int, int], corner: tuple[int, int], part: NDArray[np.bool_]
    ) -> None:
        self.shape, self.corner, self.part = shape, corner, part

    def __getitem__(self, index: Any) -> NDArray[np.bool_]:
        given = index if isinstance(index, tuple) else (index,)
        both = (*given, slice(None), slice(None))[:2]
        places = [
            np.arange(n)[at] if isinstance(at, slice) else np.array([at % n])
            for at, n in zip(both, self.shape, strict=True)
        ]
        found = np.zeros([len(at) for at in places], bool)
        inner = [at - start for at, start in zip(places, self.corner, strict=True)]
        there = [
            np.flatnonzero((at >= 0) & (at < n))
            for at, n in zip(inner, self.part.shape, strict=True)
        ]
        rows, columns = (at[some] for at, some in zip(inner, there, strict=True))
        found[np.ix_(*there)] = self.part[np.ix_(rows, columns)]
        squeezed: NDArray[np.bool_] = found[
            tuple(slice(None) if isinstance(at, slice) else 0 for at in both)
        ]
        return squeezed

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> Array:
        whole = np.zeros(self.shape, bool)  # untouched zeros take no memory
        (top, left), (height, width) = self.corner, self.part.shape
        whole[top : top + height, left : left + width] = self.part
        return whole if dtype is None else whole.astype(dtype)

    def any(self) -> bool:
        """Return whether it has any pixel."""
        return bool(self.part.any())

    def sum(self) -> int:
        """Return how many pixels it has."""
        return int(np.count_nonzero(self.part))


PlaneMask = NDArray[np.bool_] | WindowMask
"""A mask of a plane (H, W); of a large one only a window is held."""


def bounding_box(mask: PlaneMask) -> Box | None:
    """Return the bounding box of a mask (H, W), or None if it is empty.

    Examples
    --------
    >>> bounding_box(np.array([[0, 0, 0], [0, 1, 1]], bool))
    (1, 1, 2, 3)
    """
    if isinstance(mask, WindowMask):
        box = bounding_box(mask.part)
        return None if box is None else shifted(box, *mask.corner)
    rows = np.flatnonzero(mask.any(axis=1))
    if len(rows) == 0:
        return None
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    columns = np.flatnonzero(mask[top:bottom].any(axis=0))
    return top, int(columns[0]), bottom, int(columns[-1]) + 1


def enclosing(*boxes: Box) -> Box:
    """Return the smallest box that contains all given boxes.

    Examples
    --------
    >>> enclosing((0, 5, 2, 6), (1, 1, 3, 2))
    (0, 1, 3, 6)
    """
    tops, lefts, bottoms, rights = zip(*boxes, strict=True)
    return min(tops), min(lefts), max(bottoms), max(rights)


def intersection(a: Box, b: Box) -> Box | None:
    """Return the intersection of two boxes, or None if they do not overlap."""
    r0, c0, r1, c1 = max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])
    return (r0, c0, r1, c1) if r0 < r1 and c0 < c1 else None


def shifted(box: Box, rows: int, columns: int) -> Box:
    """Return a box moved by a number of rows and columns."""
    return box[0] + rows, box[1] + columns, box[2] + rows, box[3] + columns


def grown(box: Box, margin: int, shape: tuple[int, int]) -> Box:
    """Return a box enlarged by a margin on all sides, clipped to the plane (H, W)."""
    top, left = max(0, box[0] - margin), max(0, box[1] - margin)
    return top, left, min(shape[0], box[2] + margin), min(shape[1], box[3] + margin)


def slices(box: Box, within: Box = (0, 0, 0, 0)) -> tuple[slice, slice]:
    """Return the slices that index a box in a plane, or in a larger box of it."""
    return (
        slice(box[0] - within[0], box[2] - within[0]),
        slice(box[1] - within[1], box[3] - within[1]),
    )


@dataclass(frozen=True)
class CroppedMask:
    """Non-empty mask of one object in one plane, cropped and packed. Made by `CroppedMask.of`.

    Parameters
    ----------
    shape : (H, W)
        Of the plane.
    box : (r0, c0, r1, c1)
        The bounding box of the pixels.
    bits : bytes
        The box, row by row, eight pixels per byte.

    Examples
    --------
    >>> mask = np.zeros((4, 6), bool)
    >>> mask[1:3, 2:5] = True
    >>> cropped = CroppedMask.of(mask)
    >>> cropped.box, cropped.area
    ((1, 2, 3, 5), 6)
    >>> (cropped.full() == mask).all()
    np.True_
    """

    shape: tuple[int, int]
    box: Box
    bits: bytes

    @classmethod
    def of(
        cls,
        mask: PlaneMask,
        corner: tuple[int, int] = (0, 0),
        shape: tuple[int, int] | None = None,
    ) -> CroppedMask | None:
        """Crop a mask to its bounding box and pack it; return None if it is empty.

        Parameters
        ----------
        mask : (h, w) bool
            The pixels, or a part of the plane that holds them all.
        corner : (int, int)
            Row and column in the plane of the first pixel of `mask`.
        shape : (H, W), optional
            Of the plane; that of `mask` where it is left out.
        """
        box = bounding_box(mask)
        if box is None:
            return None
        height, width = shape or mask.shape
        bits = np.packbits(mask[slices(box)]).tobytes()
        return cls((height, width), shifted(box, *corner), bits)

    @property
    def corner(self) -> tuple[int, int]:
        """Row and column of the box's upper left pixel."""
        return self.box[:2]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the box."""
        return self.box[2] - self.box[0], self.box[3] - self.box[1]

    @property
    def area(self) -> int:
        """Area in pixels."""
        return int.from_bytes(self.bits).bit_count()

    @property
    def is_tight(self) -> bool:
        """Whether the mask has a pixel on every side of the box, as it must in a bounding box."""
        crop = self.crop()
        return all(bool(side.any()) for side in (crop[0], crop[-1], crop[:, 0], crop[:, -1]))

    @property
    def touches_edge(self) -> bool:
        """Whether the mask touches the border of the plane."""
        top, left, bottom, right = self.box
        return top == 0 or left == 0 or bottom == self.shape[0] or right == self.shape[1]

    def crop(self) -> NDArray[np.bool_]:
        """Return the mask inside its box, (h, w) bool."""
        height, width = self.size
        flat = np.unpackbits(np.frombuffer(self.bits, np.uint8), count=height * width)
        return flat.reshape(height, width).view(bool)

    def full(self) -> NDArray[np.bool_]:
        """Return the mask of the whole plane, (H, W) bool."""
        return self.within((0, 0, *self.shape))

    def plane(self) -> PlaneMask:
        """Return the mask of the whole plane, of which only the box is held if it is large."""
        if self.shape[0] * self.shape[1] <= MAX_WHOLE:
            return self.full()
        return WindowMask(self.shape, self.corner, self.crop())

    def within(self, box: Box) -> NDArray[np.bool_]:
        """Return the mask inside any box of the plane, (h, w) bool."""
        mask = np.zeros((box[2] - box[0], box[3] - box[1]), bool)
        self.mark(mask, box, True)
        return mask

    def mark(self, canvas: Array, box: Box, value: int) -> None:
        """Set the mask's pixels to a value in an array that holds a box of the plane."""
        common = intersection(self.box, box)
        if common is not None:
            canvas[slices(common, box)][self.crop()[slices(common, self.box)]] = value

    def meets(self, box: Box) -> bool:
        """Return whether the mask's box and another one overlap."""
        r0, c0, r1, c1 = self.box
        return r0 < box[2] and box[0] < r1 and c0 < box[3] and box[1] < c1

    def has(self, row: int, column: int) -> bool:
        """Return whether a pixel belongs to the mask."""
        return bool(self.within((row, column, row + 1, column + 1))[0, 0])

    def common(self, other: CroppedMask) -> int:
        """Return the area of the intersection with another mask of the plane."""
        box = intersection(self.box, other.box)
        if box is None:
            return 0
        mine, theirs = (one.crop()[slices(box, one.box)] for one in (self, other))
        return int(np.count_nonzero(mine & theirs))

    def iou(self, other: CroppedMask) -> float:
        """Return the intersection over union with another mask of the plane."""
        common = self.common(other)
        return common / (self.area + other.area - common)

    def without(self, pixels: NDArray[np.bool_], box: Box) -> CroppedMask | None:
        """Return the mask without the pixels of a box; None if nothing is left."""
        common = intersection(self.box, box)
        if common is None:
            return self
        crop = self.crop()
        part, taken = crop[slices(common, self.box)], pixels[slices(common, box)]
        if not (part & taken).any():
            return self
        part &= ~taken
        return CroppedMask.of(crop, self.corner, self.shape)

    def among(self, labels: Labels, id_: int) -> CroppedMask | None:
        """Return the part that overlaps no other object of the labels (H, W), or None."""
        free = np.isin(labels[slices(self.box)], (0, id_))
        return CroppedMask.of(self.crop() & free, self.corner, self.shape)

    def placed(self, corner: tuple[int, int], shape: tuple[int, int]) -> CroppedMask:
        """Return the mask in a plane (H, W) of which its own plane is the part at a corner."""
        return CroppedMask(shape, shifted(self.box, *corner), self.bits)

    def joined(self, other: CroppedMask) -> CroppedMask:
        """Return the union with another mask of the plane."""
        box = enclosing(self.box, other.box)
        pixels = self.within(box) | other.within(box)
        return CroppedMask(self.shape, box, np.packbits(pixels).tobytes())


def empty_mask(shape: tuple[int, int]) -> PlaneMask:
    """Return a mask (H, W) without pixels; of a large plane hardly anything is held."""
    if shape[0] * shape[1] <= MAX_WHOLE:
        return np.zeros(shape, bool)
    return WindowMask(shape, (0, 0), np.zeros((1, 1), bool))


def pixels_of(mask: PlaneMask) -> int:
    """Return how many pixels a mask has."""
    return mask.sum() if isinstance(mask, WindowMask) else int(np.count_nonzero(mask))


def tiles_of(box: Box, side: int) -> Iterator[Box]:
    """Yield the parts of a box that lie in each square of a grid over the plane.

    Examples
    --------
    >>> list(tiles_of((3, 0, 5, 4), 4))
    [(3, 0, 4, 4), (4, 0, 5, 4)]
    """
    rows, columns = (range(box[i] // side, -(-box[i + 2] // side)) for i in (0, 1))
    for row, column in product(rows, columns):
        cell = (row * side, column * side, (row + 1) * side, (column + 1) * side)
        inside = intersection(box, cell)
        if inside is not None:
            yield inside


def cropped_masks(labels: Labels) -> dict[int, CroppedMask]:
    """Return the mask of each object in a slice of labels (H, W), by id, in ascending order.

    Raises
    ------
    InputError
        If they are no whole numbers from 0 on.

    Examples
    --------
    >>> found = cropped_masks(np.array([[7, 7, 0], [0, 300, 300]]))
    >>> {id: mask.box for id, mask in found.items()}
    {7: (0, 0, 1, 2), 300: (1, 1, 2, 3)}
    """
    ids, ranks = ranked(labels)
    return {
        id_: CroppedMask(
            ranks.shape,
            (at[0].start, at[1].start, at[0].stop, at[1].stop),
            np.packbits(ranks[at] == rank).tobytes(),
        )
        for rank, (id_, at) in enumerate(
            zip(ids.tolist(), ndimage.find_objects(ranks), strict=True), 1
        )
        if at is not None
    }


def is_remainder(area: int, left: int) -> bool:
    """Return whether others have left so few pixels of a mask that they are no object.

    Examples
    --------
    >>> is_remainder(100, 50), is_remainder(100, 49)
    (False, True)
    """
    return left < MIN_LEFT * area


def without_slivers(left: NDArray[np.bool_], whole: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return what others have left of a mask, without specks and rings thinner than three pixels.

    A pixel is part of something thicker if a square of three by three pixels that fits into the
    mask holds or touches it. Left out are pixels that were so in the whole mask and no more are:
    what was thin before stays.

    Parameters
    ----------
    left : (h, w) bool
        Pixels of the mask that it keeps.
    whole : (h, w) bool
        The mask before.

    Examples
    --------
    >>> whole = np.ones((7, 9), bool)
    >>> left = whole.copy()
    >>> left[1:6, :5] = False
    >>> without_slivers(left, whole).sum(axis=0)
    array([0, 0, 0, 0, 2, 7, 7, 7, 7])
    """
    if np.array_equal(left, whole):
        return left
    thin = left & ~_thick(left)
    return left & ~(thin & _thick(whole)) if thin.any() else left


def _thick(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return where a square of 3 x 3 that fits into the mask is, or is next to it."""
    height, width = mask.shape
    wide = np.zeros((height + 6, width + 6), bool)
    wide[3:-3, 3:-3] = mask
    rows = wide[:-2] & wide[1:-1] & wide[2:]
    fits = rows[:, :-2] & rows[:, 1:-1] & rows[:, 2:]
    rows = fits[:-4] | fits[1:-3] | fits[2:-2] | fits[3:-1] | fits[4:]
    return rows[:, :-4] | rows[:, 1:-3] | rows[:, 2:-2] | rows[:, 3:-1] | rows[:, 4:]
