"""Atomic writing of files and folders, and scratch files."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, Literal
from uuid import uuid4

from napari_sam.reasons import FULL, full_disk

__all__ = [
    "LABELS",
    "Json",
    "clear_left_over",
    "file_hash",
    "fill_holes",
    "free_path",
    "replacing",
    "replacing_folder",
    "scratch",
]

Json = dict[str, Any]
"""A JSON object."""

LABELS = "_labels"
"""Behind the name of a picture in that of its labels."""

PART_SUFFIX = ".part"
CHUNK = 1 << 20
MAX_NAME_BYTES = 255  # bytes of a name, on all disks but a few
MIN_STALE_SECONDS = 3600  # seconds after which an unfinished file belongs to nobody any more


def free_path(path: Path) -> Path:
    """Return the path, or the first of "name-2.end", "name-3.end"... that does not exist.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "note.txt"
    >>> path.touch()
    >>> free_path(path).name
    'note-2.txt'
    """
    free, number = path, 2
    while free.exists() or free.is_symlink():
        free = path.with_name(f"{path.stem}-{number}{path.suffix}")
        number += 1
    return free


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Write a file atomically: yield a temporary path, renamed at the end, deleted on error.

    The folder is made where it is missing.

    Raises
    ------
    OSError
        If it cannot be written; of a full disk it says which file.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "new" / "note.txt"
    >>> with replacing(path) as part:
    ...     _ = part.write_text("done")
    >>> [file.name for file in path.parent.iterdir()]
    ['note.txt']
    """
    part = _part(path)
    try:
        with _named(path, part):
            yield part
        part.replace(path)
    finally:
        with suppress(OSError):  # what went wrong before is what counts
            part.unlink(missing_ok=True)


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Write a folder atomically: yield a temporary one, which replaces `path` once complete."""
    part = _part(path)
    old = part.with_suffix(".old")
    try:
        with _named(path, part):
            yield part
        if path.exists():
            path.rename(old)
        part.rename(path)
    except BaseException:
        if old.exists() and not path.exists():
            old.rename(path)
        raise
    finally:
        for folder in (part, old):
            shutil.rmtree(folder, ignore_errors=True)


def clear_left_over(path: Path) -> None:
    """Delete temporary files left by processes that were killed while they wrote `path`.

    What is younger than an hour may be in the hands of another machine, and stays.
    """
    for part in path.parent.glob(f"{escape(_stem(path))}.{'[0-9a-f]' * 12}{PART_SUFFIX}"):
        with suppress(OSError):  # gone already, or not ours to delete
            if time.time() - part.stat().st_mtime > MIN_STALE_SECONDS:
                shutil.rmtree(part) if part.is_dir() else part.unlink()


@contextmanager
def scratch(folder: Path, size: int) -> Iterator[IO[bytes]]:
    """Yield an anonymous temporary file, which the system deletes even if the process is killed.

    All of its bytes are there from the beginning: into a mapped file that the disk has no room for
    nothing can be written, and the system ends the process.

    Parameters
    ----------
    folder : Path
        On whose disk it lies.
    size : int
        In bytes.

    Raises
    ------
    OSError
        If there is no room for it.

    Examples
    --------
    >>> with scratch(Path(), 1000) as file:
    ...     len(file.read())
    1000
    """
    with TemporaryFile(dir=folder) as file:
        try:
            _allocate(file, size)
        except OSError as error:
            if error.errno in FULL:
                raise OSError(error.errno, full_disk(folder, size)) from error
            error.filename = str(folder)
            raise
        yield file


def fill_holes(path: Path) -> None:
    """Take the disk's room for all bytes of a file, where the system can; no byte changes.

    Into a mapped file that the disk has no room for nothing can be written, and the system ends the
    process.

    Raises
    ------
    OSError
        If there is no room for it.
    """
    if not hasattr(os, "posix_fallocate"):
        return
    size = path.stat().st_size
    try:
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, size)
    except OSError as error:
        if error.errno in FULL:
            raise OSError(error.errno, full_disk(path, size)) from error
        raise


def file_hash(path: Path, kind: Literal["sha256", "xxh128"]) -> str:
    """Return the hexadecimal hash of a file.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "note.txt"
    >>> _ = path.write_text("done")
    >>> file_hash(path, "sha256")[:12], file_hash(path, "xxh128")[:12]
    ('a4c3ed04a95a', '567b523aa80e')
    """
    from hashlib import file_digest

    import xxhash

    with path.open("rb") as file:
        return file_digest(file, "sha256" if kind == "sha256" else xxhash.xxh128).hexdigest()


@contextmanager
def _named(path: Path, part: Path) -> Iterator[None]:
    """Say what was being written: of a full disk the system does not, else it names the part."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL or error.filename in (part, str(part)):
            error.filename = str(path)
        raise


def _part(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Process ids are not enough: machines that share the folder have the same ones.
    return path.with_name(f"{_stem(path)}.{uuid4().hex[:12]}{PART_SUFFIX}")


def _stem(path: Path) -> str:
    """Return the name, cut so that there is room for what is put behind it."""
    name, room = os.fsencode(path.name), MAX_NAME_BYTES - len(PART_SUFFIX) - 13
    return path.name if len(name) <= room else name[:room].decode("utf-8", "ignore")


def _allocate(file: IO[bytes], size: int) -> None:
    """Make a file so large that no byte of it can be refused later, when nobody could tell."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.fileno(), 0, size)
    else:
        for begin in range(0, size, CHUNK):
            file.write(bytes(min(CHUNK, size - begin)))
        file.flush()
    os.fsync(file.fileno())  # disks in the network say only now that they are full
