"""A whole session in one folder, which is there complete or not at all."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sam.session.changes import Edit, SectionEdit, TraitsEdit, apply
from napari_sam.session.codec import Codec
from napari_sam.session.journal import sync_folder
from napari_sam.session.ledger import Ledger
from napari_sam.session.records import Configured, Viewed

__all__ = ["read_snapshot", "write_snapshot"]

STATE, MASKS = "state.json", "masks.zarr"
CHUNK = 2**20


class _PooledMasks:
    """Puts the bits of all masks behind each other, each once."""

    def __init__(self, pool: NDArray[np.uint8] | None = None) -> None:
        self._pool = pool
        self._known: dict[bytes, tuple[int, int]] = {}
        self._bytes = bytearray()

    def put(self, bits: bytes) -> Any:
        if bits not in self._known:
            self._known[bits] = len(self._bytes), len(self._bytes) + len(bits)
            self._bytes += bits
        return self._known[bits]

    def get(self, key: Any) -> bytes:
        assert self._pool is not None
        return self._pool[key[0] : key[1]].tobytes()

    def array(self) -> NDArray[np.uint8]:
        return np.frombuffer(self._bytes, np.uint8)


def write_snapshot(session: Ledger, path: Path) -> None:
    """Write everything that a session holds into a new folder.

    Raises
    ------
    OSError
        If it cannot be written; there is no such folder then.
    """
    import zarr

    masks = _PooledMasks()
    codec = Codec(masks)
    edits: list[Edit] = []
    for held in session.objects.values():
        edits.append(TraitsEdit(held.id, None, held.traits))
        edits += [SectionEdit(held.id, p, None, section) for p, section in held.sections.items()]
    state = {
        "settings": codec.record(Configured(session.settings)),
        "view": dict(session.view),
        "draft": codec.draft(session.draft),
        "objects": codec.edits(edits),
        "done": [codec.change(change) for change in session.history.done],
        "undone": [codec.change(change) for change in session.history.undone],
    }
    part = path.with_name(f"{path.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        part.mkdir()
        (part / STATE).write_text(json.dumps(state), encoding="utf-8")
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


def read_snapshot(session: Ledger, path: Path) -> None:
    """Fill an empty session with what a snapshot holds.

    Raises
    ------
    OSError, ValueError, KeyError
        If it cannot be read.
    """
    import zarr

    state = json.loads((path / STATE).read_text(encoding="utf-8"))
    pool = np.asarray(zarr.open_array(path / MASKS, mode="r")[:], np.uint8)
    codec = Codec(_PooledMasks(pool))
    session.replay(codec.read_record(state["settings"]))
    session.replay(Viewed(state["view"]))
    apply(codec.read_edits(state["objects"]), session.objects)
    done, undone = (
        [codec.read_change(change) for change in state[key]] for key in ("done", "undone")
    )
    session.resume(codec.read_draft(state["draft"]), done, undone)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
