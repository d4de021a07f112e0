"""Snapshots: a whole session in one folder, written atomically."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from napari_sam.session.changes import Edit, SectionEdit, TraitsEdit
from napari_sam.session.disk.codec import Codec, read_tally, tally_json
from napari_sam.session.disk.journal import sync_folder
from napari_sam.session.disk.replay import Replay
from napari_sam.session.disk.validate import JsonValue, of, whole
from napari_sam.session.draft import Draft
from napari_sam.session.ledger import Ledger
from napari_sam.session.records import Configured

__all__ = ["read_snapshot", "write_snapshot"]

STATE, MASKS = "state.json", "masks.zarr"
SUM = "masks_crc32"
CHUNK = 2**20

T = TypeVar("T")


class _PooledMasks:
    """Puts the bits of all masks behind each other, each once."""

    def __init__(self, pool: NDArray[np.uint8] | None = None) -> None:
        self._pool = pool
        self._known: dict[bytes, tuple[int, int]] = {}
        self._bytes = bytearray()

    def put(self, bits: bytes) -> JsonValue:
        if bits not in self._known:
            self._known[bits] = len(self._bytes), len(self._bytes) + len(bits)
            self._bytes += bits
        return self._known[bits]

    def get(self, key: JsonValue, length: int) -> bytes:
        assert self._pool is not None
        first, last = (whole(at) for at in key)
        if last - first != length or last > len(self._pool):
            raise ValueError("a mask that is not in the pool")
        return self._pool[first:last].tobytes()

    def array(self) -> NDArray[np.uint8]:
        return np.frombuffer(self._bytes, np.uint8)


def write_snapshot(ledger: Ledger, path: Path) -> None:
    """Write a snapshot of a ledger atomically into a new folder.

    Raises
    ------
    OSError
        If it cannot be written; there is no such folder then.
    """
    import zarr

    masks = _PooledMasks()
    codec = Codec(masks)
    edits: list[Edit] = []
    for held in ledger.objects.values():
        edits.append(TraitsEdit(held.id, None, held.traits))
        edits += [SectionEdit(held.id, p, None, section) for p, section in held.sections.items()]
    state = {
        "settings": codec.record(Configured(ledger.scheme)),
        "view": dict(ledger.view),
        "draft": codec.draft(ledger.draft),
        "objects": codec.edits(edits),
        "done": [codec.change(change) for change in ledger.history.done],
        "undone": [codec.change(change) for change in ledger.history.undone],
        "effort": tally_json(ledger.tally),
        SUM: zlib.crc32(masks.array().data),
    }
    part = path.with_name(f"{path.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        part.mkdir()
        text = json.dumps(state).encode()
        (part / STATE).write_bytes(b'{"crc32": "%08x", %s' % (zlib.crc32(text), text[1:]))
        pool = masks.array()
        array = zarr.create_array(
            store=part / MASKS, shape=pool.shape, dtype=np.uint8, chunks=(CHUNK,)
        )
        array[:] = pool
        for folder, _, files in os.walk(part):
            for name in files:
                _sync(Path(folder) / name)
            sync_folder(Path(folder))
        part.rename(path)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    with contextlib.suppress(OSError):  # it is there, and what follows goes by it
        sync_folder(path.parent)


def read_snapshot(ledger: Ledger, path: Path) -> tuple[int, int]:
    """Load a snapshot into an empty ledger, as far as it can be read.

    Where anything of it cannot, there is no history.

    Returns
    -------
    recovered, lost : int
        How many parts can be read and cannot; 0 lost if all is right.

    Raises
    ------
    Exception
        Of any kind, if nothing of it can be read; the ledger is as it was.
    """
    state, right = _read_state(path / STATE)
    pool, holes = _read_pool(path / MASKS)
    codec = Codec(_PooledMasks(pool))
    objects = ({"adopt": [edit]} for edit in of(list, state["objects"]))
    values = state["settings"], {"view": state["view"]}, *objects
    records = [_one(codec.read_record, value) for value in values]
    stacks = [
        [_one(codec.read_change, value) for value in of(list, state[key])]
        for key in ("done", "undone")
    ]
    draft = _one(codec.read_draft, state["draft"])
    changes = [change for stack in stacks for change in stack if change is not None]
    lost = [draft, *records, *stacks[0], *stacks[1]].count(None)
    right = right and not holes and state.get(SUM) in (None, zlib.crc32(pool.data))
    replay = Replay(ledger, whole=right and not lost)
    for record in records:
        if record is not None:
            replay.take(record)
    if not replay.whole:  # nobody knows what could be taken back
        lost, stacks = max(lost, 1), [[], []]
    done, undone = ([change for change in stack if change is not None] for stack in stacks)
    number = max((change.number for change in changes), default=0)
    tally = _one(read_tally, state["effort"]) if "effort" in state else None
    ledger.resume(draft or Draft(), done, undone, number, tally)
    return replay.recovered, lost


def _read_state(path: Path) -> tuple[dict[str, JsonValue], bool]:
    """Return what a state holds, and whether its checksum is right, if it has one."""
    data = path.read_bytes().removeprefix(b"\xef\xbb\xbf").strip()
    found = re.match(rb'\{"crc32": "([0-9a-f]{8})", ', data)
    right = found is None or int(found[1], 16) == zlib.crc32(b"{" + data[found.end() :])
    return of(dict, json.loads(data)), right


def _read_pool(path: Path) -> tuple[NDArray[np.uint8], int]:
    """Return the bits of all masks, zeros where they cannot be read, and how many chunks cannot."""
    import zarr

    array = zarr.open_array(path, mode="r")
    pool = np.zeros(array.shape, np.uint8)
    holes = 0
    for start in range(0, len(pool), CHUNK):
        try:
            pool[start : start + CHUNK] = array[start : start + CHUNK]
        except Exception:  # whatever decompressing damaged data raises
            holes += 1
    return pool, holes


def _one(read: Callable[[JsonValue], T], value: JsonValue) -> T | None:
    try:
        return read(value)
    except Exception:  # anything may stand in a damaged state
        return None


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
