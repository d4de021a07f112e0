"""Planes of a stack in the order in which objects go on, and links of what is found on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from napari_sam.inference.automatic.linking import link_slices
from napari_sam.io.spacing import Spacing
from napari_sam.planes import Plane
from napari_sam.results import Proposal
from napari_sam.session.autofill import Chosen

__all__ = ["SliceLinker", "plane_lines"]


def plane_lines(
    shape: Sequence[int], spacing: Spacing, seen: Plane
) -> tuple[list[list[Plane]], float]:
    """Return the planes parallel to this one, in order along z, and their distance in pixels.

    Objects go on through z where that is an axis across the planes, else through the last axis;
    so there is one list of planes, in order, for each time point.

    Parameters
    ----------
    shape : sequence of int
        Of the picture, without colours.
    spacing : Spacing
        Of its axes.
    seen : Plane
        One of the planes.

    Examples
    --------
    >>> plane_lines((2, 8, 9), Spacing.of(3, {"scale": (3, 1, 1)}), (0, None, None))
    ([[(0, None, None), (1, None, None)]], 3.0)
    """
    fixed = [axis for axis, at in enumerate(seen) if at is not None]
    usual = spacing.along in fixed
    along = spacing.along if usual else fixed[-1] if fixed else None
    counts = [1 if at is None or axis == along else shape[axis] for axis, at in enumerate(seen)]
    lines = []
    for place in np.ndindex(*counts):
        first = tuple(None if at is None else i for i, at in zip(place, seen, strict=True))
        line = [first]
        if along is not None:
            line = [(*first[:along], i, *first[along + 1 :]) for i in range(shape[along])]
        lines.append(line)
    return lines, spacing.anisotropy if usual else 1.0


class SliceLinker:
    """Links objects between slices, one slice after another.

    Parameters
    ----------
    gap : int
        An object that is missed on up to so many slices goes on after them.
    anisotropy : float
        Distance of two slices in pixels.
    """

    def __init__(self, gap: int, anisotropy: float) -> None:
        self._next: NDArray[np.int32] = np.zeros((0, 0), np.int32)
        self._linked = link_slices(self._slices(), gap=gap, anisotropy=anisotropy)

    def take(self, chosen: Chosen) -> dict[Proposal, int]:
        """Return the stack-wide object number of each proposal of the next slice."""
        self._next = chosen.labels
        numbers = np.zeros(len(chosen.kept) + 1, np.int64)
        numbers[chosen.labels] = next(self._linked)
        found = zip(chosen.kept, numbers[1:].tolist(), strict=True)
        return {one: number for one, number in found if number}  # settled ones may have it all

    def _slices(self) -> Iterator[NDArray[np.int32]]:
        while True:
            yield self._next
