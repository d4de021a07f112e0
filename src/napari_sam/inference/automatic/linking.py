"""Link labels of slices into objects of a stack, or tracks in time. No torch here."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import linear_sum_assignment
from scipy.sparse.csgraph import connected_components

from napari_sam.arrays import Array, Labels, plain
from napari_sam.errors import InputError

__all__ = ["GAP", "OVERLAP", "link_by", "link_slices"]

OVERLAP, GAP = 0.2, 1  # measured, like what distance and gap change: see benchmarks/linking.py
MAX_ID = np.iinfo(np.int32).max

Ids = NDArray[np.int64]


def link_slices(
    slices: Iterable[Labels],
    *,
    overlap: float = OVERLAP,
    gap: int = GAP,
    anisotropy: float = 1.0,
) -> Iterator[NDArray[np.int32]]:
    """Link objects of neighbouring slices that overlap, by giving them the same id.

    Each object goes on in at most one object of the next slice, and each comes from at most one:
    of all such pairings the one whose IoUs have the largest sum. The others end or begin. Slices
    are taken one at a time, and no more than the last ``gap + 1`` are kept.

    Parameters
    ----------
    slices : iterable of (Y, X) int
        Labels of one slice after the other, through z or time; zero is background, and ids mean
        nothing beyond their slice.
    overlap : float
        Lowest IoU, above 0, of one object on two slices that lie a pixel apart, or less. Where
        they lie d pixels apart it is ``overlap / sqrt(d)``: less of an object is seen again. For
        each slice on which it was missed half as much is asked for in addition, because the two
        are more likely to be two objects.
    gap : int
        An object that is missed on up to so many slices goes on after them. It stays missing
        there: nothing is filled in.
    anisotropy : float
        Distance of two slices, d, in pixels. Leave it at 1 in time.

    Yields
    ------
    (Y, X) int32
        The same objects with ids of the whole stack: from 1 on without gaps, in the order in
        which objects begin.

    Raises
    ------
    InputError
        If a setting makes no sense, or if a slice holds anything but whole numbers from 0 on or
        has another shape than those before.

    Examples
    --------
    >>> stack = np.array([[[4, 4, 0, 9]], [[1, 1, 0, 0]], [[3, 3, 0, 8]]])
    >>> print(np.stack(list(link_slices(stack)))[:, 0])
    [[1 1 0 2]
     [1 1 0 0]
     [1 1 0 2]]
    >>> print(np.stack(list(link_slices(stack, gap=0)))[:, 0])
    [[1 1 0 2]
     [1 1 0 0]
     [1 1 0 3]]
    """
    if not 0 < overlap <= 1:
        raise InputError(f"overlap must be above 0 and at most 1; got {overlap}")
    if gap < 0:
        raise InputError(f"gap must be a number of slices, 0 or more; got {gap}")
    if not 0 < anisotropy < math.inf:
        raise InputError(f"anisotropy must be a finite number above 0; got {anisotropy}")
    asked = overlap / math.sqrt(max(anisotropy, 1.0))
    return link_by(slices, [min(1.0, asked * (1 + missed / 2)) for missed in range(gap + 1)])


def link_by(slices: Iterable[Labels], lowest: Sequence[float]) -> Iterator[NDArray[np.int32]]:
    """Link slices as `link_slices` does, given the lowest IoU after 0, 1, 2 ... missed slices."""
    before: deque[_LinkedSlice] = deque(maxlen=len(lowest))  # the nearest first
    last = 0
    for index, labels in enumerate(slices):
        here = _LinkedSlice.of(labels, index)
        if before and before[0].ranks.shape != here.ranks.shape:
            raise InputError(
                f"slice {index} has the shape {here.ranks.shape}, those before have "
                f"{before[0].ranks.shape}"
            )
        _link(before, here, lowest)
        new = 1 + np.flatnonzero(here.ids[1:] == 0)
        here.ids[new] = np.arange(last + 1, last + 1 + len(new))
        last += len(new)
        if last > MAX_ID:
            raise InputError(f"slice {index}: there are more than {MAX_ID} objects")
        before.appendleft(here)
        yield here.ids.astype(np.int32)[here.ranks]


@dataclass(frozen=True, eq=False)
class _LinkedSlice:
    """Objects of one slice, numbered from 1."""

    ranks: NDArray[np.int32]  # (Y, X), which object each pixel belongs to, 0 is background
    ids: Ids  # (n + 1,) of the stack, by rank; 0 for those that are seen again on a later slice
    areas: NDArray[np.int64]  # (n + 1,)

    @classmethod
    def of(cls, labels: Labels, index: int) -> _LinkedSlice:
        """Give ranks in the order of the labels; no object has an id yet."""
        labels = plain(labels, f"slice {index}")
        if labels.ndim != 2 or labels.dtype.kind not in "iu":
            raise InputError(
                f"slice {index} must be labels (Y, X) of whole numbers; got "
                f"{labels.dtype} of shape {labels.shape}"
            )
        values, places = np.unique(labels, return_inverse=True)
        if len(values) and values[0] < 0:
            raise InputError(f"labels must be 0 or more; slice {index} holds {values[0]}")
        ranks: Array = places.reshape(labels.shape) + int(values[:1].any())
        areas = np.bincount(ranks.ravel(), minlength=1)
        return cls(ranks.astype(np.int32), np.zeros(len(areas), np.int64), areas)

    def overlaps(self, other: _LinkedSlice) -> tuple[Ids, Ids, NDArray[np.float64]]:
        """Return ranks here, ranks there and IoU of all objects that share pixels."""
        both = (self.ranks > 0) & (other.ranks > 0)
        here, there = self.ranks[both], other.ranks[both]
        shape = len(self.areas), len(other.areas)
        shared = sparse.coo_array((np.ones(len(here), np.int64), (here, there)), shape)
        shared.sum_duplicates()
        a, b = shared.coords
        return a, b, shared.data / (self.areas[a] + other.areas[b] - shared.data)


def _link(before: Iterable[_LinkedSlice], here: _LinkedSlice, lowest: Sequence[float]) -> None:
    """Hand the ids of objects before on to the objects here in which they go on, one to one."""
    found = [(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))]
    for one, asked in zip(before, lowest, strict=False):  # the first slices have few before them
        was, is_, overlaps = one.overlaps(here)
        may = (overlaps >= asked) & (one.ids[was] > 0)
        found.append((one.ids[was[may]], is_[may], overlaps[may]))
    ids, ranks, overlaps = map(np.concatenate, zip(*found, strict=True))
    chosen = _one_to_one(ids, ranks, overlaps)
    here.ids[ranks[chosen]] = ids[chosen]
    for one in before:
        one.ids[np.isin(one.ids, ids[chosen])] = 0


def _one_to_one(rows: Ids, columns: Ids, weights: NDArray[np.float64]) -> list[int]:
    """Choose of pairs (row, column, weight above 0) those of the largest sum, each used once.

    Only pairs that compete, by way of others or not, are weighed against each other, so that
    time does not grow with the square of all objects.
    """
    _, rows = np.unique(rows, return_inverse=True)
    _, columns = np.unique(columns, return_inverse=True)
    if len(rows) == 0:
        return []
    columns = columns + rows.max() + 1
    size = int(columns.max()) + 1
    graph = sparse.coo_array((weights, (rows, columns)), (size, size))
    group = connected_components(graph, directed=False)[1][rows]
    order = np.argsort(group, kind="stable")
    chosen: list[int] = []
    for rivals in np.split(order, 1 + np.flatnonzero(np.diff(group[order]))):
        _, r = np.unique(rows[rivals], return_inverse=True)
        _, c = np.unique(columns[rivals], return_inverse=True)
        pair = np.full((r.max() + 1, c.max() + 1), -1)
        gain = np.zeros(pair.shape)
        pair[r, c], gain[r, c] = rivals, weights[rivals]
        taken = pair[linear_sum_assignment(gain, maximize=True)]
        chosen += taken[taken >= 0].tolist()
    return chosen
