"""Download of one file: resumable, verified by hash, then moved into place."""

from __future__ import annotations

import json
import logging
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from math import inf
from pathlib import Path

from napari_sam.errors import DownloadError
from napari_sam.files import file_hash, replacing

__all__ = ["OnBytes", "download", "has_hash", "matched_before", "megabytes", "remember"]

OnBytes = Callable[[int, int], None]
logger = logging.getLogger(__name__)
CHUNK = 1 << 14  # so much at most is lost where a line breaks
MAX_BYTES = 20_000_000_000  # bytes of a file whose size nobody knows
REPORT_SECONDS = 0.2  # seconds between two reports
COMPLETE = 416  # there is nothing behind the part that is here


def megabytes(size: int) -> str:
    """Return a size in bytes as a text in megabytes.

    Examples
    --------
    >>> megabytes(375042383)
    '375 MB'
    """
    return f"{size / 1e6:.0f} MB"


def download(
    url: str, target: Path, known_hash: str, size: int = 0, progress: OnBytes | None = None
) -> None:
    """Download a file, or resume a partial download.

    The bytes go to ``<target>.part``, which is kept when the download stops half-way, and is
    renamed to `target` only when it is complete and its hash is right. Two programs that want the
    same file wait for each other.

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
        Called with the bytes that have arrived and the bytes in all (0 when unknown), and while
        nothing comes, too. An exception that it raises stops the download and reaches the caller.

    Raises
    ------
    DownloadError
        When the network, the disk or the file itself is at fault.
    """
    part = target.with_name(f"{target.name}.part")

    def waiting() -> None:
        if progress:
            progress(_size(part), size)

    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _alone(part, waiting) as waited:
            if not (waited and target.is_file() and has_hash(target, known_hash)):
                _complete(url, target, part, known_hash, size, progress)
                part.replace(target)
    except OSError as error:  # all errors of requests are kinds of it
        kept = f" {megabytes(_size(part))} are kept." if part.exists() else ""
        raise DownloadError(
            f"Could not download {target.name} from {url}: {error}.{kept} "
            "Check the connection and the disk and start it again, it goes on where it stopped; "
            f"or download it by hand and place it at {target}."
        ) from error


@contextmanager
def _alone(part: Path, waiting: Callable[[], None]) -> Iterator[bool]:
    """Keep other programs from the same file; give whether one had to be waited for.

    When the other one ends or dies, its part is taken over.
    """
    from filelock import FileLock, Timeout

    path = part.with_name(f"{part.name}.lock")
    lock, waited = FileLock(path), False
    while not lock.is_locked:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            if not waited:
                logger.info("another program is downloading %s; waiting for it", part.stem)
            waited = True
            waiting()
            time.sleep(REPORT_SECONDS)
        else:
            if not path.exists():  # whoever had it has tidied up meanwhile: it locks nothing
                lock.release()
    try:
        yield waited
    finally:
        with suppress(OSError):  # another program has it open (Windows)
            path.unlink()
        lock.release()


def _complete(
    url: str, target: Path, part: Path, known_hash: str, size: int, progress: OnBytes | None
) -> None:
    """Make `part` the published file; where something else was kept, once more from the start."""
    while True:
        if size and _size(part) > size:
            part.unlink()
        resumed = part.exists()
        if not (size and _size(part) == size):
            _check_room(part, size - _size(part))
            _receive(url, part, size, progress)
        if has_hash(part, known_hash):
            return
        part.unlink()
        if not resumed:
            raise DownloadError(
                f"What {url} sent is not the published {target.name}: its hash is not {known_hash}."
                f" It was deleted. Try again, or place a file that you trust at {target}."
            )


def _receive(url: str, part: Path, size: int, progress: OnBytes | None) -> None:
    """Append what is missing to `part`; start anew where the server cannot resume."""
    from napari_sam.zoo.responses import MisfitError, check_response
    from napari_sam.zoo.transfer import Transfer

    count = _Count(progress, _size(part), size)
    try:
        with Transfer(url, count.done, CHUNK, count.tell) as transfer:
            count.done, count.total = check_response(transfer.response, count.done, size)
            if transfer.response.status_code == COMPLETE:
                return
            _check_room(part, count.total - count.done)
            count.tell()
            _write(transfer, part, count)
            count.tell()
    except MisfitError as error:
        part.unlink(missing_ok=True)
        raise OSError(f"{error}: what is here did not fit and was deleted") from error
    except OSError:
        _check_room(part, count.total - count.done)  # a full disk says what it lacks
        raise
    if count.done < count.total:
        raise OSError(f"only {count.done} of {count.total} bytes arrived")


def _write(pieces: Iterable[bytes], part: Path, count: _Count) -> None:
    """Write each piece as it comes, and count it once it is written."""
    from napari_sam.zoo.responses import MisfitError, check_beginning

    rest = iter(pieces)
    first = next(rest, b"")
    if count.done == 0:
        check_beginning(first)
    with part.open("ab" if count.done else "wb") as file:
        for piece in chain([first], rest):
            if count.done + len(piece) > (count.total or MAX_BYTES):
                raise MisfitError(f"the server sends more than {count.total or MAX_BYTES} bytes")
            file.write(piece)
            count.add(len(piece))


class _Count:
    """How many bytes are here, told every now and then."""

    def __init__(self, progress: OnBytes | None, done: int, total: int) -> None:
        self._progress, self.done, self.total = progress, done, total
        self._told = -inf

    def tell(self) -> None:
        if self._progress:
            self._progress(self.done, self.total)

    def add(self, size: int) -> None:
        self.done += size
        if time.monotonic() - self._told > REPORT_SECONDS:
            self._told = time.monotonic()
            self.tell()


def _check_room(part: Path, needed: int) -> None:
    free = shutil.disk_usage(part.parent).free
    if needed > free:
        raise OSError(f"the disk has {megabytes(free)} left, {megabytes(needed)} needed")


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def has_hash(path: Path, known_hash: str) -> bool:
    """Return whether a file has a hash, given as ``sha256:...`` or ``xxh128:...``."""
    kind, value = known_hash.split(":")
    return file_hash(path, "sha256" if kind == "sha256" else "xxh128") == value


def matched_before(path: Path, known_hash: str, record: Path) -> bool:
    """Return whether the record says that the unchanged file had that hash."""
    return _read(record).get(str(path)) == _state(path, known_hash)


def remember(path: Path, known_hash: str, record: Path) -> None:
    """Write to the record that the file has that hash."""
    known = {**_read(record), str(path): _state(path, known_hash)}
    try:
        with replacing(record) as part:
            part.write_text(json.dumps(known, indent=1), encoding="utf-8")
    except OSError:  # a folder that cannot be written costs time, nothing else
        logger.info("could not write %s", record)


def _read(record: Path) -> dict[str, list[str | int]]:
    try:
        known = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return known if isinstance(known, dict) else {}


def _state(path: Path, known_hash: str) -> list[str | int]:
    return [path.stat().st_size, path.stat().st_mtime_ns, known_hash]
