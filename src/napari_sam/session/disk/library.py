"""Library of saved sessions: find them, match them to an image, delete them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import platformdirs

from napari_sam.errors import SessionError
from napari_sam.session.disk.fingerprint import Match
from napari_sam.session.disk.folder import locked, read_session
from napari_sam.session.disk.manifest import LOCK, Manifest, folder_name
from napari_sam.settings import load_settings

__all__ = [
    "Saved",
    "Unreadable",
    "all_saved",
    "all_unreadable",
    "best_match",
    "delete_saved",
    "matches",
    "sessions_folder",
]

BEGINNING = "journal-", "snapshot-"


def sessions_folder() -> Path:
    """Return where sessions are saved.

    That is ``NAPARI_SAM_SESSIONS``, else the folder of the settings, else the user's data folder.
    """
    chosen = os.environ.get("NAPARI_SAM_SESSIONS") or load_settings().sessions_folder
    if chosen:
        return Path(chosen).expanduser()
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
    def obstacle(self) -> str:
        """Reason why the session cannot be continued now; empty if it can."""
        try:
            locked(self.path).release()
        except SessionError as error:
            return str(error)
        except OSError as error:
            return f"nothing can be written in {self.path} ({error.strerror})"
        return ""

    @property
    def is_open(self) -> bool:
        """True while the session is open in a window, or if it cannot be written."""
        return bool(self.obstacle)

    @property
    def size(self) -> int:
        """Size on disk in bytes."""
        return _size(self.path)

    def count(self) -> int:
        """Return the number of objects; this reads the whole session.

        Raises
        ------
        SessionError
            If it cannot be read.
        """
        return len(read_session(self.path).objects)


@dataclass(frozen=True)
class Unreadable:
    """Entry of the sessions folder that cannot be opened.

    Parameters
    ----------
    path : Path
        What it is.
    reason : str
        Why not.
    manifest : Manifest or None
        Of which picture, if it says so.
    """

    path: Path
    reason: str
    manifest: Manifest | None

    @property
    def size(self) -> int:
        """Size on disk in bytes."""
        return _size(self.path)

    def is_of(self, now: Manifest) -> bool:
        """Return whether it belongs to an image, by its manifest or its folder name."""
        known = self.manifest
        by_name = self.path.name.startswith(f"{folder_name(now)}-")
        return by_name or (known is not None and _compared(known, now) is not None)


def all_saved(parent: Path) -> list[Saved]:
    """Return all sessions of a folder that can be opened, latest first.

    Raises
    ------
    SessionError
        If the folder itself cannot be read.
    """
    found = [one for one in _look(parent) if isinstance(one, Saved)]
    return sorted(found, key=lambda saved: saved.changed, reverse=True)


def all_unreadable(parent: Path) -> list[Unreadable]:
    """Return all entries of the sessions folder that cannot be opened, sorted by name.

    Raises
    ------
    SessionError
        If the folder itself cannot be read.
    """
    found = [one for one in _look(parent) if isinstance(one, Unreadable)]
    return sorted(found, key=lambda one: one.path)


def matches(saved: Sequence[Saved], now: Manifest) -> list[tuple[Saved, Match]]:
    """Return the saved sessions of an image, each with how its image compares with the current one.

    Those of the same content come first, wherever the file is; then those of the same file, whose
    content has changed since.

    Parameters
    ----------
    saved : sequence of Saved
        Latest first.
    now : Manifest
        The picture as it is.
    """
    compared = [(one, _compared(one.manifest, now)) for one in saved]
    found = [(one, match) for one, match in compared if match is not None]
    return sorted(found, key=lambda pair: pair[1] is not Match.SAME)


def best_match(
    saved: Sequence[Saved], now: Manifest, passed_over: Sequence[Path] = ()
) -> tuple[Saved, Match] | None:
    """Return the first of `matches` that is neither open nor in `passed_over`, or None."""
    candidates = (pair for pair in matches(saved, now) if pair[0].path not in passed_over)
    return next((pair for pair in candidates if not pair[0].is_open), None)


def delete_saved(saved: Saved | Unreadable) -> None:
    """Delete a session for good.

    Raises
    ------
    SessionError
        If it is open somewhere, or cannot be deleted.
    """
    try:
        if saved.path.is_symlink() or not saved.path.is_dir():
            saved.path.unlink()
            return
        locked(saved.path).release()  # at once, because Windows deletes no open file
        shutil.rmtree(saved.path)
    except OSError as error:
        raise SessionError(f"{saved.path} could not be deleted: {error}") from error


def _look(parent: Path) -> Iterator[Saved | Unreadable]:
    """Give everything in the folder of sessions that is not empty or hidden, in any order."""
    try:
        entries = sorted(parent.iterdir())
    except FileNotFoundError:
        return
    except OSError as error:
        raise SessionError(
            f"saved work cannot be looked for in {parent}: {error.strerror}"
        ) from error
    for path in entries:
        if not path.name.startswith("."):
            try:
                names = {entry.name for entry in path.iterdir()} if path.is_dir() else {""}
                if names - {LOCK}:
                    manifest = Manifest.read(path)
                    ours = [name for name in names if name.startswith(BEGINNING)]
                    times = [(path / name).stat().st_mtime for name in ours]
                    if times:  # else nothing was ever drawn
                        yield Saved(path, datetime.fromtimestamp(max(times)), manifest)
            except SessionError as error:
                yield Unreadable(path, str(error), Manifest.glance(path))
            except (OSError, ValueError, OverflowError) as error:
                reason = getattr(error, "strerror", "") or error
                yield Unreadable(path, f"{path} cannot be read ({reason})", None)


def _compared(known: Manifest, now: Manifest) -> Match | None:
    """Return how a picture compares with the one of today; None if it is another one."""
    if known.picture == now.picture:
        return Match.SAME
    same_file = bool(now.source) and known.source == now.source
    return known.picture.compare(now.picture) if same_file else None


def _size(path: Path) -> int:
    try:
        files = [path, *path.rglob("*")]
        return sum(file.lstat().st_size for file in files if file.is_file())
    except OSError:
        return 0
