"""Proposals of one search of a plane, without those that match settled objects."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_sam.inference.automatic.selection import Selection, in_what_is_left
from napari_sam.planes import Plane
from napari_sam.results import Proposal
from napari_sam.session.autofill import Chosen, choose
from napari_sam.widgets.search.work import Ways

__all__ = ["SliceProposals"]

INSIDE = 0.5  # share of an object that has to lie in the drawn shapes


class SliceProposals:
    """Proposals of one search, split into new and settled ones.

    Parameters
    ----------
    plane : Plane
        Where.
    ways : Ways
        How it was searched.
    region : (H, W) bool, optional
        Where objects were wanted.
    areas : bool
        Whether these are areas of many objects, of which what is settled is only cut out.

    Attributes
    ----------
    new : list of Proposal
        Those that are not settled; another list after each change.
    mask : (H, W) bool
        Where any of them lies.
    known : int
        How many are settled.
    plane, ways, region
        As given.
    """

    def __init__(
        self,
        plane: Plane,
        ways: Ways,
        region: NDArray[np.bool_] | None = None,
        areas: bool = False,
    ) -> None:
        self.plane = plane
        self.ways = ways
        self.new: list[Proposal] = []
        self.mask = np.zeros((1, 1), bool)
        self.known = 0
        self.region = region
        self._areas = areas
        self._all: list[Proposal] = []
        self._settled: NDArray[np.int64] | None = None

    def take(self, proposals: Sequence[Proposal]) -> None:
        """Replace the proposals by these."""
        self._all = [one for one in proposals if self._is_wanted(one)]
        self._sort_out()

    def add(self, proposals: Sequence[Proposal]) -> None:
        """Add proposals to those that are there."""
        self.take([*self._all, *proposals])

    @property
    def settled(self) -> NDArray[np.int64] | None:
        """Labels (H, W) of what is settled; None while nobody has said."""
        return self._settled

    def settle(self, settled: NDArray[np.int64]) -> None:
        """Set the settled pixels; see `napari_sam.session.autofill.settled`."""
        self._settled = settled
        self._sort_out()

    def chosen(
        self, selection: Selection, among: Sequence[Proposal] | None = None
    ) -> Chosen | None:
        """Return the new proposals that pass a selection; None if there are no new ones.

        `among`: of these of them only.
        """
        of = self.new if among is None else among
        return choose(of, selection, self._settled, self._areas) if self.new else None

    def _sort_out(self) -> None:
        settled = self._settled
        if settled is None or self._areas:
            self.new = list(self._all)
        else:
            self.new = in_what_is_left(self._all, settled)
        self.mask = np.zeros(self.new[0].shape if self.new else (1, 1), bool)
        for one in self.new:
            self.mask[one.box] |= one.patch
        self.known = len(self._all) - len(self.new)

    def _is_wanted(self, one: Proposal) -> bool:
        region = self.region
        return region is None or bool(
            np.count_nonzero(region[one.box][one.patch]) >= INSIDE * one.area
        )
