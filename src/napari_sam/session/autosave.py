"""Where sessions lie, and a log that makes its folder with the first thing that is drawn."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import platformdirs

from napari_sam.session.fingerprint import Fingerprint
from napari_sam.session.folder import SessionFolder
from napari_sam.session.ledger import Ledger
from napari_sam.session.records import Record

__all__ = ["Autosave", "Saved", "find_saved", "sessions_folder"]


def sessions_folder() -> Path:
    """Return where sessions are saved: the user's data folder, or ``NAPARI_SAM_SESSIONS``."""
    chosen = os.environ.get("NAPARI_SAM_SESSIONS")
    if chosen:
        return Path(chosen)
    return Path(platformdirs.user_data_dir("napari-sam", appauthor=False)) / "sessions"


class Autosave:
    """Saves a session from its first step on; fits `Log` by shape.

    Parameters
    ----------
    session : Session
        What to save.
    parent : Path
        Holds the folders of all sessions.
    fingerprint : callable
        Takes the picture's fingerprint; called with the first step.
    name : str
        What the picture is called.

    Attributes
    ----------
    folder : SessionFolder or None
        Once there is something in it.
    """

    def __init__(
        self, session: Ledger, parent: Path, fingerprint: Callable[[], Fingerprint], name: str = ""
    ) -> None:
        self.folder: SessionFolder | None = None
        self._session = session
        self._parent = parent
        self._fingerprint = fingerprint
        self._name = name
        session.log = self

    def append(self, record: Record) -> None:
        """Make the folder and write the first record; all others go there directly.

        Raises
        ------
        SessionError
            If it cannot be saved.
        """
        picture = self._fingerprint()
        self.folder = SessionFolder.create(_free(self._parent, picture), picture, self._name)
        self.folder.serve(self._session)
        self.folder.append(record)

    def close(self) -> None:
        """Save no more."""
        self._session.log = None
        if self.folder is not None:
            self.folder.close()


@dataclass(frozen=True)
class Saved:
    """A session that can be restored.

    Parameters
    ----------
    path : Path
        Its folder, for `restore`.
    changed : datetime
        When it was worked on last.
    """

    path: Path
    changed: datetime


def find_saved(picture: Fingerprint, parent: Path) -> list[Saved]:
    """Return the saved sessions of a picture, latest first."""
    found = []
    for path in parent.glob(f"{picture.digest[:16]}-*"):
        times = [entry.stat().st_mtime for entry in path.glob("journal-*.jsonl")]
        if times:
            found.append(Saved(path, datetime.fromtimestamp(max(times))))
    return sorted(found, key=lambda saved: saved.changed, reverse=True)


def _free(parent: Path, picture: Fingerprint) -> Path:
    number = 1
    while (path := parent / f"{picture.digest[:16]}-{number}").exists():
        number += 1
    return path
