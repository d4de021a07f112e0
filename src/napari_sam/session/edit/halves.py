"""Review by halves: which slice of an object to look at next, and when enough was seen."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from napari_sam.masks import CroppedMask
from napari_sam.planes import Plane
from napari_sam.session.objects import AnnotatedObject, Section, Source, Status

__all__ = ["around", "doubts", "found_right", "looked_at", "next_look"]

LOOSE = 0.5  # what is left of the weight of a run by each end that was found right
LEAST = 0.25  # weight of a run below which nobody needs to look: see benchmarks/review.py
BEYOND = 1.0  # doubt of the slice behind an end: does it really end there?
LOWEST = 0.1  # no slice is beyond doubt
UNSEEN = Source.PROPAGATED, Source.COPIED, Source.INTERPOLATED  # made without a person's look
UNKNOWN = 0.5  # score of a mask that no model has rated


def next_look(
    doubts: Mapping[int, float], looked: Collection[int], right: Collection[int]
) -> int | None:
    """Return the slice to look at next: the middle of the heaviest run that nobody looked at.

    A run is as heavy as the doubts of its slices together, and its middle is where half of them
    lie on each side. Ends at which the mask was right make it lighter, as if what lies beside them
    had been looked at more loosely; ends that had to be put right do not.

    Parameters
    ----------
    doubts : mapping of int to float
        Of each slice that the object may be on, from 0 to 1; see `doubts`.
    looked : collection of int
        Slices that somebody has looked at, and found right or put right.
    right : collection of int
        Those of them that were right; see `found_right`.

    Returns
    -------
    int or None
        None if every run is light.

    Examples
    --------
    >>> next_look(dict.fromkeys(range(9), 0.5), {0}, {0})
    4
    >>> next_look(dict.fromkeys(range(9), 0.5), {0, 4}, {0})
    6
    >>> next_look({0: 0.1, 1: 0.1, 2: 0.1, 3: 0.9, 4: 0.1}, (), ())
    3
    """
    best, chosen = LEAST, None
    for run in _runs(doubts, looked):
        known = (run[0] - 1 in right) + (run[-1] + 1 in right)
        weight = sum(doubts[at] for at in run) * LOOSE**known
        if weight > best or (chosen is None and weight == best):
            best, chosen = weight, _middle(run, doubts)
    return chosen


def doubts(held: AnnotatedObject, line: Sequence[Plane]) -> dict[int, float]:
    """Return the doubt of each slice that an object is on, and of those behind its ends.

    A mask is as sure as its score times its likeness (IoU) with the less alike of its neighbours;
    where the object was not found there is nothing sure.

    Parameters
    ----------
    held : AnnotatedObject
        Which.
    line : sequence of Plane
        The slices of the stack, in order.
    """
    sections = {
        index: held.sections[plane] for index, plane in enumerate(line) if plane in held.sections
    }
    found = {index: _doubt(sections, index) for index in sections}
    shown = [index for index, section in sections.items() if section.mask is not None]
    for index in (min(shown, default=0) - 1, max(shown, default=-2) + 1):
        if 0 <= index < len(line) and shown:
            found.setdefault(index, BEYOND)
    return found


def looked_at(held: AnnotatedObject, line: Sequence[Plane]) -> set[int]:
    """Return the slices of a stack on which somebody has accepted an object, or its absence."""
    return {
        index
        for index, plane in enumerate(line)
        if plane in held.sections and held.sections[plane].status is Status.ACCEPTED
    }


def found_right(held: AnnotatedObject, line: Sequence[Plane]) -> set[int]:
    """Return the slices of a stack on which a mask that was followed or filled in was accepted."""
    return {
        index
        for index in looked_at(held, line)
        if held.sections[line[index]].origin.source in UNSEEN
    }


def around(looked: Collection[int], at: int) -> tuple[int | None, int | None]:
    """Return the nearest slices before and after one that were looked at; None without one.

    A correction changes nothing beyond them, so that only what lies between is followed again.

    Examples
    --------
    >>> around({2, 5, 9}, 5)
    (2, 9)
    """
    before = max((index for index in looked if index < at), default=None)
    return before, min((index for index in looked if index > at), default=None)


def _doubt(sections: Mapping[int, Section], index: int) -> float:
    section = sections[index]
    if section.mask is None:
        return 1.0
    score = UNKNOWN if section.score is None else min(max(section.score, 0.0), 1.0)
    alike = min(_likenesses(section.mask, sections, index), default=1.0)
    return max(LOWEST, 1 - score * alike)


def _likenesses(mask: CroppedMask, sections: Mapping[int, Section], index: int) -> Iterator[float]:
    for neighbour in (index - 1, index + 1):
        other = sections.get(neighbour)
        if other is not None and other.mask is not None:
            yield mask.iou(other.mask)


def _runs(doubts: Mapping[int, float], looked: Collection[int]) -> list[list[int]]:
    """Return the runs of neighbouring slices that nobody has looked at, in order."""
    runs: list[list[int]] = []
    for at in sorted(doubts.keys() - set(looked)):
        if runs and at == runs[-1][-1] + 1:
            runs[-1].append(at)
        else:
            runs.append([at])
    return runs


def _middle(run: Sequence[int], doubts: Mapping[int, float]) -> int:
    """Return the slice of a run up to which half of its doubt lies."""
    half = sum(doubts[at] for at in run) / 2
    passed = 0.0
    for at in run:
        passed += doubts[at]
        if passed >= half:
            break
    return at
