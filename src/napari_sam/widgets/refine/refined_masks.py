"""Refined masks that await review, by object."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from napari_sam.masks import CroppedMask
from napari_sam.planes import Plane
from napari_sam.widgets.refine.refined_slice import RefinedSlice

__all__ = ["RefinedMasks", "RefinedRow"]


class RefinedRow(NamedTuple):
    """Summary of one object: slices, lowest score, largest change, number of unchanged masks."""

    id: int
    slices: int
    score: float
    change: float
    kept: int


class RefinedMasks:
    """Collection of refined slices, from which reviewed objects are removed.

    Attributes
    ----------
    slices : list of RefinedSlice
        Each holds an object at least.
    """

    def __init__(self) -> None:
        self.slices: list[RefinedSlice] = []

    def add(self, result: RefinedSlice) -> None:
        """Add a slice, if it has refined objects."""
        if result.found:
            self.slices.append(result)

    @property
    def ids(self) -> list[int]:
        """Ids of the objects that await review, in order."""
        return sorted({id_ for result in self.slices for id_ in result.found})

    def rows(self) -> list[RefinedRow]:
        """Return a summary row for each object."""
        return [self._row(id_) for id_ in self.ids]

    def part(self, ids: Collection[int]) -> list[RefinedSlice]:
        """Return the slices restricted to these objects."""
        parts = (
            one._replace(found={id_: pair for id_, pair in one.found.items() if id_ in ids})
            for one in self.slices
        )
        return [one for one in parts if one.found]

    def drop(self, ids: Collection[int]) -> None:
        """Remove these objects."""
        self.slices = self.part(set(self.ids).difference(ids))

    def on(self, plane: Plane | None, ids: Collection[int]) -> RefinedSlice | None:
        """Return the refined slice of a plane, restricted to these objects if any are given."""
        there = next((one for one in self.slices if one.plane == plane), None)
        if there is None or not ids:
            return there
        found = {id_: pair for id_, pair in there.found.items() if id_ in ids}
        return there._replace(found=found) if found else None

    def most_changed(self, id_: int) -> tuple[Plane, CroppedMask | None]:
        """Return the plane where an object changes most, and its mask there; unsure ones first."""
        pairs = ((one.plane, one.found[id_]) for one in self.slices if id_ in one.found)
        plane, (_, draft) = max(pairs, key=lambda p: (bool(p[1][0].unsure), p[1][0].change))
        return plane, draft.mask

    def _row(self, id_: int) -> RefinedRow:
        found = [one.found[id_][0] for one in self.slices if id_ in one.found]
        return RefinedRow(
            id_,
            len(found),
            min(one.score for one in found),
            max(one.change for one in found),
            sum(bool(one.unsure) for one in found),
        )
