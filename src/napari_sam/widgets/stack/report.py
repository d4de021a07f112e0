"""Report of a propagation: where each object was found, and which slices to check."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from napari_sam.results import Step

__all__ = ["ObjectReport", "StackReport", "spans"]


@dataclass
class ObjectReport:
    """Result of the propagation for one object.

    Parameters
    ----------
    found : set of int
        Slices on which it has a mask now, those that it started from among them.
    stopped, unsure : dict of int to str
        By slice, why it was not followed further, and why a person should look.
    """

    found: set[int]
    stopped: dict[int, str] = field(default_factory=dict)
    unsure: dict[int, str] = field(default_factory=dict)

    def headline(self, number: int, noun: str) -> str:
        """Return the slices where the object was found, as text."""
        plural = f"{noun}s" if len(self.found) > 1 else noun
        return f"Object {number}: {plural} {spans(self.found)}"

    def remarks(self, noun: str) -> list[tuple[int, str]]:
        """Return the slices to check, each with a sentence, in order."""
        said = [(at, f"stopped at {noun} {at}: {why}") for at, why in self.stopped.items()]
        said += [(at, f"look at {noun} {at}: {why}") for at, why in self.unsure.items()]
        return sorted(said)


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
        self.objects = {number: ObjectReport(set(places)) for number, places in anchors.items()}

    def add(self, step: Step, written: Iterable[int]) -> None:
        """Add a step, with the objects that have a mask on its slice."""
        written = set(written)
        for number, one in self.objects.items():
            if number in written:
                one.found.add(step.index)
            for said, told in ((one.stopped, step.stopped), (one.unsure, step.unsure)):
                said.pop(step.index, None)  # a later step replaces what an earlier one said
                if number in told:
                    said[step.index] = told[number]


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
