"""Sessions of pictures that nobody has opened yet, filled with what a search found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from napari_sam.inference.automatic.linking import GAP
from napari_sam.inference.automatic.selection import Selection
from napari_sam.planes import Plane
from napari_sam.results import Proposal
from napari_sam.session.autofill import Chosen, Filling, choose
from napari_sam.session.disk.autosave import Autosave
from napari_sam.session.disk.manifest import Manifest
from napari_sam.session.edit.linked import SliceLinker
from napari_sam.session.effort.clock import WorkClock
from napari_sam.session.effort.effort import effort_of
from napari_sam.session.overlap import Rule
from napari_sam.session.queue.progress import Carried
from napari_sam.session.queue.queue import Entry, State
from napari_sam.session.records import Configured
from napari_sam.session.session import Session

__all__ = ["FillRules", "Found", "expected_corrections", "fill_in"]


@dataclass(frozen=True)
class FillRules:
    """What of a search is put into sessions, and how.

    Parameters
    ----------
    selection : Selection
        What is kept, and who is on top.
    certain : float
        Score from which on an object is accepted unseen; infinite: none is.
    rule : Rule
        Who keeps the pixels of an overlap.
    carried : Carried
        The classes, and the model that searches.
    settings : mapping
        The settings in force, to be saved with the work.
    gap : int, optional
        In a stack: slices that an object may be missed on; None: each slice has objects of its own.
    word : str, optional
        Class of what is put; None: that of new objects.
    """

    selection: Selection
    certain: float
    rule: Rule = Rule.KEEP
    carried: Carried = field(default_factory=Carried)
    settings: Mapping[str, object] = field(default_factory=dict)
    gap: int | None = GAP
    word: str | None = None


@dataclass(frozen=True, eq=False)
class Found:
    """What was found in a picture, on one plane or on the planes of a stack.

    Parameters
    ----------
    lines : sequence of sequence of Plane
        Planes in order, from each of which objects go on in the next; see `plane_lines`.
    proposals : mapping of Plane to sequence of Proposal
        What was found.
    anisotropy : float
        Distance of two planes of a line in pixels.
    """

    lines: Sequence[Sequence[Plane]]
    proposals: Mapping[Plane, Sequence[Proposal]]
    anisotropy: float = 1.0

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the planes."""
        return next(one.shape for some in self.proposals.values() for one in some)

    def expected(self, selection: Selection) -> float:
        """Return how many corrections are to be expected, on all planes."""
        return sum(expected_corrections(some, selection) for some in self.proposals.values())


def expected_corrections(found: Sequence[Proposal], selection: Selection) -> float:
    """Return how many of the objects that a selection keeps are expected to be wrong.

    That is the sum of 1 - score, as a score estimates how right a mask is.
    """
    if not found:
        return 0.0
    return float(sum(1 - min(max(one.score, 0.0), 1.0) for one in choose(found, selection).kept))


def fill_in(
    entry: Entry,
    picture: Manifest,
    found: Found,
    rules: FillRules,
    sessions: Path,
) -> Entry:
    """Save a new session with what was found in a picture, and return its entry.

    Parameters
    ----------
    entry : Entry
        The picture, without a session so far.
    picture : Manifest
        What it is known by.
    found : Found
        What the search brought; where there is nothing, no session is saved. All of it is one step.
    rules : FillRules
        What is put, and how.
    sessions : Path
        The folder of all sessions.

    Raises
    ------
    SessionError
        If it cannot be saved.
    """
    expected = found.expected(rules.selection)
    filled = replace(entry, state=State.FILLED, expected=expected, note="")
    if not any(found.proposals.values()):
        return filled
    session = Session()
    nobody_works = WorkClock(lambda: 0.0)
    saving = Autosave(session, sessions, lambda: picture, nobody_works)
    try:
        if rules.carried.scheme != session.scheme:
            session.commit(Configured(rules.carried.scheme))
        _put(session, found, rules)
        view = {"model": rules.carried.model or None, "settings": dict(rules.settings)}
        session.keep_view(view)
        effort = effort_of(session)
    finally:
        saving.close()
    return replace(filled, objects=effort.objects, to_review=effort.to_review)


def _put(session: Session, found: Found, rules: FillRules) -> None:
    """Put what was found into a session as one step, linked along each line of planes."""
    words = None if rules.word is None else [rules.word]
    filling = Filling(session, rules.rule, rules.certain, words)
    for number, line in enumerate(found.lines):
        linker = None
        if rules.gap is not None and len(line) > 1:
            linker = SliceLinker(rules.gap, found.anisotropy)
        for plane in line:
            some = found.proposals.get(plane, ())
            if not some and linker is None:
                continue
            chosen = Chosen(np.zeros(found.shape, np.int32), [])
            if some:
                chosen = choose(some, rules.selection)
            links = None
            if linker is not None:
                links = {one: (number, link) for one, link in linker.take(chosen).items()}
            named = None if rules.word is None else {rules.word: chosen.kept}
            filling.put(plane, chosen, links, named)
    filling.end()
