"""Session folder: a write-ahead journal of every record, and a snapshot from time to time."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from napari_sam.errors import SessionError
from napari_sam.session.disk.codec import Codec, InlineMasks
from napari_sam.session.disk.journal import Journal, settle_end, sync_folder
from napari_sam.session.disk.manifest import FILE, LOCK, Manifest
from napari_sam.session.disk.recovery import FolderContents, holds_nothing, read_folder
from napari_sam.session.disk.rotation import drop, journal_path, older, set_aside, snapshot_path
from napari_sam.session.disk.snapshot import write_snapshot
from napari_sam.session.effort.clock import WorkClock
from napari_sam.session.ledger import HISTORY_BYTES
from napari_sam.session.records import Record, Viewed
from napari_sam.session.session import Session

__all__ = ["Restored", "SessionFolder", "locked", "read_session", "restore"]

LONG_JOURNAL = 32 * 2**20  # bytes; a snapshot is written then
LONG_AT_CLOSE = 2**20


class SessionFolder:
    """Folder of one session, exclusively locked; fits the `RecordLog` protocol.

    See ``docs/session-format.md``. Made by `SessionFolder.create` or `restore`.

    Attributes
    ----------
    path : Path
        The folder.
    manifest : Manifest
        The picture that is annotated.
    written : datetime or None
        When a record was written last; None while none was since it was opened.
    """

    def __init__(
        self,
        path: Path,
        lock: FileLock,
        generation: int = 0,
        line: int = 0,
        whole: bool = True,
        clock: WorkClock | None = None,
    ) -> None:
        self.path = path
        self.manifest = Manifest.read(path)
        self.written: datetime | None = None
        self._lock = lock
        self._generation = generation
        self._line = line  # number of the journal's last one
        self._whole = whole  # False if what is there so far is damaged, and to be kept
        self._journal = Journal(journal_path(path, generation))
        self._codec = Codec(InlineMasks())
        self._session: Session | None = None
        self._clock = clock or WorkClock()

    @classmethod
    def create(cls, path: Path, picture: Manifest, clock: WorkClock | None = None) -> SessionFolder:
        """Create the folder for a new session of an image; `clock` runs since work on it began.

        Raises
        ------
        SessionError
            If it exists or cannot be written.
        """
        try:
            path.mkdir(parents=True)
            lock = locked(path)
            try:
                picture.write(path)
                sync_folder(path)
                return cls(path, lock, clock=clock)
            except BaseException:
                lock.release()
                _take_away(path)
                raise
        except OSError as error:
            raise SessionError(f"the session cannot be saved in {path}: {error}") from error

    def serve(self, session: Session) -> None:
        """Become the log of a session; from now on a step counts only once it is on disk."""
        self._session = session
        session.log = self

    def append(self, record: Record) -> None:
        """Append a record to the journal; it is on disk when this returns.

        Raises
        ------
        SessionError
            If it cannot be written.
        """
        try:
            if self._journal.size > LONG_JOURNAL or self._meddled:
                self.take_snapshot()
            worked = self._clock.lap()
            value = {**self._codec.record(record), "line": self._line + 1, "worked": worked}
            self._journal.append(value, sync=not isinstance(record, Viewed))
            self._line += 1
            if self._session is not None:
                self._session.ledger.tally.work(worked)
            self.written = datetime.now()
        except OSError as error:
            raise SessionError(
                f"this step could not be saved in {self.path} and was not taken: {error}"
            ) from error

    def describe(self, picture: Manifest) -> None:
        """Replace the manifest, as the session belongs to another image or its pixels have changed.

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
        """Write a snapshot of the whole session and start an empty journal.

        Raises
        ------
        OSError
            If it cannot be written; the old snapshot and journal stay.
        """
        if self._session is None:
            return
        old, next_ = self._journal, self._generation + 1
        journal = Journal(journal_path(self.path, next_))  # counts for nothing without its snapshot
        try:
            write_snapshot(self._session.ledger, snapshot_path(self.path, next_))
        except BaseException:
            journal.close()
            raise
        superfluous = self._whole and not self._meddled
        before, self._generation = self._generation, next_
        self._journal, self._line, self._whole = journal, 0, True
        old.close()
        (drop if superfluous else set_aside)(self.path, before)

    def close(self) -> None:
        """Detach from the session, close the journal and release the lock.

        A folder in which no object ever was is taken away, unless it holds anything else.
        """
        session, empty = self._session, False
        if session is not None:
            session.log = None
            changes = session.history.known
            empty = not session.objects and not any(change.edits for change in changes)
            empty = empty and holds_nothing(self.path)
            if not empty and (self._journal.size > LONG_AT_CLOSE or self._meddled):
                with contextlib.suppress(OSError):  # the journal holds everything too
                    self.take_snapshot()
        self.let_go()
        if empty:
            _take_away(self.path)

    def let_go(self) -> None:
        """Close the journal and release the lock, without a snapshot or clean-up."""
        self._session = None
        self._journal.close()
        self._lock.release()

    @property
    def _meddled(self) -> bool:
        """True if another program has changed the journal: steps are no longer safe in it."""
        return self.path.exists() and not self._journal.untouched


