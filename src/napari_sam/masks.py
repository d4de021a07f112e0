"""A mask as small as it goes: cut to its box, one bit per pixel."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_sam.numbering import ranked

__all__ = ["BitMask", "Patch", "Window", "around", "patches", "slices"]

Window = tuple[int, int, int, int]
"""First row and column, and the row and column behind the last."""


@dataclass(frozen=True)
class BitMask:
    """One object's pixels in one plane, at least one. Made by `BitMask.of`.

    Parameters
    ----------
    shape : (H, W)
        Of the plane.
    window : (r0, c0, r1, c1)
        The bounding box of the pixels.
    bits : bytes
        The box, row by row, eight pixels per byte.

    Examples
    --------
    >>> mask = np.zeros((4, 6), bool)
    >>> mask[1:3, 2:5] = True
    >>> packed = BitMask.of(mask)
    >>> packed.window, packed.pixels
    ((1, 2, 3, 5), 6)
    >>> (packed.full() == mask).all()
    np.True_
    """

    shape: tuple[int, int]
    window: Window
    bits: bytes

    @classmethod
    def of(
        cls,
        mask: NDArray[np.bool_],
        corner: tuple[int, int] = (0, 0),
        shape: tuple[int, int] | None = None,
    ) -> BitMask | None:
        """Pack a mask; None if it is empty.

        Parameters
        ----------
        mask : (h, w) bool
            The pixels, or a part of the plane that holds them all.
        corner : (int, int)
            Row and column in the plane of the first pixel of `mask`.
        shape : (H, W), optional
            Of the plane; that of `mask` where it is left out.
        """
        rows = np.flatnonzero(mask.any(axis=1))
        if len(rows) == 0:
            return None
        top, bottom = int(rows[0]), int(rows[-1]) + 1
        columns = np.flatnonzero(mask[top:bottom].any(axis=0))
        left, right = int(columns[0]), int(columns[-1]) + 1
        height, width = shape or mask.shape
        r, c = corner
        bits = np.packbits(mask[top:bottom, left:right]).tobytes()
        return cls((height, width), (top + r, left + c, bottom + r, right + c), bits)

    @property
    def pixels(self) -> int:
        """How many pixels it has."""
        return int.from_bytes(self.bits).bit_count()

    @property
    def is_tight(self) -> bool:
        """False if no pixel lies on one side of the box, as with pixels that are not there."""
        cut = self.cut()
        return all(bool(side.any()) for side in (cut[0], cut[-1], cut[:, 0], cut[:, -1]))

    def cut(self) -> NDArray[np.bool_]:
        """Return the (h, w) bool mask of the box."""
        r0, c0, r1, c1 = self.window
        size = (r1 - r0, c1 - c0)
        flat = np.unpackbits(np.frombuffer(self.bits, np.uint8), count=size[0] * size[1])
        return flat.reshape(size).view(bool)

    def full(self) -> NDArray[np.bool_]:
        """Return the (H, W) bool mask of the plane."""
        return self.within((0, 0, *self.shape))

    def within(self, window: Window) -> NDArray[np.bool_]:
        """Return the (h, w) bool mask of any window of the plane."""
        mask = np.zeros((window[2] - window[0], window[3] - window[1]), bool)
        self.mark(mask, window, True)
        return mask

    def mark(self, canvas: NDArray[Any], window: Window, value: int) -> None:
        """Set its pixels in an array that holds a window of the plane."""
        common = shared(self.window, window)
        if common is not None:
            canvas[slices(common, window)][self.cut()[slices(common, self.window)]] = value

    def meets(self, window: Window) -> bool:
        """Tell whether its box and the window share a pixel."""
        own = self.window
        return (
            own[0] < window[2] and window[0] < own[2] and own[1] < window[3] and window[1] < own[3]
        )

    def has(self, row: int, column: int) -> bool:
        """Tell whether a pixel belongs to it."""
        return bool(self.within((row, column, row + 1, column + 1))[0, 0])

    def without(self, pixels: NDArray[np.bool_], window: Window) -> BitMask | None:
        """Return what is left when the pixels of a window are taken away."""
        common = shared(self.window, window)
        if common is None:
            return self
        cut = self.cut()
        part, taken = cut[slices(common, self.window)], pixels[slices(common, window)]
        if not (part & taken).any():
            return self
        part &= ~taken
        return BitMask.of(cut, self.window[:2], self.shape)

    def joined(self, other: BitMask) -> BitMask:
        """Return the pixels of both."""
        window = around(self.window, other.window)
        pixels = self.within(window) | other.within(window)
        return BitMask(self.shape, window, np.packbits(pixels).tobytes())


def around(*windows: Window) -> Window:
    """Return the smallest window that holds all of these.

    Examples
    --------
    >>> around((0, 5, 2, 6), (1, 1, 3, 2))
    (0, 1, 3, 6)
    """
    return reduce(
        lambda a, b: (min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])), windows
    )


def shared(a: Window, b: Window) -> Window | None:
    """Return the part that two windows share, or None."""
    r0, c0, r1, c1 = max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])
    return (r0, c0, r1, c1) if r0 < r1 and c0 < c1 else None


def slices(window: Window, within: Window = (0, 0, 0, 0)) -> tuple[slice, slice]:
    """Return the index that takes a window out of a plane, or out of a larger window of it."""
    return (
        slice(window[0] - within[0], window[2] - within[0]),
        slice(window[1] - within[1], window[3] - within[1]),
    )


@dataclass(frozen=True, eq=False)
class Patch:
    """The mask of one object in one slice.

    Parameters
    ----------
    corner : (int, int)
        Row and column of the box's upper left pixel.
    mask : (h, w) bool
        Inside the box; of shape (0, 0) if the object is empty.

    Examples
    --------
    >>> patch = Patch.of(np.array([[0, 0, 0], [0, 1, 1]], bool))
    >>> patch.corner, patch.area, patch.mask.shape
    ((1, 1), 2, (1, 2))
    """

    corner: tuple[int, int]
    mask: NDArray[np.bool_]

    @classmethod
    def of(cls, mask: NDArray[np.bool_]) -> Patch:
        """Cut a mask (H, W) out."""
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        if len(rows) == 0:
            return cls((0, 0), np.zeros((0, 0), bool))
        box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        return cls((int(rows[0]), int(columns[0])), mask[box].copy())

    @property
    def area(self) -> int:
        """Number of pixels."""
        return int(np.count_nonzero(self.mask))

    @property
    def box(self) -> tuple[slice, slice]:
        """Where the patch lies in its slice."""
        (row, column), (height, width) = self.corner, self.mask.shape
        return np.s_[row : row + height, column : column + width]

    def whole(self, shape: tuple[int, int]) -> NDArray[np.bool_]:
        """Return the mask in a slice of shape (H, W)."""
        mask = np.zeros(shape, bool)
        mask[self.box] = self.mask
        return mask

    def among(self, labels: NDArray[Any], id_: int) -> Patch:
        """Return the part of the object that no other one holds in the labels (H, W)."""
        mine = Patch.of(self.mask & np.isin(labels[self.box], (0, id_)))
        return Patch((self.corner[0] + mine.corner[0], self.corner[1] + mine.corner[1]), mine.mask)

    def touches_edge(self, shape: tuple[int, int]) -> bool:
        """Tell whether the object reaches the border of a slice of shape (H, W)."""
        ends = np.add(self.corner, self.mask.shape)
        return self.area > 0 and bool(min(self.corner) == 0 or (ends == shape).any())

    def overlap(self, other: Patch) -> float:
        """Return the IoU with another patch; two empty ones are the same."""
        low = np.maximum(self.corner, other.corner)
        high = np.minimum(
            np.add(self.corner, self.mask.shape), np.add(other.corner, other.mask.shape)
        )
        both = 0
        if (high > low).all():
            mine, theirs = (
                patch.mask[tuple(map(slice, low - patch.corner, high - patch.corner))]
                for patch in (self, other)
            )
            both = int(np.count_nonzero(mine & theirs))
        either = self.area + other.area - both
        return both / either if either else 1.0


def patches(labels: NDArray[Any]) -> dict[int, Patch]:
    """Return every object of a slice (H, W) of whole numbers, in the order of ids.

    Raises
    ------
    InputError
        If they are no whole numbers from 0 on.

    Examples
    --------
    >>> found = patches(np.array([[7, 7, 0], [0, 300, 300]]))
    >>> {id: patch.corner for id, patch in found.items()}
    {7: (0, 0), 300: (1, 1)}
    """
    ids, ranks = ranked(labels)
    return {
        id_: Patch((box[0].start, box[1].start), ranks[box] == rank)
        for rank, (id_, box) in enumerate(
            zip(ids.tolist(), ndimage.find_objects(ranks), strict=True), 1
        )
        if box is not None
    }
