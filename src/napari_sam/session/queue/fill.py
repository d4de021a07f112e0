"""Sessions of pictures that nobody has opened yet, filled with what a search found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from napari_sam.inference.automatic.selection import Selection
from napari_sam.planes import Plane
from napari_sam.results import Proposal
from napari_sam.session.autofill import choose, fill
from napari_sam.session.disk.autosave import Autosave
from napari_sam.session.disk.manifest import Manifest
from napari_sam.session.effort.clock import WorkClock
from napari_sam.session.effort.effort import effort_of
from napari_sam.session.overlap import Rule
from napari_sam.session.queue.progress import Carried
from napari_sam.session.queue.queue import Entry, State
from napari_sam.session.records import Configured
from napari_sam.session.session import Session

__all__ = ["FillRules", "expected_corrections", "fill_in"]


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
    """

    selection: Selection
    certain: float
    rule: Rule = Rule.KEEP
    carried: Carried = field(default_factory=Carried)
    settings: Mapping[str, object] = field(default_factory=dict)


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
    plane: Plane,
    found: Sequence[Proposal],
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
    plane : Plane
        Of which the masks are.
    found : sequence of Proposal
        What the search brought; where there is nothing, no session is saved.
    rules : FillRules
        What is put, and how.
    sessions : Path
        The folder of all sessions.

    Raises
    ------
    SessionError
        If it cannot be saved.
    """
    expected = expected_corrections(found, rules.selection)
    filled = replace(entry, state=State.FILLED, expected=expected, note="")
    if not found:
        return filled
    session = Session()
    nobody_works = WorkClock(lambda: 0.0)
    saving = Autosave(session, sessions, lambda: picture, nobody_works)
    try:
        if rules.carried.scheme != session.scheme:
            session.commit(Configured(rules.carried.scheme))
        fill(session, plane, choose(found, rules.selection), rules.rule, rules.certain)
        view = {"model": rules.carried.model or None, "settings": dict(rules.settings)}
        session.keep_view(view)
        effort = effort_of(session)
    finally:
        saving.close()
    return replace(filled, objects=effort.objects, to_review=effort.to_review)
