"""Tracks compared with the truth by the measures of the Cell Tracking Challenge.

DET and TRA count what has to be done to turn the found graph into the true one, weighed, as a share
of building the true one from nothing (Matula et al. 2015, AOGM). Divisions are matched as in the
challenge's branching correctness, BC(i).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from napari_sam.arrays import Labels
from napari_sam.errors import InputError
from napari_sam.tracking.tracks import Tracks

__all__ = ["TrackScores", "score_tracks"]

# Weights of the challenge: vertices that are to be split, added and taken away; edges likewise, and
# those of the wrong kind (on in a track, or from a parent).
SPLIT, ADDED, REMOVED = 5.0, 10.0, 1.0
EDGE_REMOVED, EDGE_ADDED, EDGE_CHANGED = 1.0, 1.5, 1.0
LATE = 1  # frame by which a division may be found too early or too late

Place = tuple[int, int]  # frame and label
Edges = dict[tuple[Place, Place], bool]  # whether it goes on in the same track


@dataclass(frozen=True)
class TrackScores:
    """Measures of the Cell Tracking Challenge.

    Parameters
    ----------
    det, tra : float
        Detection and tracking, 0 to 1.
    divisions : float or None
        F1 of divisions; None where there are none to be found.
    true, found, right : int
        Divisions that are true, that were found, and that are both.
    """

    det: float
    tra: float
    divisions: float | None
    true: int
    found: int
    right: int


def score_tracks(
    true_frames: Iterable[Labels], truth: Tracks, frames: Iterable[Labels], tracks: Tracks
) -> TrackScores:
    """Compare tracks with the true ones.

    A true object is matched by the one that covers more than half of it.

    Parameters
    ----------
    true_frames, frames : iterable of (..., Y, X) int
        Labels of the same frames.
    truth, tracks : Tracks
        What these labels belong to; labels outside of all tracks count as objects on their own.

    Raises
    ------
    InputError
        If the frames differ in number or shape, or nothing is true.

    Examples
    --------
    >>> frames = np.array([[[1, 0, 2]], [[1, 0, 2]]])
    >>> truth = Tracks({1: {0: 1, 1: 1}, 2: {0: 2, 1: 2}})
    >>> swapped = Tracks({1: {0: 1, 1: 2}, 2: {0: 2, 1: 1}})
    >>> scores = score_tracks(frames, truth, frames, swapped)
    >>> scores.det, round(scores.tra, 3)  # 2 edges too much, 2 missing, of 4 objects and 2 edges
    (1.0, 0.884)
    """
    match = _Match(true_frames, frames)
    true_edges, edges = _edges(truth), _edges(tracks)
    single = {place: some[0] for place, some in match.covered.items() if len(some) == 1}
    mine = {
        (single[a], single[b]): same for (a, b), same in edges.items() if {a, b} <= single.keys()
    }
    both = mine.keys() & true_edges.keys()
    changed = sum(mine[edge] != true_edges[edge] for edge in both)
    splits = sum(len(some) - 1 for some in match.covered.values())
    missed = len(match.true) - len(match.found_as)
    surplus = len(match.found - match.covered.keys())
    vertices = SPLIT * splits + ADDED * missed + REMOVED * surplus
    linked = (
        EDGE_REMOVED * (len(mine) - len(both))
        + EDGE_ADDED * (len(true_edges) - len(both))
        + EDGE_CHANGED * changed
    )
    nothing = ADDED * len(match.true)
    right = _right_divisions(truth, tracks, match)
    true, found = len(_divisions(truth)), len(_divisions(tracks))
    return TrackScores(
        _share(vertices, nothing),
        _share(vertices + linked, nothing + EDGE_ADDED * len(true_edges)),
        2 * right / (true + found) if true else None,
        true,
        found,
        right,
    )


def _share(work: float, nothing: float) -> float:
    return 1 - min(work, nothing) / nothing


class _Match:
    """Which object covers which true one, on all frames."""

    def __init__(self, true_frames: Iterable[Labels], frames: Iterable[Labels]) -> None:
        self.true: set[Place] = set()
        self.found: set[Place] = set()
        self.found_as: dict[Place, Place] = {}
        self.covered: dict[Place, list[Place]] = defaultdict(list)
        try:
            for frame, (true, found) in enumerate(zip(true_frames, frames, strict=True)):
                self._add(frame, np.asarray(true), np.asarray(found))
        except ValueError as error:
            raise InputError(f"tracks of other frames cannot be compared: {error}") from error
        if not self.true:
            raise InputError("there is no true object to compare with")

    def _add(self, frame: int, true: Labels, found: Labels) -> None:
        if true.shape != found.shape:
            raise InputError(f"frame {frame} is {found.shape} and should be {true.shape}")
        inside = true > 0
        self.found |= {(frame, int(label)) for label in np.unique(found) if label}
        labels, areas = np.unique(true[inside], return_counts=True)
        area = dict(zip(labels.tolist(), areas.tolist(), strict=True))
        self.true |= {(frame, label) for label in area}
        pairs = np.stack([true[inside], found[inside]]).astype(np.int64)
        some, counts = np.unique(pairs, axis=1, return_counts=True)
        for (label, other), count in zip(some.T.tolist(), counts.tolist(), strict=True):
            if other and 2 * count > area[label]:
                self.found_as[frame, label] = frame, other
                self.covered[frame, other].append((frame, label))


def _edges(tracks: Tracks) -> Edges:
    """Return the edges of the graph; over a gap they count as from a parent, as in its files."""
    edges: Edges = {}
    for frames in tracks.members.values():
        for a, b in pairwise(sorted(frames.items())):
            edges[a, b] = b[0] == a[0] + 1
    for number, parent in tracks.parents.items():
        ends = (tracks.last(parent), tracks.first(number))
        places = tracks.members[parent][ends[0]], tracks.members[number][ends[1]]
        edges[(ends[0], places[0]), (ends[1], places[1])] = False
    return edges


def _divisions(tracks: Tracks) -> Mapping[int, tuple[int, ...]]:
    """Return the tracks that end in two daughters or more."""
    return {one: some for one, some in tracks.daughters.items() if len(some) > 1}


def _right_divisions(truth: Tracks, tracks: Tracks, match: _Match) -> int:
    """Return how many found divisions are true ones, by mother, daughters and time."""
    found = _divisions(tracks)
    right = 0
    for mother, daughters in _divisions(truth).items():
        end = truth.last(mother)
        places = ((at, _as_found(truth, mother, at, match, tracks)) for at in (end, end - LATE))
        here = next(
            (
                one
                for at, one in places
                if one is not None and one in found and at == min(end, tracks.last(one))
            ),
            None,
        )
        if here is None or abs(tracks.last(here) - end) > LATE:
            continue
        others = found[here]
        if len(others) == len(daughters) and all(
            any(_begin_alike(truth, one, tracks, other, match) for other in others)
            for one in daughters
        ):
            right += 1
    return right


def _as_found(truth: Tracks, number: int, frame: int, match: _Match, tracks: Tracks) -> int | None:
    """Return the track of the object that covers a true one, and no other, on a frame."""
    label = truth.members[number].get(frame)
    place = None if label is None else match.found_as.get((frame, label))
    if place is None or len(match.covered[place]) > 1:
        return None
    return tracks.of.get(place)


def _begin_alike(truth: Tracks, one: int, tracks: Tracks, other: int, match: _Match) -> bool:
    begins = truth.first(one), tracks.first(other)
    same = _as_found(truth, one, max(begins), match, tracks) == other
    return same and abs(begins[0] - begins[1]) <= LATE
