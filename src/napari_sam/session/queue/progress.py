"""Progress of a queue's pictures, as their saved sessions tell it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from napari_sam.errors import SessionError
from napari_sam.session.changes import LabelScheme
from napari_sam.session.disk.folder import read_session
from napari_sam.session.disk.library import Saved, all_saved
from napari_sam.session.effort.effort import effort_of
from napari_sam.session.queue.queue import Entry, State
from napari_sam.session.session import Session

__all__ = ["Carried", "latest_work", "saved_of", "sessions_of", "with_progress"]


@dataclass(frozen=True)
class Carried:
    """What goes along from picture to picture: the classes, and the model's name if known.

    `path` is the picture on which somebody has worked last, if it is known.
    """

    scheme: LabelScheme = field(default_factory=LabelScheme)
    model: str = ""
    path: Path | None = field(default=None, compare=False)


def saved_of(entries: Iterable[Entry], folder: Path) -> dict[Path, Saved]:
    """Return the latest saved session of each picture that has one.

    Parameters
    ----------
    entries : iterable of Entry
        The pictures.
    folder : Path
        Of all sessions.
    """
    by_source: dict[str, Saved] = {}
    for saved in all_saved(folder):  # latest first
        if saved.manifest.source:
            by_source.setdefault(os.path.abspath(saved.manifest.source), saved)
    found = ((entry.path, by_source.get(os.path.abspath(entry.path))) for entry in entries)
    return {path: saved for path, saved in found if saved is not None}


def sessions_of(entries: Sequence[Entry], folder: Path) -> Iterator[tuple[Entry, Session]]:
    """Yield each entry that has a saved session, with it; what cannot be read is left out."""
    saved = saved_of(entries, folder)
    for entry in entries:
        if entry.path in saved:
            try:
                yield entry, read_session(saved[entry.path].path)
            except SessionError:
                continue


def with_progress(
    entries: Sequence[Entry], folder: Path, pause: Callable[[], None] = lambda: None
) -> list[Entry]:
    """Return the entries with the figures of their saved sessions.

    A picture with a session that the table does not know yet is started; one that is filled in or
    done stays so. `pause` is called before each.
    """
    known = {}
    for entry, session in sessions_of(entries, folder):
        pause()
        after = entry.worked(effort_of(session))
        if not after.prompts and not after.seconds:  # as a search has left it
            filled = entry.state is State.TODO and after.objects
            state = State.FILLED if filled else entry.state
            after = replace(after, state=state)
        known[entry.path] = after
    return [known.get(entry.path, entry) for entry in entries]


def latest_work(entries: Sequence[Entry], folder: Path) -> Carried:
    """Return what was chosen in the latest session of a queue; the usual if there is none."""
    there = saved_of(entries, folder)
    if not there:
        return Carried()
    path, saved = max(there.items(), key=lambda one: one[1].changed)
    try:
        session = read_session(saved.path)
    except SessionError:
        return Carried()
    models = session.ledger.tally.models
    name = session.view.get("model") or (models[-1] if models else "")
    worked = bool(session.ledger.tally.seconds or session.ledger.tally.prompts)
    known = name if isinstance(name, str) else ""
    return Carried(session.scheme, known, path if worked else None)
