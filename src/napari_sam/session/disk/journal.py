"""Append-only journal file; each line is safe on disk before `append` returns."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import zlib
from pathlib import Path
from typing import NamedTuple

from napari_sam.session.disk.validate import JsonValue

__all__ = ["Journal", "Lines", "read_journal", "settle_end"]

LINE = re.compile(rb"[^\r\n]*[\r\n]+|[^\r\n]+")
MARK = b"\xef\xbb\xbf"

UNSUPPORTED = errno.EINVAL, errno.ENOTSUP, errno.ENOSYS  # folders of some network drives


class Journal:
    """Append-only file of JSON values, one per line, each after its CRC-32 checksum.

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
        self._torn = False
        self._path = path
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | _BINARY, 0o644)
        self.size = os.fstat(self._file).st_size
        if new:
            sync_folder(path.parent)

    @property
    def untouched(self) -> bool:
        """True unless some other program has written to the file, shortened or replaced it."""
        here = os.fstat(self._file)
        same = self._path.exists() and os.path.samestat(os.stat(self._path), here)
        return same and (here.st_size == self.size or self._torn)

    def append(self, value: JsonValue, sync: bool = True) -> None:
        """Append a value as one line and wait until it is on disk, unless `sync` is False.

        Raises
        ------
        OSError
            If it cannot be written, or nobody would find it; the file is as it was.
        """
        text = json.dumps(value, separators=(",", ":")).encode()
        line = b"%08x %s\n" % (zlib.crc32(text), text)
        if not self._path.exists():  # an open file can be written to even so, in vain
            raise FileNotFoundError(errno.ENOENT, "it was moved or deleted", str(self._path))
        if self._torn:  # a failed write, and no way to undo it then
            os.ftruncate(self._file, self.size)
            self._torn = False
        try:
            written = 0
            while written < len(line):
                written += os.write(self._file, line[written:])
            if sync:
                os.fsync(self._file)
        except OSError:
            self._torn = True
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self.size)
                self._torn = False
            raise
        self.size += len(line)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


class Lines(NamedTuple):
    """Lines read from a journal.

    Parameters
    ----------
    values : list
        What was appended; None for a line that is damaged.
    end : int
        Where in the file the last whole line ends, in bytes; behind it stands the beginning of a
        line, which a crash leaves behind.
    closed : bool
        False if that last line lacks its line end.
    """

    values: list[JsonValue]
    end: int
    closed: bool


def read_journal(path: Path) -> Lines:
    """Read the lines of a journal and verify their checksums; a missing file has none.

    It does not matter which line ends some other program has made of ours, whether it has put a
    mark of UTF-8 in front, or empty lines in between: no line of ours holds any of these.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    data = path.read_bytes() if path.exists() else b""
    values: list[JsonValue] = []
    end, closed = 0, True
    for match in LINE.finditer(data):
        line = match[0].removeprefix(MARK)
        text = line.rstrip(b"\r\n")
        whole = _whole(text)
        if not whole and text == line and match.end() == len(data):
            break
        if text:
            values.append(json.loads(text[9:]) if whole else None)
        end, closed = match.end(), text != line
    return Lines(values, end, closed or not end)


def settle_end(path: Path, lines: Lines) -> None:
    """Repair the end of a journal after a crash; a torn last line is moved to ``.torn``."""
    if not path.exists():
        return
    torn = path.read_bytes()[lines.end :]
    if torn:
        with open(path.with_suffix(".torn"), "ab") as file:
            file.write(torn + b"\n")
            file.flush()
            os.fsync(file.fileno())
        sync_folder(path.parent)
    if torn or not lines.closed:
        with open(path, "r+b") as file:
            file.truncate(lines.end)
            if not lines.closed:
                file.seek(lines.end)
                file.write(b"\n")
            file.flush()
            os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Sync a folder (fsync), so that new and renamed files survive a power cut, if possible."""
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
        if int(line[:8], 16) != zlib.crc32(line[9:]):
            return False
        json.loads(line[9:])
    except (ValueError, RecursionError):
        return False
    return True


_BINARY = getattr(os, "O_BINARY", 0)
