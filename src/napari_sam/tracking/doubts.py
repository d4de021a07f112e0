"""Doubts about tracks: where they jump, change size suddenly, are lost, or begin and end."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

import numpy as np

from napari_sam.tracking.detections import Detections
from napari_sam.tracking.tracks import Tracks

__all__ = ["Doubt", "DoubtKind", "doubts_of", "worst_first"]

JUMP = 0.5  # sides of an object that a step must have at least to be a jump
UNUSUAL = 3.0  # times the median step of all tracks, from which a step is a jump
SUDDEN = math.log(1.6)  # of the ratio of two sizes


class DoubtKind(Enum):
    """Kind of a doubt; the value says it in words, with room for a number."""

    JUMP = "moves {:.1f} times its size in one step"
    SIZE = "its size changes {:.1f} times in one step"
    GAP = "is missed on {:.0f} frames in between"
    END = "ends in mid-picture"
    BEGIN = "begins in mid-picture"
    DIVISION = "divides into {:.1f} times its size"


@dataclass(frozen=True)
class Doubt:
    """Doubt about a track at a frame.

    Parameters
    ----------
    track : int
        The track.
    frame : int
        The first frame after what is doubted; for an end the last one.
    kind : DoubtKind
        What is doubted.
    weight : float
        How much, from 0 on; 1 is as much as an end in mid-picture.
    amount : float
        The number that the words of the kind have room for.
    """

    track: int
    frame: int
    kind: DoubtKind
    weight: float
    amount: float = 0.0

    @property
    def words(self) -> str:
        """The doubt in words.

        Examples
        --------
        >>> Doubt(1, 4, DoubtKind.GAP, 0.4, 2).words
        'is missed on 2 frames in between'
        """
        return self.kind.value.format(self.amount)


def doubts_of(found: Detections, tracks: Tracks) -> list[Doubt]:
    """Return the doubts about all tracks, the largest first.

    Objects that are in no track, and those of tracks that are not among the detections, are left
    out.

    Examples
    --------
    >>> from napari_sam.tracking.detections import detect
    >>> frames = np.zeros((3, 9, 30), int)
    >>> frames[:2, 3:6, 10:13] = 1
    >>> [doubt] = doubts_of(detect(frames), Tracks({1: {0: 1, 1: 1}}))
    >>> doubt.frame, doubt.words
    (1, 'ends in mid-picture')
    """
    rows = {
        number: [found.rows[place] for place in sorted(frames.items()) if place in found.rows]
        for number, frames in tracks.members.items()
    }
    steps = [_far(found, a, b) for some in rows.values() for a, b in pairwise(some)]
    usual = float(np.median(steps)) if steps else 0.0
    doubts = [
        doubt
        for number, some in rows.items()
        if some
        for doubt in _doubts(found, tracks, number, some, usual)
    ]
    return sorted(doubts, key=lambda one: (-one.weight, one.track, one.frame))


def worst_first(doubts: list[Doubt], tracks: Tracks) -> dict[int, list[Doubt]]:
    """Return the doubts of every track, the most doubtful track first, the certain ones last."""
    of: dict[int, list[Doubt]] = {number: [] for number in tracks.members}
    for one in doubts:
        of[one.track].append(one)
    ranks = {number: sum(one.weight for one in some) for number, some in of.items()}
    return {number: of[number] for number in sorted(of, key=lambda n: (-ranks[n], n))}


def _doubts(
    found: Detections, tracks: Tracks, number: int, rows: list[int], usual: float
) -> Iterator[Doubt]:
    for a, b in pairwise(rows):
        yield from _step(found, number, a, b, usual)
    first, last = rows[0], rows[-1]
    if number not in tracks.parents and found.frames[first] > 0 and not found.at_border[first]:
        yield Doubt(number, int(found.frames[first]), DoubtKind.BEGIN, 0.7)
    daughters = tracks.daughters.get(number, ())
    if daughters:
        yield from _division(found, tracks, number, last, daughters)
    elif found.frames[last] < found.length - 1 and not found.at_border[last]:
        yield Doubt(number, int(found.frames[last]), DoubtKind.END, 1.0)


def _step(found: Detections, number: int, a: int, b: int, usual: float) -> Iterator[Doubt]:
    frame, missed = int(found.frames[b]), int(found.frames[b] - found.frames[a]) - 1
    side = float(found.sides[a] + found.sides[b]) / 2
    far = _far(found, a, b)
    if far > max(JUMP * side, UNUSUAL * usual):
        times = far / side
        yield Doubt(number, frame, DoubtKind.JUMP, min(2.0, 0.5 + times / 2), times)
    change = abs(math.log(found.areas[a] / found.areas[b]))
    whole = not (found.at_border[a] or found.at_border[b])  # else it may be seen in part
    if change > SUDDEN and whole:
        yield Doubt(number, frame, DoubtKind.SIZE, min(2.0, change), math.exp(change))
    if missed:
        yield Doubt(number, frame, DoubtKind.GAP, 0.2 * missed, missed)


def _far(found: Detections, a: int, b: int) -> float:
    """Return how far an object moves from frame to frame between two rows."""
    way = math.dist(found.places[a], found.places[b])
    return way / int(found.frames[b] - found.frames[a])


def _division(
    found: Detections, tracks: Tracks, number: int, last: int, daughters: tuple[int, ...]
) -> Iterator[Doubt]:
    firsts = [(tracks.first(one), tracks.members[one][tracks.first(one)]) for one in daughters]
    areas = sum(float(found.areas[found.rows[place]]) for place in firsts if place in found.rows)
    if areas == 0:
        return
    change = abs(math.log(areas / found.areas[last]))
    frame = min(frame for frame, _ in firsts)
    if change > SUDDEN:
        ratio = areas / float(found.areas[last])
        yield Doubt(number, frame, DoubtKind.DIVISION, min(2.0, change), ratio)
