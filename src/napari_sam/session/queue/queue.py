"""Queue of pictures to annotate: entries in an order, and what is left."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from napari_sam.session.effort.effort import Effort

__all__ = ["Entry", "Queue", "State"]


class State(Enum):
    """State of a picture in a queue; the value is how tables call it."""

    TODO = "to do"
    FILLED = "filled in"  # by a search, and nobody has looked
    STARTED = "started"
    DONE = "done"


@dataclass(frozen=True)
class Entry:
    """Picture of a queue, with its state and what it has cost so far.

    Parameters
    ----------
    path : Path
        The picture, as `napari_sam.io.images.find.find_images` names it.
    state : State
        How far it is.
    objects, to_review : int
        Objects of its session, and those of them that nobody has accepted.
    prompts, corrections : int
        As `Effort` counts them.
    seconds : float
        Of active work.
    expected : float, optional
        Corrections that a search leads to expect: the sum of 1 - score over what it found.
    note : str
        Why nothing could be done with it.
    """

    path: Path
    state: State = State.TODO
    objects: int = 0
    to_review: int = 0
    prompts: int = 0
    corrections: int = 0
    seconds: float = 0.0
    expected: float | None = None
    note: str = ""

    def worked(self, effort: Effort) -> Entry:
        """Return the entry after work on it; a look alone starts nothing."""
        figures = replace(
            self,
            objects=effort.objects,
            to_review=effort.to_review,
            prompts=effort.prompts,
            corrections=effort.corrections,
        )
        begun = figures != self and self.state is not State.DONE
        state = State.STARTED if begun else self.state
        return replace(figures, state=state, seconds=effort.seconds)


class Queue:
    """Pictures in an order, one of which is open.

    Parameters
    ----------
    entries : sequence of Entry
        By name.

    Attributes
    ----------
    entries : list of Entry
        In the order in which they are gone through.
    at : int
        Which one is open.

    Examples
    --------
    >>> queue = Queue([Entry(Path(name)) for name in ("a.tif", "b.tif", "c.tif")])
    >>> queue.finish()
    >>> queue.following(), queue.counts()[State.DONE]
    (1, 1)
    """

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._by_name = [entry.path for entry in entries]
        self.entries = list(entries)
        self.at = 0
        self.at = self.first_open()

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def current(self) -> Entry:
        """The entry that is open."""
        return self.entries[self.at]

    def first_open(self) -> int:
        """Return the place of the first entry that is not done; that of the open one if all are."""
        left = (i for i, one in enumerate(self.entries) if one.state is not State.DONE)
        return next(left, self.at)

    def following(self, after: int | None = None) -> int | None:
        """Return the next place that is not done, round the end; None if all others are.

        `after`: behind which place; by default the open one.
        """
        start = self.at if after is None else after
        around = [(start + step) % len(self) for step in range(1, len(self))]
        return next((i for i in around if self.entries[i].state is not State.DONE), None)

    def coming(self, count: int) -> list[int]:
        """Return the places that are likely to be opened next: the following ones, not done first.

        Examples
        --------
        >>> states = State.TODO, State.DONE, State.TODO, State.TODO
        >>> Queue([Entry(Path(f"{i}.tif"), state) for i, state in enumerate(states)]).coming(2)
        [2, 1]
        """
        around = [(self.at + step) % len(self) for step in range(1, len(self))]
        left = [at for at in around if self.entries[at].state is not State.DONE]
        following = [self.at + 1] if self.at + 1 < len(self) else []
        return list(dict.fromkeys([*left[:1], *following, *left]))[:count]

    def place(self, path: Path) -> int | None:
        """Return the place of a picture, or None."""
        return next((i for i, one in enumerate(self.entries) if one.path == path), None)

    def put(self, entry: Entry) -> None:
        """Replace the entry of the same picture."""
        place = self.place(entry.path)
        if place is not None:
            self.entries[place] = entry

    def finish(self, done: bool = True) -> None:
        """Mark the open entry as done, or as not done."""
        state = State.DONE if done else State.STARTED
        self.entries[self.at] = replace(self.current, state=state)

    def order(self, worst_first: bool) -> None:
        """Order by name, or by the corrections that are expected, most first; the open one stays.

        What nothing is known of comes last.
        """
        path, names = self.current.path, {path: i for i, path in enumerate(self._by_name)}

        def rank(entry: Entry) -> tuple[float, int]:
            known = -math.inf if entry.expected is None else entry.expected
            return (-known if worst_first else 0.0), names[entry.path]

        self.entries.sort(key=rank)
        self.at = self.place(path) or 0

    def counts(self) -> dict[State, int]:
        """Return how many entries are in each state."""
        return {state: sum(one.state is state for one in self.entries) for state in State}

    def seconds_left(self) -> float | None:
        """Return the active work that is left, from the mean of what is done; None if unknown."""
        return seconds_left(self.entries)


def seconds_left(entries: Iterable[Entry]) -> float | None:
    """Return the seconds of active work left, by the mean of the entries that are done.

    What was spent on those that are started is taken off. None if nothing done has a time.
    """
    entries = list(entries)
    done = [one.seconds for one in entries if one.state is State.DONE and one.seconds > 0]
    if not done:
        return None
    mean = sum(done) / len(done)
    return sum(max(mean - one.seconds, 0.0) for one in entries if one.state is not State.DONE)
