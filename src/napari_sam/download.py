"""One file from the network: resumed where it stopped, verified, and only then put in its place."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from napari_sam.errors import DownloadError
from napari_sam.hashes import has_hash

__all__ = ["Progress", "download", "megabytes"]

Progress = Callable[[int, int], None]
CHUNK = 1 << 20
TIMEOUT = 10.0, 60.0  # seconds to connect, and to wait for the next bytes


def megabytes(size: int) -> str:
    """Return a size in bytes for people.

    Examples
    --------
    >>> megabytes(375042383)
    '375 MB'
    """
    return f"{size / 1e6:.0f} MB"


def download(
    url: str, target: Path, known_hash: str, size: int = 0, progress: Progress | None = None
) -> None:
    """Download a file, or the rest of it.

    The bytes go to ``<target>.part``, which is kept when the download stops half-way, and is
    renamed to `target` only when it is complete and its hash is right.

    Parameters
    ----------
    url : str
        Where the file is.
    target : Path
        Where it shall be; an older file is replaced.
    known_hash : str
        ``sha256:...`` or ``xxh128:...``.
    size : int
        In bytes; 0 when unknown.
    progress : callable, optional
        Called with the bytes that have arrived and the bytes in all (0 when unknown). An exception
        that it raises stops the download and reaches the caller.

    Raises
    ------
    DownloadError
        When the network, the disk or the file itself is at fault.
    """
    import requests

    part = target.with_name(f"{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if size and part.exists() and part.stat().st_size > size:
            part.unlink()
        have = part.stat().st_size if part.exists() else 0
        free = shutil.disk_usage(target.parent).free
        if size - have > free:
            raise OSError(f"the disk has {megabytes(free)} left, {megabytes(size - have)} needed")
        if not (size and have == size):
            _receive(url, part, size, progress)
        if not has_hash(part, known_hash):
            part.unlink()
            raise DownloadError(
                f"What {url} sent is not the published {target.name}: its hash is not {known_hash}."
                f" It was deleted. Try again, or place a file that you trust at {target}."
            )
        part.replace(target)
    except (requests.RequestException, OSError) as error:  # the first is a kind of the second
        kept = f" {megabytes(part.stat().st_size)} are kept." if part.exists() else ""
        raise DownloadError(
            f"Could not download {target.name} from {url}: {error}.{kept} "
            "Check the connection and the disk and start it again, it goes on where it stopped; "
            f"or download it by hand and place it at {target}."
        ) from error


def _receive(url: str, part: Path, size: int, progress: Progress | None) -> None:
    """Append what is missing to `part`; start anew where the server cannot resume."""
    import requests

    done = part.stat().st_size if part.exists() else 0
    headers = {"Accept-Encoding": "identity"}  # a compressed answer has other byte ranges
    if done:
        headers["Range"] = f"bytes={done}-"
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
        if response.status_code == requests.codes.requested_range_not_satisfiable:
            if response.headers.get("Content-Range") == f"bytes */{done}":
                return  # it was complete already
            part.unlink()
            raise OSError("the part kept from an earlier attempt did not fit and was deleted")
        response.raise_for_status()
        if response.status_code != requests.codes.partial_content:
            done = 0  # the whole file is coming
        length = response.headers.get("Content-Length")
        total = size or (done + int(length) if length else 0)
        with part.open("ab" if done else "wb") as file:
            for chunk in _chunks(response.iter_content(CHUNK), done, total, progress):
                file.write(chunk)
    if total and part.stat().st_size != total:
        raise OSError(f"only {part.stat().st_size} of {total} bytes arrived")


def _chunks(
    chunks: Iterator[bytes], done: int, total: int, progress: Progress | None
) -> Iterator[bytes]:
    """Report every chunk after it has been written, so that nothing received is lost."""
    if progress:
        progress(done, total)
    for chunk in chunks:
        yield chunk
        done += len(chunk)
        if progress:
            progress(done, total)
