"""Saved sessions on the shelf: where they lie, whose they are, and how to be rid of one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import platformdirs

from napari_sam.errors import SessionError
from napari_sam.session.fingerprint import Match
from napari_sam.session.folder import locked, read_session
from napari_sam.session.manifest import Manifest

__all__ = ["Saved", "all_saved", "best_match", "delete_saved", "sessions_folder"]


def sessions_folder() -> Path:
    """Return where sessions are saved: the user's data folder, or ``NAPARI_SAM_SESSIONS``."""
    chosen = os.environ.get("NAPARI_SAM_SESSIONS")
    if chosen:
        return Path(chosen)
    return Path(platformdirs.user_data_dir("napari-sam", appauthor=False)) / "sessions"


@dataclass(frozen=True)
class Saved:
    """A session that can be restored.

    Parameters
    ----------
    path : Path
        Its folder, for `restore`.
    changed : datetime
        When it was worked on last.
    manifest : Manifest
        Of which picture.
    """

    path: Path
    changed: datetime
    manifest: Manifest

    @property
    def is_open(self) -> bool:
        """True while somebody works in it, or if it cannot be written."""
        try:
            locked(self.path).release()
        except (SessionError, OSError):
            return True
        return False

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(file.stat().st_size for file in self.path.rglob("*") if file.is_file())

    def count(self) -> int:
        """Return how many objects there are; reads the whole session.

        Raises
        ------
        SessionError
            If it cannot be read.
        """
        return len(read_session(self.path).objects)


def all_saved(parent: Path) -> list[Saved]:
    """Return all sessions of a folder that can be opened, latest first."""
    found = []
    for path in parent.glob("*"):
        times = [entry.stat().st_mtime for entry in path.glob("journal-*.jsonl")]
        try:
            manifest = Manifest.read(path)
        except SessionError:  # of a later version, or no session at all
            continue
        if times:
            found.append(Saved(path, datetime.fromtimestamp(max(times)), manifest))
    return sorted(found, key=lambda saved: saved.changed, reverse=True)


def best_match(
    saved: Sequence[Saved], now: Manifest, passed_over: Sequence[Path] = ()
) -> tuple[Saved, Match] | None:
    """Return the session to go on with, and how its picture compares with the one of today.

    The latest one of the same content, wherever the file is; else the latest one of the same file,
    whose content has changed since.

    Parameters
    ----------
    saved : sequence of Saved
        Latest first.
    now : Manifest
        The picture as it is.
    passed_over : sequence of Path
        Sessions that are not to be offered.
    """
    candidates = [one for one in saved if one.path not in passed_over and not one.is_open]
    for one in candidates:
        if one.manifest.picture == now.picture:
            return one, Match.SAME
    for one in candidates:
        if now.source and one.manifest.source == now.source:
            return one, one.manifest.picture.compare(now.picture)
    return None


def delete_saved(saved: Saved) -> None:
    """Delete a session for good.

    Raises
    ------
    SessionError
        If it is open somewhere, or cannot be deleted.
    """
    try:
        locked(saved.path).release()  # at once, because Windows deletes no open file
        shutil.rmtree(saved.path)
    except OSError as error:
        raise SessionError(f"{saved.path} could not be deleted: {error}") from error
