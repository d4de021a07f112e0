"""Writing an object into labels that already hold others: the overlap rules, and taking it back."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sam.errors import InputError
from napari_sam.session.target import Plane, Target

__all__ = ["Change", "Rule", "overlapped", "write_object"]


class Rule(Enum):
    """Who keeps the pixels where a new object meets those already there."""

    KEEP = "keep"
    REPLACE = "replace"


@dataclass(frozen=True, eq=False)
class Change:
    """What one accepted object changed in the labels.

    Parameters
    ----------
    target : Target
        The labels.
    plane : Plane
        Where in them.
    corner : (int, int)
        First row and column of `mask`.
    mask : (h, w) bool
        The pixels that were changed, cut to their bounding box.
    before : (N,) int
        What they held.
    object_id : int
        What they hold now.
    """

    target: Target
    plane: Plane
    corner: tuple[int, int]
    mask: NDArray[np.bool_]
    before: NDArray[np.integer[Any]]
    object_id: int

    @property
    def pixels(self) -> int:
        """How many pixels were changed."""
        return len(self.before)

    def undo(self) -> None:
        """Give the pixels back, but for those that somebody has changed since."""
        rows, columns, now = self._now()
        self._write(rows, columns, self.before, where=now == self.object_id)

    def redo(self) -> None:
        """Write the object again, but not over what somebody has changed since."""
        rows, columns, now = self._now()
        values = np.full_like(self.before, self.object_id)
        self._write(rows, columns, values, where=now == self.before)

    def _now(self) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.integer[Any]]]:
        rows, columns = np.nonzero(self.mask)
        rows, columns = rows + self.corner[0], columns + self.corner[1]
        return rows, columns, self.target.read(self.plane)[rows, columns]

    def _write(
        self,
        rows: NDArray[np.intp],
        columns: NDArray[np.intp],
        values: NDArray[np.integer[Any]],
        where: NDArray[np.bool_],
    ) -> None:
        self.target.write(self.plane, rows[where], columns[where], values[where])


def overlapped(existing: NDArray[np.integer[Any]], mask: NDArray[np.bool_]) -> dict[int, int]:
    """Count the pixels of each object that a new one would meet.

    Parameters
    ----------
    existing : (H, W) int
        Labels, zero for background.
    mask : (H, W) bool
        The new object.

    Returns
    -------
    dict of int to int
        Object id to number of shared pixels.

    Examples
    --------
    >>> overlapped(np.array([[0, 2], [2, 3]]), np.array([[True, True], [True, False]]))
    {2: 2}
    """
    met = existing[mask]
    ids, counts = np.unique(met[met != 0], return_counts=True)
    return dict(zip(ids.tolist(), counts.tolist(), strict=True))


def write_object(
    target: Target, plane: Plane, mask: NDArray[np.bool_], object_id: int, rule: Rule
) -> Change:
    """Write one object; no pixel outside its mask changes.

    Parameters
    ----------
    target : Target
        The labels.
    plane : Plane
        Where in them.
    mask : (H, W) bool
        The new object.
    object_id : int
        Its id.
    rule : Rule
        Who keeps the pixels of other objects.

    Returns
    -------
    Change
        What was written, to be taken back with `Change.undo`.

    Raises
    ------
    InputError
        If the id does not fit the labels' dtype or no pixel is left to write.
    """
    largest = int(np.iinfo(target.dtype).max)
    if object_id > largest:
        raise InputError(
            f"object {object_id} does not fit into {target.dtype} labels, whose largest id is "
            f"{largest}; choose a new Labels layer to go on"
        )
    if not mask.any():
        raise InputError("the mask is empty; add a point or a box on the object")
    existing = target.read(plane)
    free = mask & (existing == 0) if rule is Rule.KEEP else mask
    if not free.any():
        others = ", ".join(map(str, overlapped(existing, mask)))
        raise InputError(
            f"every pixel of this mask already belongs to object {others}; "
            "choose to replace existing objects, or reject the mask"
        )
    rows, columns = np.nonzero(free)
    before = existing[rows, columns]
    target.write(plane, rows, columns, np.full_like(before, object_id))
    top, left = int(rows[0]), int(columns.min())
    cut = free[top : rows[-1] + 1, left : columns.max() + 1].copy()
    return Change(target, plane, (top, left), cut, before, object_id)
