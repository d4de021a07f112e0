"""Blocks of an array in which anything is stored: what a sparse zarr lacks is never read."""

from __future__ import annotations

import math
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_sam.arrays import Array, LazyArray

if TYPE_CHECKING:
    import zarr

__all__ = ["Block", "blocks", "filled", "folder_of", "holds_any", "largest", "parts"]

SIDE = 2048  # pixels of a block along rows and columns, where chunks do not say it

Block = tuple[slice, ...]
"""A part of an array: a slice for each axis."""


def filled(array: LazyArray) -> list[Block]:
    """Return the blocks that may hold anything but zeros, in order.

    Parameters
    ----------
    array : array-like
        A zarr array on a local disk gives its stored chunks (of a sharded one its shards), small
        neighbours together; of any other array all of it comes, in planes cut to 2,048 x 2,048.

    Examples
    --------
    >>> filled(np.zeros((2, 5, 3000)))[1]
    (slice(0, 1, None), slice(0, 5, None), slice(2048, 3000, None))
    """
    import zarr

    if isinstance(array, zarr.Array):
        sizes = array.shards or array.chunks
        folder = folder_of(array) if array.fill_value in (0, None) else None
        places = product(*map(range, _grid(array.shape, sizes))) if folder is None else None
        found = sorted(_stored(folder, array.ndim)) if folder is not None else places
        return _joined([_block(at, sizes, array.shape) for at in found or ()], sizes)
    return list(blocks(array.shape))


def blocks(shape: Sequence[int], side: int = SIDE) -> Iterator[Block]:
    """Yield the planes of an array, each cut to squares of a side."""
    sizes = [*(1 for _ in shape[:-2]), *(side for _ in shape[-2:])]
    for at in product(*map(range, _grid(shape, sizes))):
        yield _block(at, sizes, shape)


def largest(array: LazyArray) -> int:
    """Return the largest number of labels, read block by block."""
    return max((int(np.asarray(part).max(initial=0)) for part in parts(array)), default=0)


def holds_any(array: LazyArray) -> bool:
    """Return whether labels hold anything but zeros, read block by block until they do."""
    return any(bool(part.any()) for part in parts(array))


def parts(array: LazyArray) -> Iterator[Array]:
    """Yield the pixels of `filled` blocks."""
    return (np.asarray(array[block]) for block in filled(array))


def _joined(chunks: Sequence[Block], sizes: Sequence[int]) -> list[Block]:
    """Return blocks around neighbouring chunks: to read a zarr costs a call more than a chunk."""
    together = max(1, math.isqrt(SIDE**2 // math.prod(sizes)))  # of them along rows and columns
    groups: dict[tuple[int, ...], list[Block]] = defaultdict(list)
    for chunk in chunks:
        wide = (*(1 for _ in sizes[:-2]), *(together for _ in sizes[-2:]))
        of = zip(chunk, sizes, wide, strict=True)
        groups[tuple(part.start // (size * count) for part, size, count in of)].append(chunk)
    return [
        tuple(
            slice(min(p.start for p in parts), max(p.stop for p in parts))
            for parts in zip(*group, strict=True)
        )
        for group in groups.values()
    ]


def folder_of(array: zarr.Array[Any]) -> Path | None:
    """Return the folder of a zarr array on a local disk; None if it lies elsewhere."""
    from zarr.storage import FsspecStore, LocalStore

    store: Any = array.store
    if isinstance(store, LocalStore):
        return Path(str(store.root), array.path)
    local = isinstance(store, FsspecStore) and "file" in store.fs.protocol  # as dask opens paths
    return Path(store.path, array.path) if local else None


def _grid(shape: Sequence[int], sizes: Sequence[int]) -> Iterable[int]:
    return [-(-n // size) for n, size in zip(shape, sizes, strict=True)]


def _block(at: Sequence[int], sizes: Sequence[int], shape: Sequence[int]) -> Block:
    return tuple(
        slice(i * size, min(n, (i + 1) * size)) for i, size, n in zip(at, sizes, shape, strict=True)
    )


def _stored(folder: Path, ndim: int) -> Iterator[tuple[int, ...]]:
    """Yield the places of the chunks that are files: named "3/0/7", "3.0.7" or "c/3/0/7"."""
    name = re.compile(r"(?:c[./])?(\d+(?:[./]\d+)*)")
    for parent, _, files in os.walk(folder):
        inside = Path(parent).relative_to(folder)
        for file in files:
            found = name.fullmatch((inside / file).as_posix())
            at = re.split(r"[./]", found[1]) if found else ()
            if len(at) == ndim:
                yield tuple(map(int, at))
