"""A file that is only ever appended to; each line is safe on disk before `append` returns."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import zlib
from pathlib import Path
from typing import Any

__all__ = ["Journal", "read_journal"]

UNSUPPORTED = errno.EINVAL, errno.ENOTSUP, errno.ENOSYS  # folders of some network drives


class Journal:
    """Appends JSON values to a file, one line each, with a checksum in front.

    Parameters
    ----------
    path : Path
        The file; made where it is missing.

    Attributes
    ----------
    size : int
        Bytes in it.
    """

    def __init__(self, path: Path) -> None:
        new = not path.exists()
        self._path = path
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | _BINARY, 0o644)
        self.size = os.fstat(self._file).st_size
        if new:
            sync_folder(path.parent)

    def append(self, value: Any, sync: bool = True) -> None:
        """Write a line and wait until the disk has it.

        Raises
        ------
        OSError
            If it cannot be written, or nobody would find it; the file is as it was.
        """
        text = json.dumps(value, separators=(",", ":")).encode()
        line = b"%08x %s\n" % (zlib.crc32(text), text)
        if not self._path.exists():  # an open file can be written to even so, in vain
            raise FileNotFoundError(errno.ENOENT, "it was moved or deleted", str(self._path))
        if os.fstat(self._file).st_size != self.size:  # a failed write, and no way to undo it then
            os.ftruncate(self._file, self.size)
        try:
            written = 0
            while written < len(line):
                written += os.write(self._file, line[written:])
            if sync:
                os.fsync(self._file)
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self.size)
            raise
        self.size += len(line)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def read_journal(path: Path) -> tuple[list[Any], int, bool]:
    """Read all lines up to the first one that is torn or damaged.

    Returns
    -------
    values : list
        What was appended.
    end : int
        Where the good part of the file ends, in bytes.
    damaged : bool
        True if more follows than one torn line, which a crash leaves behind.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    data = path.read_bytes() if path.exists() else b""
    values: list[Any] = []
    end = 0
    while end < len(data):
        stop = data.find(b"\n", end)
        line = data[end:stop] if stop >= 0 else b""
        if not _whole(line):
            return values, end, stop >= 0 and stop + 1 < len(data)
        values.append(json.loads(line[9:]))
        end = stop + 1
    return values, end, False


def cut(path: Path, end: int) -> None:
    """Drop what follows the good part of a journal."""
    with open(path, "r+b") as file:
        file.truncate(end)
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make new and renamed files of a folder survive a power cut, where the system can."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise
    finally:
        os.close(handle)


def _whole(line: bytes) -> bool:
    try:
        return int(line[:8], 16) == zlib.crc32(line[9:])
    except ValueError:
        return False


_BINARY = getattr(os, "O_BINARY", 0)
