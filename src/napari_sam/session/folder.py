"""A session on disk: a journal that takes every step, and now and then a snapshot of the whole."""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from napari_sam.errors import SessionError
from napari_sam.session.codec import Codec, InlineMasks
from napari_sam.session.journal import Journal, cut, read_journal, sync_folder
from napari_sam.session.ledger import HISTORY_BYTES, Ledger
from napari_sam.session.manifest import Manifest
from napari_sam.session.records import Record, Viewed
from napari_sam.session.session import Session
from napari_sam.session.snapshot import read_snapshot, write_snapshot

__all__ = ["Restored", "SessionFolder", "locked", "read_session", "restore"]

LONG_JOURNAL = 32 * 2**20  # bytes; a snapshot is written then
LONG_AT_CLOSE = 2**20
UNREADABLE = OSError, ValueError, KeyError, TypeError, IndexError


class SessionFolder:
    """The folder of one session, locked against everybody else; fits `Log` by shape.

    See ``docs/session-format.md``. Made by `SessionFolder.create` or `restore`.

    Attributes
    ----------
    path : Path
        The folder.
    manifest : Manifest
        The picture that is annotated.
    """

    def __init__(self, path: Path, lock: FileLock, generation: int) -> None:
        self.path = path
        self.manifest = Manifest.read(path)
        self._lock = lock
        self._generation = generation
        self._journal = Journal(_journal(path, generation))
        self._codec = Codec(InlineMasks())
        self._session: Ledger | None = None

    @classmethod
    def create(cls, path: Path, picture: Manifest) -> SessionFolder:
        """Make a new folder for the session of a picture.

        Raises
        ------
        SessionError
            If it exists or cannot be written.
        """
        try:
            path.mkdir(parents=True)
            lock = locked(path)
            picture.write(path)
            sync_folder(path)
            return cls(path, lock, 0)
        except OSError as error:
            raise SessionError(f"the session cannot be saved in {path}: {error}") from error

    def serve(self, session: Ledger) -> None:
        """Take this session's records; from now on a step counts once it is on disk."""
        self._session = session
        session.log = self

    def append(self, record: Record) -> None:
        """Write a record; it is on disk when this returns.

        Raises
        ------
        SessionError
            If it cannot be written.
        """
        try:
            if self._journal.size > LONG_JOURNAL:
                self.take_snapshot()
            self._journal.append(self._codec.record(record), sync=not isinstance(record, Viewed))
        except OSError as error:
            raise SessionError(
                f"this step could not be saved in {self.path} and was not taken: {error}"
            ) from error

    def describe(self, picture: Manifest) -> None:
        """Say that the session belongs to another picture, or to one with other pixels.

        Raises
        ------
        SessionError
            If it cannot be written; it belongs to the one before.
        """
        try:
            picture.write(self.path)
        except OSError as error:
            raise SessionError(f"{self.path} cannot be written: {error}") from error
        self.manifest = picture

    def take_snapshot(self) -> None:
        """Write the whole session anew and begin an empty journal.

        Raises
        ------
        OSError
            If it cannot be written; the old snapshot and journal stay.
        """
        if self._session is None:
            return
        old, next_ = self._journal, self._generation + 1
        journal = Journal(_journal(self.path, next_))  # counts for nothing without its snapshot
        try:
            write_snapshot(self._session, _snapshot(self.path, next_))
        except BaseException:
            journal.close()
            raise
        self._journal, self._generation = journal, next_
        old.close()
        _drop_older(self.path, next_)

    def close(self) -> None:
        """Let the session go and the folder be opened by others.

        A folder in which no object ever was is taken away.
        """
        session, empty = self._session, False
        if session is not None:
            session.log = None
            changes = (*session.history.done, *session.history.undone)
            empty = not session.objects and not any(change.edits for change in changes)
            if not empty and self._journal.size > LONG_AT_CLOSE:
                with contextlib.suppress(OSError):  # the journal holds everything too
                    self.take_snapshot()
        self._session = None
        self._journal.close()
        self._lock.release()
        if empty:
            shutil.rmtree(self.path, ignore_errors=True)


