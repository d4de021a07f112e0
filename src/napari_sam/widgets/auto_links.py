"""The slices of a stack as they are searched, and objects linked through them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sam.inference.linking import link_slices
from napari_sam.io.spacing import Spacing
from napari_sam.results import Proposal
from napari_sam.session.filling import Chosen
from napari_sam.session.target import Plane
from napari_sam.widgets.picture import Picture

__all__ = ["Links", "runs"]


def runs(picture: Picture, seen: Plane) -> tuple[list[list[Plane]], float]:
    """Return all planes that lie like one of them, and how far apart they lie, in pixels.

    Objects go on through z where that is an axis across the planes, else through the last axis;
    so there is one list of planes, in order, for each time point.

    Parameters
    ----------
    picture : Picture
        The stack.
    seen : Plane
        One of its planes.
    """
    fixed = [axis for axis, at in enumerate(seen) if at is not None]
    spacing = Spacing.of(picture.ndim, picture.place())
    usual = spacing.along in fixed
    along = spacing.along if usual else fixed[-1] if fixed else None
    counts = [
        1 if at is None or axis == along else picture.shape[axis] for axis, at in enumerate(seen)
    ]
    found = []
    for place in np.ndindex(*counts):
        first = tuple(None if at is None else i for i, at in zip(place, seen, strict=True))
        line = [first]
        if along is not None:
            line = [(*first[:along], i, *first[along + 1 :]) for i in range(picture.shape[along])]
        found.append(line)
    return found, spacing.anisotropy if usual else 1.0


class Links:
    """Tells which objects of one slice are which of the slices before, slice by slice.

    Parameters
    ----------
    gap : int
        An object that is missed on up to so many slices goes on after them.
    anisotropy : float
        Distance of two slices in pixels.
    """

    def __init__(self, gap: int, anisotropy: float) -> None:
        self._next: NDArray[Any] = np.zeros((0, 0), np.int32)
        self._linked = link_slices(self._slices(), gap=gap, anisotropy=anisotropy)

    def take(self, chosen: Chosen) -> dict[Proposal, int]:
        """Return the number in the stack of each object of the next slice."""
        self._next = chosen.labels
        numbers = np.zeros(len(chosen.kept) + 1, np.int64)
        numbers[chosen.labels] = next(self._linked)
        found = zip(chosen.kept, numbers[1:].tolist(), strict=True)
        return {one: number for one, number in found if number}  # settled ones may have it all

    def _slices(self) -> Iterator[NDArray[Any]]:
        while True:
            yield self._next
