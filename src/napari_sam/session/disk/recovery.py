"""Read-only recovery of a session folder: the latest snapshot, and the journals since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from napari_sam.session.disk.journal import Lines, read_journal
from napari_sam.session.disk.manifest import FILE, LOCK
from napari_sam.session.disk.replay import Replay, tidy
from napari_sam.session.disk.rotation import journal_path, journals, snapshot_path, snapshots
from napari_sam.session.disk.snapshot import read_snapshot
from napari_sam.session.ledger import HISTORY_BYTES, Ledger

__all__ = ["FolderContents", "holds_nothing", "read_folder"]


@dataclass(frozen=True, eq=False)
class FolderContents:
    """Session and recovery counts as read from a session folder.

    Parameters
    ----------
    ledger : Ledger
        As it is after the last line.
    generation : int
        Number of the latest snapshot or journal.
    lines : Lines
        Of that journal.
    line : int
        Number of its last line.
    recovered, lost : int
        How many steps, and parts of a snapshot, are in the session and are not.
    whole : bool
        False if anything is damaged, missing or not understood.
    """

    ledger: Ledger
    generation: int
    lines: Lines
    line: int
    recovered: int
    lost: int
    whole: bool


def read_folder(path: Path, history_bytes: int, before: int | None = None) -> FolderContents:
    """Read the latest snapshot and replay the journals since, or what is left of them.

    Of a snapshot that is damaged, an older one takes the place if that and all steps in between
    are still there, else as much of it as can be read.

    Parameters
    ----------
    path : Path
        The folder.
    history_bytes : int
        Bound of the history.
    before : int, optional
        Only what is older than the snapshot of this number.

    Raises
    ------
    OSError
        If a journal cannot be read.
    """
    kept, written = (
        [n for n in numbers(path) if before is None or n < before]
        for numbers in (snapshots, journals)
    )
    generation = max((*kept, *written), default=0)
    for base in (*reversed(kept), 0):
        if set(range(base, generation)) <= set(written):
            ledger = Ledger(history_bytes)
            if _begun(ledger, path, base)[1] == 0:
                whole = range(base, generation + 1)
                return _replayed(ledger, path, whole, generation, (0, 0))
    first, recovered, lost = 0, 0, int(not kept)
    ledger = Ledger(history_bytes)
    for base in reversed(kept):  # the latest of which anything can be read
        recovered, missing = _begun(ledger, path, base)
        lost += missing
        if recovered:
            first = base
            break
        ledger = Ledger(history_bytes)
    steps = [n for n in written if n >= first] or [generation]
    return _replayed(ledger, path, steps, generation, (recovered, lost))


def _begun(ledger: Ledger, path: Path, base: int) -> tuple[int, int]:
    """Fill an empty ledger with a snapshot; return how much of it can be read, and cannot."""
    if base == 0:
        return 0, 0
    try:
        return read_snapshot(ledger, snapshot_path(path, base))
    except Exception:  # whatever damaged data makes the libraries raise
        return 0, 1


def _replayed(
    ledger: Ledger,
    path: Path,
    generations: Sequence[int],
    latest: int,
    counted: tuple[int, int],
) -> FolderContents:
    """Do the steps of these journals again, over a ledger that holds what was before."""
    replay = Replay(ledger, whole=not counted[1])
    for generation in generations:
        lines = read_journal(journal_path(path, generation))
        replay.journal(lines.values)
    if not replay.whole:
        tidy(ledger)
    there = journal_path(path, latest).exists()
    return FolderContents(
        ledger,
        latest,
        lines,
        replay.line,
        replay.recovered + counted[0],
        replay.lost + counted[1],
        replay.whole and there and len(generations) == 1,
    )


def holds_nothing(path: Path) -> bool:
    """Return whether a folder holds no object, not even an undone one, and nothing unknown."""
    journal = journal_path(path, 0)
    try:
        names = {entry.name for entry in path.iterdir()}
        contents, size = read_folder(path, HISTORY_BYTES), journal.stat().st_size
    except OSError:
        return False
    values = contents.lines.values
    return (
        names <= {LOCK, FILE, journal.name}
        and contents.whole
        and contents.lines.end == size
        and not any(value.keys() & {"adopt", "grow"} for value in values)
        and not any(value["do"]["edits"] for value in values if "do" in value)
    )
