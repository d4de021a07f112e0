"""Numbered snapshots and journals of a session folder, and removal of older ones."""

from __future__ import annotations

import shutil
from pathlib import Path

from napari_sam.files import free_path
from napari_sam.session.disk.journal import sync_folder

__all__ = [
    "drop",
    "journal_path",
    "journals",
    "older",
    "set_aside",
    "snapshot_path",
    "snapshots",
]

BEGINNING = "snapshot-", "journal-"


def snapshot_path(path: Path, generation: int) -> Path:
    """Return the path of the snapshot with that number."""
    return path / f"snapshot-{generation:06}"


def journal_path(path: Path, generation: int) -> Path:
    """Return the path of the journal since the snapshot with that number."""
    return path / f"journal-{generation:06}.jsonl"


def snapshots(path: Path) -> list[int]:
    """Return the numbers of all snapshots, ascending."""
    return [n for n in _numbers(path) if snapshot_path(path, n).is_dir()]


def journals(path: Path) -> list[int]:
    """Return the numbers of all journals that are not empty, ascending."""
    there = (n for n in _numbers(path) if journal_path(path, n).is_file())
    return [n for n in there if journal_path(path, n).stat().st_size]


def older(path: Path, generation: int) -> list[int]:
    """Return the numbers of all snapshots and journals older than a snapshot, ascending."""
    return [n for n in _numbers(path) if n < generation]


def drop(path: Path, generation: int) -> None:
    """Delete a snapshot and its journal, which a newer snapshot supersedes."""
    journal_path(path, generation).unlink(missing_ok=True)  # first: nobody misses a lone snapshot
    snapshot = snapshot_path(path, generation)
    if snapshot.exists():
        part = snapshot.with_name(f"{snapshot.name}.part")  # half a snapshot is none
        shutil.rmtree(part, ignore_errors=True)
        shutil.rmtree(snapshot.rename(part), ignore_errors=True)


def set_aside(path: Path, generation: int) -> None:
    """Rename a snapshot and its journal to ``.damaged``; nothing reads or deletes them then."""
    for entry in (journal_path(path, generation), snapshot_path(path, generation)):
        if entry.exists():
            entry.rename(free_path(entry.with_suffix(".damaged")))
    sync_folder(path)


def _numbers(path: Path) -> list[int]:
    """Return the numbers in names that are exactly ours."""
    names = {entry.name for entry in path.iterdir()}
    ends = (
        name.removeprefix(start).removesuffix(".jsonl") for name in names for start in BEGINNING
    )
    numbers = {int(end) for end in ends if end.isascii() and end.isdigit()}
    ours = {n: {snapshot_path(path, n).name, journal_path(path, n).name} for n in numbers}
    return sorted(n for n, both in ours.items() if both & names)
