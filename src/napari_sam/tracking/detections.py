"""Objects of each frame of a time series, measured for linking."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse

from napari_sam.arrays import Labels
from napari_sam.errors import InputError
from napari_sam.numbering import ranked
from napari_sam.progress import Estimate, Progress

__all__ = ["MAX_GAP", "Detections", "detect", "iter_detections"]

MAX_GAP = 2  # frames that an object may be missed on and be found again

Shared = dict[tuple[int, int], int]


@dataclass(frozen=True, eq=False)
class Detections:
    """Objects of all frames of a time series, one in each row, in the order of frames.

    Parameters
    ----------
    frames : (N,) int
        Frame of each, from 0.
    labels : (N,) int
        Its label on that frame.
    centres : (N, D) float
        Centroids in pixels, (row, column) or (plane, row, column).
    areas : (N,) float
        Pixels, or voxels.
    at_border : (N,) bool
        Whether it touches the border of the picture, over which objects come and go.
    length : int
        Number of frames.
    steps : (D,) float
        Distance of two pixels along each axis, in those of a column.
    shared : mapping of (int, int) to int
        Pixels that rows of different frames have in common, up to `MAX_GAP` frames apart plus one.

    Examples
    --------
    >>> found = detect(np.array([[[1, 1, 0, 9]], [[0, 5, 5, 0]]]))
    >>> found.frames.tolist(), found.labels.tolist(), found.areas.tolist()
    ([0, 0, 1], [1, 9, 5], [2.0, 1.0, 2.0])
    >>> found.shared
    {(0, 2): 1}
    """

    frames: NDArray[np.int64]
    labels: NDArray[np.int64]
    centres: NDArray[np.float64]
    areas: NDArray[np.float64]
    at_border: NDArray[np.bool_]
    length: int
    steps: tuple[float, ...]
    shared: Mapping[tuple[int, int], int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.frames)

    @cached_property
    def rows(self) -> Mapping[tuple[int, int], int]:
        """Row of each (frame, label)."""
        places = zip(self.frames.tolist(), self.labels.tolist(), strict=True)
        return {place: row for row, place in enumerate(places)}

    @cached_property
    def sides(self) -> NDArray[np.float64]:
        """(N,) side of a square, or cube, of each object's size, in steps of a column."""
        dimensions = self.centres.shape[1]
        return np.asarray((self.areas * np.prod(self.steps)) ** (1 / dimensions))

    @cached_property
    def places(self) -> NDArray[np.float64]:
        """(N, D) centroids in steps of a column."""
        return np.asarray(self.centres * np.asarray(self.steps))

    def on(self, frame: int) -> NDArray[np.int64]:
        """Return the rows of a frame."""
        first, last = np.searchsorted(self.frames, (frame, frame + 1))
        return np.arange(first, last)

    def distances(self, rows: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the (n, m) distances of centroids, in steps of a column."""
        between = self.places[rows][:, None] - self.places[others][None]
        return np.asarray(np.sqrt((between**2).sum(axis=-1)))


def detect(frames: Sequence[Labels] | Labels, steps: Sequence[float] | None = None) -> Detections:
    """Measure the objects of all frames; see `iter_detections`."""
    *_, last = iter_detections(frames, len(frames), steps)
    assert last.result is not None
    return last.result


def iter_detections(
    frames: Iterable[Labels], length: int, steps: Sequence[float] | None = None
) -> Iterator[Progress[Detections | None]]:
    """Measure the objects of frames, one frame after the other.

    Parameters
    ----------
    frames : iterable of (Y, X) or (Z, Y, X) int
        Labels, 0 for background; ids need not last from frame to frame.
    length : int
        How many frames there are.
    steps : sequence of float, optional
        Distance of two pixels along each axis of a frame; 1 if left out.

    Yields
    ------
    Progress of Detections or None
        The detections come with the last frame.

    Raises
    ------
    InputError
        If there is no frame, or one has another shape than those before, or is no labels.
    """
    clock, table = Estimate(), _Table()
    for frame, labels in enumerate(frames):
        table.add(frame, labels)
        if frame + 1 < length:
            left = clock.left(frame + 1, length)
            yield Progress(frame + 1, length, None, left)
    yield Progress(length, length, table.detections(steps))


class _Table:
    """Detections that grow frame by frame."""

    def __init__(self) -> None:
        self._frames: list[NDArray[np.int64]] = []
        self._labels: list[NDArray[np.int64]] = []
        self._centres: list[NDArray[np.float64]] = []
        self._areas: list[NDArray[np.float64]] = []
        self._at_border: list[NDArray[np.bool_]] = []
        self._shared: Shared = {}
        self._shape: tuple[int, ...] = ()
        self._count = 0
        # Of the last frames: the row of each pixel's object plus one.
        self._before: deque[NDArray[np.int64]] = deque(maxlen=MAX_GAP + 1)

    def add(self, frame: int, labels: Labels) -> None:
        """Measure a frame."""
        ids, ranks = ranked(labels)
        if self._shape not in ((), ranks.shape) or ranks.ndim not in (2, 3):
            raise InputError(
                f"frame {frame} has the shape {ranks.shape}; frames must be (Y, X) or (Z, Y, X), "
                f"and all the same{f' as the first, {self._shape}' if self._shape else ''}"
            )
        self._shape = ranks.shape
        counts = np.bincount(ranks.ravel(), minlength=len(ids) + 1)[1:]
        there = np.flatnonzero(counts)
        boxes = ndimage.find_objects(ranks)
        self._frames.append(np.full(len(there), frame, np.int64))
        self._labels.append(ids[there].astype(np.int64))
        self._centres.append(_centres(ranks, counts)[there])
        self._areas.append(counts[there].astype(np.float64))
        self._at_border.append(
            np.array([_meets_border(boxes[i], ranks.shape) for i in there], bool)
        )
        rows = np.zeros(len(ids) + 1, np.int64)
        rows[there + 1] = np.arange(self._count, self._count + len(there)) + 1
        here = rows[ranks]
        for before in self._before:
            self._shared |= _shared(before, here)
        self._before.append(here)
        self._count += len(there)

    def detections(self, steps: Sequence[float] | None) -> Detections:
        """Return all that was added."""
        if not self._frames:
            raise InputError("there is no frame; give at least one")
        dimensions = len(self._shape)
        given = tuple(map(float, steps)) if steps is not None else (1.0,) * dimensions
        if len(given) != dimensions or not all(0 < step < np.inf for step in given):
            raise InputError(
                f"steps must be {dimensions} distances above 0, one for each axis of a frame; "
                f"got {given}"
            )
        return Detections(
            np.concatenate(self._frames),
            np.concatenate(self._labels),
            np.concatenate(self._centres),
            np.concatenate(self._areas),
            np.concatenate(self._at_border),
            len(self._frames),
            tuple(step / given[-1] for step in given),
            self._shared,
        )


def _centres(ranks: NDArray[np.int32], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the (n, D) centroids by rank from 1; NaN where there are no pixels."""
    inside = np.nonzero(ranks)
    which, places = ranks[inside], np.full((len(counts), ranks.ndim), np.nan)
    for axis, at in enumerate(inside):
        sums = np.bincount(which, weights=at, minlength=len(counts) + 1)[1:]
        np.divide(sums, counts, out=places[:, axis], where=counts > 0)
    return places


def _meets_border(box: tuple[slice, ...], shape: tuple[int, ...]) -> bool:
    """Return whether a box touches a border of rows or columns; a stack's ends are no border."""
    ends = list(zip(box, shape, strict=True))[-2:]
    return any(cut.start == 0 or cut.stop == size for cut, size in ends)


def _shared(before: NDArray[np.int64], here: NDArray[np.int64]) -> Shared:
    both = (before > 0) & (here > 0)
    was, is_ = before[both], here[both]
    if len(was) == 0:
        return {}
    pairs = sparse.coo_array((np.ones(len(was), np.int64), (was - 1, is_ - 1)))
    pairs.sum_duplicates()
    rows, columns = pairs.coords
    places = zip(rows.tolist(), columns.tolist(), strict=True)
    return dict(zip(places, pairs.data.tolist(), strict=True))