@dataclass(frozen=True, eq=False)
class Restored:
    """Result of `restore`: the session, its open folder, and what was recovered and lost.

    Parameters
    ----------
    session : Session
        As it was, with its history; without a target so far.
    folder : SessionFolder
        Which takes its further steps.
    damaged : bool
        True if a part of what was saved could not be read; it is kept under another name.
    recovered, lost : int
        How many steps, and parts of a snapshot, could be read and could not.
    """

    session: Session
    folder: SessionFolder
    damaged: bool
    recovered: int = 0
    lost: int = 0


def restore(path: Path, history_bytes: int = HISTORY_BYTES) -> Restored:
    """Open a saved session to continue it.

    Raises
    ------
    SessionError
        If it is open elsewhere, or not a session, or of a later version, or cannot be read.

    Examples
    --------
    >>> import tempfile, numpy as np
    >>> from napari_sam.session.changes import Kind
    >>> from napari_sam.session.disk.fingerprint import Fingerprint
    >>> from napari_sam.session.batch import Batch, NewMask
    >>> path, session = Path(tempfile.mkdtemp()) / "mine", Session()
    >>> picture = Manifest(Fingerprint.of((2, 3), np.zeros((2, 3))), "cells.tif")
    >>> folder = SessionFolder.create(path, picture)
    >>> folder.serve(session)
    >>> with Batch(session, Kind.AUTOMATIC) as batch:
    ...     ids = batch.add((None, None), [NewMask(np.ones((2, 3), bool))])
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
        raise SessionError(
            f"nothing can be written in {path} ({error.strerror}), so that no work can go on there"
        ) from error
    try:
        contents = _read(path, history_bytes)
        session = Session(ledger=contents.ledger)
        folder = _opened(path, lock, contents, session)
    except BaseException as error:
        lock.release()
        if isinstance(error, Exception) and not isinstance(error, SessionError):
            raise SessionError(
                f"no work can go on in {path}: {getattr(error, 'strerror', None) or error}"
            ) from error
        raise
    return Restored(session, folder, not contents.whole, contents.recovered, contents.lost)


def read_session(path: Path) -> Session:
    """Read a saved session without locking its folder or changing anything in it.

    Raises
    ------
    SessionError
        If it cannot be read.
    """
    return Session(ledger=_read(path, HISTORY_BYTES).ledger)


def _read(path: Path, history_bytes: int) -> FolderContents:
    try:
        contents = read_folder(path, history_bytes)
    except Exception as error:  # whatever damaged data makes the libraries raise
        reason = getattr(error, "strerror", None) or error
        raise SessionError(f"the session in {path} cannot be read: {reason}") from error
    ledger = contents.ledger
    empty = not ledger.objects and not ledger.history.known and ledger.draft.is_empty
    if empty and not contents.whole:
        raise SessionError(
            f"nothing of what was saved in {path} can be read, as it is damaged. It is left as it "
            "is; if you have a copy of that folder, put it there instead"
        )
    return contents


def _opened(
    path: Path, lock: FileLock, contents: FolderContents, session: Session
) -> SessionFolder:
    """Go on behind the last line; where something is damaged, with all that is left of it, anew."""
    journal = journal_path(path, contents.generation)
    if contents.whole:
        settle_end(journal, contents.lines)
        _clear(path, contents)
    folder = SessionFolder(path, lock, contents.generation, contents.line, contents.whole)
    folder.serve(session)
    if not contents.whole:
        try:
            folder.take_snapshot()
            for generation in older(path, contents.generation):
                set_aside(path, generation)
        except BaseException:
            folder.let_go()
            raise
    return folder


def _take_away(path: Path) -> None:
    """Delete a folder in which there is nothing but an empty session."""
    with contextlib.suppress(OSError):  # what is left of it is no harm
        for file in (journal_path(path, 0), path / FILE, path / LOCK):
            file.unlink(missing_ok=True)
        path.rmdir()


def _clear(path: Path, contents: FolderContents) -> None:
    """Drop what the latest snapshot has made superfluous, if it is that and nothing more."""
    past = older(path, contents.generation)
    superfluous = bool(past) and _is_superfluous(path, contents)
    for generation in past:
        (drop if superfluous else set_aside)(path, generation)


def _is_superfluous(path: Path, contents: FolderContents) -> bool:
    try:
        known = read_folder(path, HISTORY_BYTES, before=contents.generation)
    except Exception:  # whatever damaged data makes the libraries raise
        return False
    return known.whole and known.ledger.number <= contents.ledger.number


def locked(path: Path) -> FileLock:
    """Acquire the exclusive lock of a session folder.

    Raises
    ------
    SessionError
        If somebody works in it.
    OSError
        If it cannot be written.
    """
    lock = FileLock(path / LOCK, timeout=0, thread_local=False)
    try:
        lock.acquire()
    except Timeout as error:
        raise SessionError(
            f"the session in {path} is open in another window; close it there first"
        ) from error
    except NotImplementedError as error:
        raise SessionError(
            f"{path} lies on a drive that cannot lock files; let NAPARI_SAM_SESSIONS name a folder "
            "on another drive"
        ) from error
    return lock
