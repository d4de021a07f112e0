"""Masks cut to their bounding boxes, so that many objects on many slices fit in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_sam.numbering import ranked

__all__ = ["Patch", "patches"]


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
