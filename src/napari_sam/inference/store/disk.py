"""Disk store: embeddings as one zarr group in one file each, shared by a user's programs.

A file is a zip archive that zarr reads by itself: float16 arrays ``<level>.image``,
``<level>.skip2`` and ``<level>.skip4`` in one chunk each, and attributes that say the rest. It gets
its name when it is whole, so a program that is killed leaves no half of one. A digest of
everything in it tells damage; a damaged file counts as absent.
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
import os
import time
from collections.abc import Iterator
from pathlib import Path
from struct import Struct
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

import numpy as np

from napari_sam.arrays import Array
from napari_sam.files import replacing
from napari_sam.reasons import reason

if TYPE_CHECKING:
    from napari_sam.inference.embedding import Embedding

__all__ = ["DiskStore", "from_arrays", "to_arrays"]

logger = logging.getLogger(__name__)
ENDING = ".zarr.zip"
ABOUT = "zarr.json"
MAX_UNFINISHED_S = 3600  # seconds after which an unfinished file belongs to nobody any more
SKIPS = ("skip4", "skip2")  # by their stride
LENGTHS_AT, LENGTHS = 26, Struct("<HH")  # in a zip's entry, of its name and what else precedes it


class DiskStore:
    """LRU cache of embeddings on disk: evicts the least recently used files over the budget.

    Parameters
    ----------
    folder : Path
        Made when first needed. Other files in it are left alone.
    budget : int
        Most bytes that all files together may take; a few programs that write at the same moment
        may break it by one file each, until the next is written.
    """

    def __init__(self, folder: Path, budget: int) -> None:
        self.folder = folder
        self.budget = budget

    def get(self, key: str) -> Embedding | None:
        """Return an embedding on the CPU, or None if it is not stored; damage is logged."""
        path = self._path(key)
        try:
            with ZipFile(path) as file:
                about = json.loads(file.read(ABOUT))["attributes"]
                arrays = dict(_read_arrays(path, file, self.budget))
            if about.pop("digest") != _digest(about, arrays) or about["key"] != key:
                raise ValueError("its content is not what was written")
            if not all(np.isfinite([part.min(), part.max()]).all() for part in arrays.values()):
                raise ValueError("it holds values that are not finite")
            embedding = from_arrays(about, arrays)
        except Exception as error:  # of a damaged file anything may be raised
            if path.exists():
                logger.warning("%s is damaged and is made anew: %s", path, error)
            return None
        with contextlib.suppress(OSError):  # deleted meanwhile, or a read-only folder
            os.utime(path)  # used now
        return embedding

    def put(self, key: str, embedding: Embedding) -> bool:
        """Write an embedding and return True, or False, with a warning, if that is impossible."""
        import zarr

        about, arrays = to_arrays(embedding)
        about["key"] = key
        path = self._path(key)
        if embedding.nbytes > self.budget:
            logger.warning(
                "an embedding of %d bytes does not fit into the budget of %s, %d bytes",
                *(embedding.nbytes, self.folder, self.budget),
            )
            return False
        try:
            self._make_room(embedding.nbytes)
            with replacing(path) as part:
                part.touch()  # says what is wrong with the disk; zarr stumbles over itself
                with zarr.storage.ZipStore(part, mode="w") as file:
                    digest = _digest(about, arrays)
                    group = zarr.create_group(file, attributes={**about, "digest": digest})
                    for name, array in arrays.items():
                        group.create_array(name, data=array, chunks=array.shape, compressors=None)
        except Exception as error:  # a full or read-only disk costs time later, nothing else
            logger.warning("could not write %s: %s", path, reason(error))
            return False
        return True

    @property
    def nbytes(self) -> int:
        """Size of all files in bytes."""
        return sum(size for _, size, _ in self._files())

    def __len__(self) -> int:
        return sum(path.name.endswith(ENDING) for _, _, path in self._files())

    def clear(self) -> None:
        """Delete all embeddings, but no other files in the folder."""
        for _, _, path in self._files():
            _delete(path)

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}{ENDING}"

    def _files(self) -> list[tuple[float, int, Path]]:
        """Return (last use, size, path) of what is whole and what is being written."""
        found = []
        for path in self.folder.glob(f"*{ENDING}*"):
            if path.name.endswith((ENDING, ".part")):
                with contextlib.suppress(FileNotFoundError):  # another program deleted it
                    about = path.stat()
                    found.append((about.st_mtime, about.st_size, path))
        return found

    def _make_room(self, wanted: int) -> None:
        files = sorted(self._files())
        room = self.budget - sum(size for _, size, _ in files) - wanted
        for used, size, path in files:
            left_over = path.name.endswith(".part") and time.time() - used > MAX_UNFINISHED_S
            if left_over or (room < 0 and path.name.endswith(ENDING)):
                _delete(path)
                room += size


def _delete(path: Path) -> None:
    with contextlib.suppress(OSError):  # gone already, or another program is reading it (Windows)
        path.unlink()


def _read_arrays(path: Path, file: ZipFile, max_bytes: int) -> Iterator[tuple[str, Array]]:
    """Give the arrays by name.

    Their sizes are checked before there is memory for them, `max_bytes` bytes of zeros at most.
    Without zarr, which hands each over between threads, and in one copy each: while a window is
    drawn, 50 MB take 0.1 s so, and 0.2 with it.
    """
    entries = {entry.filename: entry for entry in file.infolist()}
    with path.open("rb") as content:
        for name in sorted(entries):
            folder, _, rest = name.partition("/")
            if rest != ABOUT:
                continue
            said = json.loads(file.read(name))
            dtype = np.dtype(said["data_type"]).newbyteorder("<")
            chunk = entries.get(folder + "/c" + len(said["shape"]) * "/0")
            size = math.prod(said["shape"]) * dtype.itemsize
            if size > max_bytes if chunk is None else chunk.file_size != size:
                raise ValueError("its content has another size than it says")
            if chunk is None:  # one of zeros is not written
                yield folder, np.zeros(said["shape"], dtype)
                continue
            array = np.empty(said["shape"], dtype)
            content.seek(chunk.header_offset + LENGTHS_AT)
            content.seek(sum(LENGTHS.unpack(content.read(LENGTHS.size))), os.SEEK_CUR)
            content.readinto(array.data.cast("B"))
            yield folder, array


def _digest(about: dict[str, Any], arrays: dict[str, Array]) -> str:
    """Return a hash of names, types, shapes and values of all that is written."""
    import xxhash

    digest = xxhash.xxh3_128(json.dumps(about, sort_keys=True).encode())
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype.name} {array.shape}".encode())
        digest.update(array.data)
    return str(digest.hexdigest())


def to_arrays(embedding: Embedding) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return what to write: attributes for JSON, and arrays by name."""
    arrays = {}
    for number, level in enumerate(embedding.levels):
        image, skips = level.features
        parts = {"image": image, **dict(zip(SKIPS, skips or (), strict=False))}
        for name, part in parts.items():
            arrays[f"{number}.{name}"] = np.ascontiguousarray(part.cpu().numpy())
    about = {
        "shape": list(embedding.shape),
        "contrast": [np.asarray(bound, float).tolist() for bound in embedding.contrast],
        "levels": [list(level.shape) for level in embedding.levels],
    }
    return about, arrays


def from_arrays(about: dict[str, Any], arrays: dict[str, Array]) -> Embedding:
    """Return the embedding that `to_arrays` took apart."""
    import torch

    from napari_sam.inference.embedding import Embedding, Level
    from napari_sam.model.sam import Features

    levels = []
    for number, (height, width) in enumerate(about["levels"]):
        image, *skips = (
            torch.from_numpy(arrays[f"{number}.{name}"])
            for name in ("image", *SKIPS)
            if f"{number}.{name}" in arrays
        )
        pair = (skips[0], skips[1]) if skips else None
        levels.append(Level((height, width), Features(image, pair)))
    low, high = (np.asarray(b) if isinstance(b, list) else b for b in about["contrast"])
    height, width = about["shape"]
    return Embedding((height, width), (low, high), tuple(levels))
