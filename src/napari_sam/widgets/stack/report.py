"""Report of a propagation: where each object ends, and why slices should be looked at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from napari_sam.results import End, Step

__all__ = ["Ending", "ObjectReport", "StackReport", "is_doubtful", "spans"]

FRAME = "frame"  # what a step in time is called


@dataclass(frozen=True)
class Ending:
    """Where an object is not followed any further.

    Parameters
    ----------
    at : int
        The first slice without it; that with its last part, if it leaves the picture.
    way : int
        1 if it was followed forward, -1 if backward.
    end : End
        What kind of end.
    why : str
        The reason with its figures.
    """

    at: int
    way: int
    end: End
    why: str

    @property
    def last(self) -> int:
        """The last slice with it, along the way that it was followed."""
        return self.at if self.end is End.EDGE else self.at - self.way

    def words(self, noun: str) -> str:
        """Return in plain words how the object ends, and what can be done.

        Examples
        --------
        >>> Ending(8, 1, End.GONE, "no mask found").words("slice")
        'ends on slice 7'
        >>> Ending(13, 1, End.MOVED, "no mask found").words("frame")
        'moved beyond its width: mark it in frame 13, too'
        """
        here = f"{'in' if noun == FRAME else 'on'} {noun} {self.at}"
        too = f"mark it {here}, too"
        match self.end:
            case End.EDGE:
                return f"leaves the picture {here}"
            case End.GROWN:
                return f"is much larger at once: {too}"
            case End.MOVED if noun == FRAME:
                return f"moved beyond its width: {too}"
            case End.TAKEN if noun == FRAME:
                return f"another object is there: {too}"
            case End.GONE if noun == FRAME:
                return f"is lost: {too}, unless gone"
        return f"{'ends' if self.way > 0 else 'begins'} on {noun} {self.last}"


def is_doubtful(end: End, noun: str) -> bool:
    """Tell whether a person should look at an end.

    In time few objects vanish by themselves. In depth each ends somewhere, often beside another
    one, which the model then finds in its place.

    Examples
    --------
    >>> is_doubtful(End.MOVED, "frame"), is_doubtful(End.MOVED, "slice")
    (True, False)
    """
    return end is End.GROWN or (end is not End.EDGE and noun == FRAME)


@dataclass
class ObjectReport:
    """What a propagation says of one object.

    Parameters
    ----------
    ends : dict of int to Ending
        By slice, where it is not followed any further.
    unsure : dict of int to str
        By slice, why a person should look, with the figures.
    """

    ends: dict[int, Ending] = field(default_factory=dict)
    unsure: dict[int, str] = field(default_factory=dict)

    def figures(self, index: int) -> str:
        """Return what is known in figures of a slice; empty if nothing is."""
        unsure, ending = self.unsure.get(index), self.ends.get(index)
        return "; ".join([*([unsure] if unsure else []), *([ending.why] if ending else [])])


class StackReport:
    """Results of all objects, updated step by step.

    Parameters
    ----------
    anchors : mapping of int to iterable of int
        The slices that each followed object starts from.

    Attributes
    ----------
    objects : dict of int to ObjectReport
        What became of each.
    overlaps : str
        What was left out because it lay on other objects; empty if nothing was.
    """

    overlaps = ""

    def __init__(self, anchors: Mapping[int, Iterable[int]]) -> None:
        self.anchors = {number: frozenset(places) for number, places in anchors.items()}
        self.objects = {number: ObjectReport() for number in anchors}

    def add(self, step: Step) -> None:
        """Add a step; what an earlier one said of the same slice is replaced."""
        for number, one in self.objects.items():
            one.ends.pop(step.index, None)
            one.unsure.pop(step.index, None)
            if (ending := self.ending(number, step)) is not None:
                one.ends[step.index] = ending
            if number in step.unsure:
                one.unsure[step.index] = step.unsure[number]

    def ending(self, number: int, step: Step) -> Ending | None:
        """Return how an object ends at a step, beyond its outermost anchors; None if it goes on."""
        places, end = self.anchors[number], step.ends.get(number)
        if end is None or min(places) <= step.index <= max(places):
            return None
        way = 1 if step.index > max(places) else -1
        return Ending(step.index, way, end, step.stopped[number])


def spans(indices: Iterable[int]) -> str:
    """Return numbers as compact ranges.

    Examples
    --------
    >>> spans([4, 1, 2, 3, 7])
    '1 to 4, 7'
    """
    runs: list[list[int]] = []
    for at in sorted(indices):
        if runs and at == runs[-1][1] + 1:
            runs[-1][1] = at
        else:
            runs.append([at, at])
    return ", ".join(f"{a}" if a == b else f"{a} to {b}" for a, b in runs)
