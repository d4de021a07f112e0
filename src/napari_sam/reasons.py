"""Plain-language messages for exceptions of any kind."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

__all__ = ["full_disk", "reason", "shown"]

FULL = (errno.ENOSPC, errno.EDQUOT) if hasattr(errno, "EDQUOT") else (errno.ENOSPC,)
PLAIN = {
    errno.EROFS: "{} cannot be written: the disk is read-only",
    errno.EACCES: "{} may not be read or written by you: look at its permissions",
    errno.EPERM: "{} may not be changed by you: look at its permissions",
    errno.ENAMETOOLONG: "the name {} is too long for this disk; choose a shorter one",
    errno.ELOOP: "{} is a link that leads to itself",
    errno.ENOENT: "{} is not there, or not any more",
    errno.ENOTDIR: "{} is needed as a folder, and a file of that name is in its way",
    errno.EEXIST: "{} is needed as a folder, and a file of that name is in its way",
    errno.EFBIG: "what is written to {} is too large for this disk",
    errno.EISDIR: "{} is a folder, where a file is needed",
}
"""What the system's numbers of errors mean; the rest is told in the system's own words."""


def reason(error: BaseException) -> str:
    """Return a message for users that says why something failed.

    Examples
    --------
    >>> reason(IsADirectoryError(errno.EISDIR, "Is a directory", "out"))
    'out is a folder, where a file is needed'
    >>> reason(KeyError()), reason(ValueError("it is damaged"))
    ('KeyError', 'it is damaged')
    """
    if isinstance(error, MemoryError):
        said = str(error).strip()
        return f"the memory is not enough{f': {said}' if said else ''}"
    if not isinstance(error, OSError) or error.errno is None:
        return str(error) or type(error).__name__
    if error.strerror and error.strerror != os.strerror(error.errno):
        return error.strerror  # a sentence of our own
    where = "" if error.filename is None else os.fsdecode(error.filename)
    if error.errno in FULL:
        return full_disk(Path(where)) if where else "the disk is full"
    if where and error.errno in PLAIN:
        return PLAIN[error.errno].format(where)
    return f"{where}: {error.strerror}" if where else str(error.strerror)


def full_disk(path: Path, needed: int = 0) -> str:
    """Return the message that a disk is full, with the space needed and the space free.

    Parameters
    ----------
    path : Path
        What was to be written, or its folder.
    needed : int
        Bytes; 0 if nobody knows.
    """
    there = path if path.is_dir() else path.parent
    wanted = f"{needed / 1e6:,.1f} MB are needed, " if needed else ""
    try:
        left = f": {wanted}{shutil.disk_usage(there).free / 1e6:,.1f} MB are free"
    except OSError:  # the folder has gone, too
        left = ""
    return f"the disk of {there} is full{left}"


def shown(name: object) -> str:
    r"""Return a text in one line that any terminal can show; escape what is not printable.

    Examples
    --------
    >>> print(shown("new\nline \udcff é"))
    new\nline \udcff é
    """
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(name))
