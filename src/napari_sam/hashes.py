"""Hashes of large files, taken once: a record keeps size, date and hash of those that matched."""

from __future__ import annotations

import json
import logging
from pathlib import Path

from napari_sam.files import replacing

__all__ = ["has_hash", "matched_before", "remember"]

logger = logging.getLogger(__name__)


def has_hash(path: Path, known_hash: str) -> bool:
    """Return whether the file has that hash, given as ``sha256:...`` or ``xxh128:...``."""
    import pooch

    kind, value = known_hash.split(":")
    return bool(pooch.file_hash(str(path), alg=kind) == value)


def matched_before(path: Path, known_hash: str, record: Path) -> bool:
    """Return whether the record says that the file, unchanged since, had that hash."""
    return _read(record).get(str(path)) == _state(path, known_hash)


def remember(path: Path, known_hash: str, record: Path) -> None:
    """Note in the record that the file has that hash."""
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
