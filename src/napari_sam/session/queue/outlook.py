"""Outlook of a queue: whether the rest needs less correction; what a better model saves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from napari_sam.session.queue.queue import Entry, State, seconds_left

__all__ = ["Outlook", "Saving", "advice", "outlook", "saving"]

FEWEST = 5  # pictures that are done: of fewer nothing is said
LATELY = 3  # of them, the last ones in the order in which one goes
FLAT = 1.25  # times as much as lately is about as much
LITTLE = 1.0  # expected corrections of a picture
WORTH = 0.2  # share of the clicks


@dataclass(frozen=True)
class Outlook:
    """Expected corrections of a picture, of those that are done and of those that are left.

    Parameters
    ----------
    done, left : int
        How many pictures are done, and left, of which a search has told what to expect.
    in_all, lately, to_come : float
        Mean expected corrections of all that are done, of the last of them, and of those left.

    Examples
    --------
    >>> Outlook(20, 12, in_all=3.0, lately=0.5, to_come=0.4).flat
    True
    >>> Outlook(20, 12, in_all=3.0, lately=2.5, to_come=2.4).flat
    False
    """

    done: int
    left: int
    in_all: float
    lately: float
    to_come: float

    @property
    def flat(self) -> bool:
        """Whether what is left needs as little as the last ones: going on hardly gains anything."""
        little = max(LITTLE, self.in_all / 2)
        return self.to_come <= min(little, max(FLAT * self.lately, LITTLE))

    def __str__(self) -> str:
        return (
            f"What is left ({_pictures(self.left)}) is expected to need about as little "
            f"correction as the last ones: {self.to_come:.1f} objects a picture, against "
            f"{self.in_all:.1f} in all that are done. Auto can fill in the rest."
        )


def outlook(entries: Sequence[Entry]) -> Outlook | None:
    """Return the outlook of a queue; None while too little is known.

    Parameters
    ----------
    entries : sequence of Entry
        In the order in which they are gone through.

    Examples
    --------
    >>> from pathlib import Path
    >>> done = [Entry(Path(f"{i}.tif"), State.DONE, expected=9 - i) for i in range(9)]
    >>> found = outlook([*done, Entry(Path("9.tif"), expected=0.5)])
    >>> found.lately, found.to_come, found.flat
    (2.0, 0.5, True)
    """
    known = [(one.state is State.DONE, one.expected) for one in entries if one.expected is not None]
    done = [expected for is_done, expected in known if is_done]
    left = [expected for is_done, expected in known if not is_done]
    if len(done) < FEWEST or not left:
        return None
    lately = done[-LATELY:]
    return Outlook(
        len(done),
        len(left),
        sum(done) / len(done),
        sum(lately) / len(lately),
        sum(left) / len(left),
    )


@dataclass(frozen=True)
class Saving:
    """What a model that is never corrected would save at most, by the pictures that are done.

    Parameters
    ----------
    done, objects : int
        Pictures that are done, and their objects, from which a model can learn.
    prompts, corrections : int
        Their clicks, boxes and shapes, and those of them that changed a mask which was there.
    seconds : float
        Of the work that is left, the share that such clicks are of all.
    """

    done: int
    objects: int
    prompts: int
    corrections: int
    seconds: float

    @property
    def worth_it(self) -> bool:
        """Whether so many clicks correct that training may pay off."""
        return self.corrections >= WORTH * self.prompts > 0

    def __str__(self) -> str:
        share = self.corrections / max(self.prompts, 1)
        return (
            f"Of {self.prompts:,} clicks in the {_pictures(self.done)} done, {share:.0%} corrected "
            f"a mask. Training on their {self.objects:,} objects could save "
            f"{max(1, round(self.seconds / 60))} min of the rest at most."
        )


def saving(entries: Sequence[Entry]) -> Saving | None:
    """Return what training could save at most; None while too little is done or timed.

    Examples
    --------
    >>> from pathlib import Path
    >>> kind = dict(objects=30, prompts=50, corrections=20, seconds=300)
    >>> done = [Entry(Path(f"{i}.tif"), State.DONE, **kind) for i in range(5)]
    >>> found = saving([*done, Entry(Path("5.tif")), Entry(Path("6.tif"))])
    >>> found.worth_it, found.seconds
    (True, 240.0)
    """
    done = [one for one in entries if one.state is State.DONE]
    left = seconds_left(entries)
    prompts = sum(one.prompts for one in done)
    corrections = sum(one.corrections for one in done)
    if len(done) < FEWEST or not left or not prompts:
        return None
    objects = sum(one.objects for one in done)
    return Saving(len(done), objects, prompts, corrections, left * corrections / prompts)


def advice(entries: Sequence[Entry]) -> tuple[str, str] | None:
    """Return what to do with the rest, in a few words and in a sentence; None: go on.

    Examples
    --------
    >>> from pathlib import Path
    >>> done = [Entry(Path(f"{i}.tif"), State.DONE, expected=9 - i) for i in range(9)]
    >>> short, _ = advice([*done, Entry(Path("9.tif"), expected=0.5)])
    >>> short
    'the rest needs little correction'
    """
    ahead, better = outlook(entries), saving(entries)
    if ahead is not None and ahead.flat:
        return "the rest needs little correction", str(ahead)
    if better is not None and better.worth_it:
        return "training might pay off", str(better)
    return None


def _pictures(number: int) -> str:
    return f"{number:,} picture{'' if number == 1 else 's'}"
