"""Files and folders are written complete or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

__all__ = ["free_path", "replacing", "replacing_folder"]


def free_path(path: Path) -> Path:
    """Return the path, or the first of "name-2.end", "name-3.end"... that is not taken.

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
    """Give a temporary name beside `path`, renamed to it at the end, deleted after an error.

    The folder is made where it is missing.

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
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Do the same for a folder: what was there before goes once the new one is complete."""
    part = _part(path)
    old = part.with_suffix(".old")
    try:
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


def _part(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Process ids are not enough: machines that share the folder have the same ones.
    return path.with_name(f"{path.name}.{uuid4().hex[:12]}.part")
