"""Label stores on disk: a new one beside a picture, or those of an OME-Zarr, to be written to."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from napari_sam.errors import InputError
from napari_sam.io.images.stores import ome_attributes
from napari_sam.io.ome_zarr import create_ome_zarr
from napari_sam.io.spacing import Spacing

__all__ = ["new_labels_path", "new_store", "open_store", "too_large"]

SHARE = 0.25  # of the machine's memory that labels may take


def too_large(shape: Sequence[int], dtype: np.dtype[Any]) -> bool:
    """Return whether labels would take more than a quarter of the machine's memory.

    Examples
    --------
    >>> too_large((2048, 2048), np.dtype("u4")), too_large((10**6, 10**6), np.dtype("u4"))
    (False, True)
    """
    import psutil

    return math.prod(shape) * dtype.itemsize > SHARE * int(psutil.virtual_memory().total)


def new_labels_path(picture: Path | None, name: str, otherwise: Path) -> Path:
    """Return a free path for new labels: beside the picture if that folder can be written to.

    Parameters
    ----------
    picture : Path or None
        Its file or folder.
    name : str
        Of the labels, without an ending.
    otherwise : Path
        Folder where the picture's cannot be used.
    """
    beside = None if picture is None else picture.absolute().parent
    usable = beside is not None and beside.is_dir() and os.access(beside, os.W_OK)
    folder = beside if usable and beside is not None else otherwise
    stem = "".join(c if c.isalnum() or c in "-_ " else "_" for c in name)
    path, number = folder / f"{stem}.ome.zarr", 2
    while path.exists():
        path, number = folder / f"{stem}-{number}.ome.zarr", number + 1
    return path


def new_store(path: Path, shape: Sequence[int], dtype: DTypeLike, spacing: Spacing) -> list[Any]:
    """Create empty labels as `create_ome_zarr` does, and return their levels to be written to.

    Raises
    ------
    InputError, OSError
        If something is there, or nothing can be written there.
    """
    create_ome_zarr(path, shape, dtype, spacing)
    return open_store(path)


def open_store(path: Path) -> list[Any]:
    """Return the levels of an OME-Zarr or zarr array on disk, finest first, to be written to.

    Raises
    ------
    InputError
        If there is no such thing, or it cannot be written to.
    """
    import zarr

    try:
        node = zarr.open(path, mode="r+")
        if isinstance(node, zarr.Array):
            return [node]
        scales: Any = ome_attributes(node.attrs)["multiscales"]
        levels: list[Any] = [node[one["path"]] for one in scales[0]["datasets"]]
    except (OSError, KeyError, ValueError, TypeError, IndexError) as error:
        raise InputError(f"{path} cannot be opened as labels to write to: {error}") from error
    return levels