@dataclass(frozen=True, eq=False)
class Restored:
    """A session that goes on.

    Parameters
    ----------
    session : Session
        As it was, with its history; without a target so far.
    folder : SessionFolder
        Which takes its further steps.
    damaged : bool
        True if a part of the journal could not be read; it is kept in a file of its own.
    """

    session: Session
    folder: SessionFolder
    damaged: bool


def restore(path: Path, history_bytes: int = HISTORY_BYTES) -> Restored:
    """Open a saved session and go on with it.

    Raises
    ------
    SessionError
        If it is open elsewhere, or not a session, or of a later version, or cannot be read.

    Examples
    --------
    >>> import tempfile, numpy as np
    >>> from napari_sam.session.changes import Kind
    >>> from napari_sam.session.fingerprint import Fingerprint
    >>> from napari_sam.session.proposals import Proposal
    >>> path, session = Path(tempfile.mkdtemp()) / "mine", Session()
    >>> picture = Manifest(Fingerprint.of((2, 3), np.zeros((2, 3))), "cells.tif")
    >>> folder = SessionFolder.create(path, picture)
    >>> folder.serve(session)
    >>> with session.begin(Kind.AUTOMATIC) as batch:
    ...     ids = batch.add((None, None), [Proposal(np.ones((2, 3), bool))])
    >>> folder.close()
    >>> restored = restore(path)
    >>> restored.folder.manifest.name, restored.session.objects[1].pixels
    ('cells.tif', 6)
    >>> restored.session.undo()
    >>> len(restored.session.objects)
    0
    >>> restored.folder.close()
    """
    Manifest.read(path)
    try:
        lock = locked(path)
    except OSError as error:
        raise SessionError(f"the session in {path} cannot be opened: {error}") from error
    try:
        session, generation, end, damaged = _read(path, history_bytes)
        journal = _journal(path, generation)
        if damaged:
            shutil.copyfile(journal, journal.with_suffix(".damaged"))
        if journal.exists() and journal.stat().st_size > end:
            cut(journal, end)
        _drop_older(path, generation)
        folder = SessionFolder(path, lock, generation)
    except BaseException as error:
        lock.release()
        if isinstance(error, UNREADABLE):
            raise SessionError(f"the session in {path} cannot be read: {error!r}") from error
        raise
    folder.serve(session)
    return Restored(session, folder, damaged)


def read_session(path: Path) -> Session:
    """Return what is saved, only to look at: nothing is locked, and nothing in the folder changes.

    Raises
    ------
    SessionError
        If it cannot be read.
    """
    try:
        return _read(path, HISTORY_BYTES)[0]
    except UNREADABLE as error:
        raise SessionError(f"the session in {path} cannot be read: {error!r}") from error


def _read(path: Path, history_bytes: int) -> tuple[Session, int, int, bool]:
    session = Session(history_bytes=history_bytes)
    generation = max(_generations(path), default=0)
    if generation:
        read_snapshot(session, _snapshot(path, generation))
    values, end, damaged = read_journal(_journal(path, generation))
    codec = Codec(InlineMasks())
    for value in values:
        session.replay(codec.read_record(value))
    return session, generation, end, damaged


def locked(path: Path) -> FileLock:
    """Lock a folder against everybody else.

    Raises
    ------
    SessionError
        If somebody works in it.
    OSError
        If it cannot be written.
    """
    lock = FileLock(path / "lock", timeout=0, thread_local=False)
    try:
        lock.acquire()
    except Timeout as error:
        raise SessionError(
            f"the session in {path} is open in another window; close it there first"
        ) from error
    return lock


def _generations(path: Path) -> list[int]:
    names = (folder.name.partition("-") for folder in path.glob("snapshot-*"))
    return [int(number) for _, _, number in names if number.isdigit()]


def _snapshot(path: Path, generation: int) -> Path:
    return path / f"snapshot-{generation:06}"


def _journal(path: Path, generation: int) -> Path:
    return path / f"journal-{generation:06}.jsonl"


def _drop_older(path: Path, generation: int) -> None:
    """Drop what the newest snapshot has made superfluous; what is left is harmless."""
    for entry in (*path.glob("snapshot-*"), *path.glob("journal-*.jsonl")):
        if entry not in (_snapshot(path, generation), _journal(path, generation)):
            if entry.is_dir():
                shutil.rmtree(entry, ignore_errors=True)
            else:
                entry.unlink(missing_ok=True)
