"""What is known of each object on the slices of a stack: accepted, sure, to be looked at, none."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from napari_sam.inference.propagation.settings import PropagateSettings
from napari_sam.session.objects import AnnotatedObject, Section, Source, Status
from napari_sam.widgets.stack.report import Ending, ObjectReport, spans
from napari_sam.widgets.stack.seeds import StackAxis

__all__ = ["StackRow", "State", "aggregated", "doubt", "row_of"]


class State(IntEnum):
    """What is known of an object on a slice, the least telling first."""

    NONE = 0
    ACCEPTED = 1
    SURE = 2
    LOOK = 3


WORDS = {State.ACCEPTED: "accepted", State.SURE: "sure", State.LOOK: "to look at"}


@dataclass(frozen=True, eq=False)
class StackRow:
    """An object on the slices of a stack.

    Parameters
    ----------
    held : AnnotatedObject
        The object.
    places : dict of State to list of int
        The slices of each state, in order; only those on which something is known.
    """

    held: AnnotatedObject
    places: dict[State, list[int]]

    @property
    def first(self) -> int:
        """The first slice on which something is known of it."""
        return min(found[0] for found in self.places.values())

    def states(self, length: int) -> NDArray[np.uint8]:
        """Return the state of every slice, (length,)."""
        states = np.zeros(length, np.uint8)
        known = self._known[:length]
        states[: len(known)] = known
        return states

    @cached_property
    def _known(self) -> NDArray[np.uint8]:
        """States of the slices up to the last one of which something is known."""
        known = np.zeros(max(found[-1] for found in self.places.values()) + 1, np.uint8)
        for state, places in self.places.items():
            known[places] = state
        return known

    @cached_property
    def _span(self) -> str:
        return spans(np.flatnonzero(self._known).tolist())

    def endings(self, report: ObjectReport | None) -> list[Ending]:
        """Return the ends of a report that hold still: what was undone or painted since is not."""
        if report is None:
            return []
        ends = [ending for _, ending in sorted(report.ends.items())]
        return [ending for ending in ends if self._has(ending.at) or self._has(ending.last)]

    def _has(self, index: int) -> bool:
        return index in range(len(self._known)) and bool(self._known[index])

    def words(self, noun: str, report: ObjectReport | None) -> str:
        """Return in a few words what is to be known of it, what matters most first."""
        ends = self.endings(report)
        told = {ending.at for ending in ends}
        looks = [at for at in self.places.get(State.LOOK, []) if at not in told]
        said = []
        if looks:
            many = len(looks) > 4
            said.append(f"look at {len(looks)} {noun}s" if many else f"look at {spans(looks)}")
        said += [ending.words(noun) for ending in ends]
        if not said:
            several = np.count_nonzero(self._known) > 1
            said.append(f"{noun}{'s' if several else ''} {self._span}")
        return " · ".join(said)

    def sentence(self, noun: str, report: ObjectReport | None) -> str:
        """Return all of it as a sentence, for those who do not see the bar."""
        states = (
            f"{WORDS[state]} {spans(self.places[state])}" for state in WORDS if state in self.places
        )
        told = "; ".join([*states, *(ending.words(noun) for ending in self.endings(report))])
        return f"Object {self.held.id}, {noun}s: {told}"


def row_of(held: AnnotatedObject, along: StackAxis) -> StackRow | None:
    """Return the row of an object; None if it is on none of the slices."""
    axis, before, beyond = along.axis, along.plane[: along.axis], along.plane[along.axis + 1 :]
    accepted: list[int] = []
    sure: list[int] = []
    look: list[int] = []
    for plane, section in held.sections.items():  # many thousands: no call for each of them
        index, status = plane[axis], section.status
        if index is None or plane[:axis] != before or plane[axis + 1 :] != beyond:
            continue
        if status is Status.ACCEPTED:
            accepted.append(index)
        else:
            (sure if status is Status.PROPOSED else look).append(index)
    found = {State.ACCEPTED: accepted, State.SURE: sure, State.LOOK: look}
    places = {state: sorted(indices) for state, indices in found.items() if indices}
    return StackRow(held, places) if places else None


def doubt(section: Section) -> str:
    """Return in plain words why a section should be looked at."""
    if section.mask is None:
        return "nothing was found here"
    if section.origin.source is not Source.PROPAGATED:
        return "it is marked as unclear"
    if section.score is not None and section.score < PropagateSettings().sure_score:
        return "its quality is low"
    return "followed from both sides it looks different, or only one side came this far"


def aggregated(states: NDArray[np.uint8], width: int) -> NDArray[np.uint8]:
    """Return at most `width` values: of the slices that share one, the one that needs a look most.

    Examples
    --------
    >>> aggregated(np.array([0, 2, 3, 1, 0, 0], np.uint8), 3).tolist()
    [2, 3, 0]
    """
    if len(states) <= width:
        return states
    starts = np.arange(width) * len(states) // width
    return np.maximum.reduceat(states, starts)
