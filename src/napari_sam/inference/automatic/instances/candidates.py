"""Candidates for objects on each scale, as sets of small pieces.

Each level's maps are cut into regions once, and each region by a few thresholds of the foreground
into pieces. A candidate is a node of the regions' tree at one of the thresholds. Whatever is
measured of it is a sum over its pieces, so thousands take hardly longer than a handful.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse

from napari_sam.inference.automatic.instances.regions import find_regions, merge_tree
from napari_sam.inference.automatic.settings import InstanceSettings
from napari_sam.inference.object_maps import LevelMaps

__all__ = ["Candidates", "find_candidates", "nearest", "overlaps"]

SMOOTHING = 1.0  # cells: of the height
FOREGROUNDS = -0.2, 0.0, 0.2  # thresholds, above that of the settings
SPLITS = -0.25, 0.25  # where saddles may or may not cut, above the split of the settings
ENDS = 0.05, 0.95  # no threshold lies outside
LEAST = 4  # cells; fewer are no object
Float = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Candidates:
    """Candidates of one level.

    Parameters
    ----------
    maps : LevelMaps
    pieces : (h, w) int
        Which piece each cell belongs to; 0 outside.
    members : (n, p) sparse
        1 where a piece belongs to a candidate.
    areas : (n,) float
        In cells.
    threshold : (n,) float
        Of the foreground, above that of the settings.
    places : (n, 2) int
        The deepest cell.
    peak, valley, pass_ : (n,) float
        See `Node`.
    parts : (n,) int
        Regions that each is made of.
    """

    maps: LevelMaps
    pieces: NDArray[np.int64]
    members: sparse.csr_matrix
    areas: Float
    threshold: Float
    places: NDArray[np.int64]
    peak: Float
    valley: Float
    pass_: Float
    parts: NDArray[np.int64]

    def only(self, kept: NDArray[np.int64]) -> Candidates:
        """Return some of the candidates."""
        own = ("members", "areas", "threshold", "places", "peak", "valley", "pass_", "parts")
        return replace(self, **{name: getattr(self, name)[kept] for name in own})

    def mask(self, i: int) -> tuple[NDArray[np.bool_], tuple[slice, slice]]:
        """Return the mask of a candidate within a box of cells, and the box; without islands."""
        own = self.members[i].indices
        boxes = [box for box in (self._boxes[piece - 1] for piece in own) if box is not None]
        rows, columns = (
            slice(min(box[axis].start for box in boxes), max(box[axis].stop for box in boxes))
            for axis in (0, 1)
        )
        inside = np.zeros(self.members.shape[1], bool)
        inside[own] = True
        parts, _ = ndimage.label(inside[self.pieces[rows, columns]])
        row, column = self.places[i]
        largest = np.bincount(parts.ravel())[1:].argmax() + 1
        there = rows.start <= row < rows.stop and columns.start <= column < columns.stop
        deepest = parts[row - rows.start, column - columns.start] if there else 0
        return parts == (deepest or largest), (rows, columns)

    @cached_property
    def _boxes(self) -> list[tuple[slice, slice] | None]:
        return list(ndimage.find_objects(self.pieces, self.members.shape[1]))


def find_candidates(maps: LevelMaps, settings: InstanceSettings) -> Candidates:
    """Return all that may be objects on one level: those that the settings name, and around."""
    assert maps.depth is not None
    height = ndimage.gaussian_filter(maps.depth * (1 - maps.boundary / 2), SMOOTHING)
    thresholds = np.clip(np.add(settings.foreground, FOREGROUNDS), *ENDS)
    low, high = np.clip(np.add(settings.split, SPLITS), *ENDS).tolist()
    regions = find_regions(height, maps.foreground > thresholds[0], low)
    nodes = merge_tree(regions, low, high)
    count = len(thresholds)
    above = (maps.foreground[..., None] > thresholds[1:]).sum(axis=2)
    pieces = np.where(regions.labels > 0, 1 + (regions.labels - 1) * count + above, 0)
    width = 1 + (len(regions.peaks) - 1) * count
    sizes = np.bincount(pieces.ravel(), minlength=width)
    rows, columns = _memberships([node.members for node in nodes], count)
    every = sparse.csr_matrix(
        (np.ones(len(rows)), (rows, columns)), shape=(len(nodes) * count, width)
    )
    areas = every @ sizes
    # a higher threshold that takes nothing away is no other candidate
    less = np.diff(areas.reshape(-1, count), axis=1, prepend=np.inf).ravel() < 0
    kept = np.flatnonzero((areas >= LEAST) & less)
    of = [nodes[i] for i in (kept // count).tolist()]
    peaks = np.array([one.peak for one in of], int)
    return Candidates(
        maps,
        pieces,
        every[kept],
        areas[kept],
        thresholds[kept % count] - settings.foreground,
        regions.places[peaks],
        regions.peaks[peaks].astype(float),
        np.array([one.valley for one in of], float),
        np.array([one.pass_ for one in of], float),
        np.array([len(one.members) for one in of], int),
    )


def _memberships(
    members: Sequence[Sequence[int]], count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return of each candidate (a node at one of `count` thresholds) and piece of it the pair."""
    lengths = np.array([len(some) for some in members], int)
    regions = np.array([one for some in members for one in some], int)
    nodes = np.repeat(np.arange(len(lengths)), lengths)
    rows, columns = [], []
    for threshold in range(count):
        for piece in range(threshold, count):
            rows.append(nodes * count + threshold)
            columns.append(1 + (regions - 1) * count + piece)
    return np.concatenate(rows), np.concatenate(columns)


def overlaps(levels: Sequence[Candidates]) -> sparse.csr_matrix:
    """Return the pixels that each two candidates of all levels share, (n, n) sparse.

    On the diagonal stand their areas.
    """
    shape = levels[0].maps.shape
    every = [
        (one.members, one.pieces[np.ix_(*map(nearest, shape, one.pieces.shape))].ravel())
        for one in levels
    ]
    rows = [
        [
            one @ _shared(pieces, one.shape[1], others, other.shape[1]) @ other.T
            for other, others in every
        ]
        for one, pieces in every
    ]
    return sparse.bmat(rows, format="csr")


def _shared(
    first: NDArray[np.int64], rows: int, second: NDArray[np.int64], columns: int
) -> sparse.csr_matrix:
    """Return the pixels that the pieces (H * W,) of two levels share, (rows, columns) sparse."""
    both = (first > 0) & (second > 0)
    places = first[both], second[both]
    return sparse.csr_matrix((np.ones(len(places[0])), places), shape=(rows, columns))


def nearest(count: int, size: int) -> NDArray[np.int64]:
    """Return the index among `size` places that lies nearest to each of `count`, on one length."""
    return np.minimum(((np.arange(count) + 0.5) * size / count).astype(np.int64), size - 1)
