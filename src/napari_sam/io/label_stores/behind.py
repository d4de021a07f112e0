"""The zarr array that lazy labels of dask read, to be written to instead of them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_sam.io.label_stores.chunks import folder_of

if TYPE_CHECKING:
    import zarr

__all__ = ["folder_behind", "writable"]


def writable(levels: Iterable[Any]) -> list[Any]:
    """Return levels of labels; for those of dask the zarr arrays on disk which they read.

    Parameters
    ----------
    levels : iterable of array-like
        Of dask, zarr or numpy.

    Returns
    -------
    list of array-like
        What dask computes from anything else, or reads from elsewhere, is in it as it was;
        `napari_sam.io.label_stores.levels.why_unwritable` says why that cannot be written to.
    """
    return [_opened(level) for level in levels]


def folder_behind(array: Any) -> Path | None:
    """Return the folder of the zarr array that pixels are read from as they are, if there is one.

    Parameters
    ----------
    array : array-like
        Of zarr, or of dask as `dask.array.from_zarr` makes it.

    Examples
    --------
    >>> import numpy as np
    >>> folder_behind(np.zeros(3))
    """
    import zarr

    stored = array if isinstance(array, zarr.Array) else _read_by(array)
    return None if stored is None else folder_of(stored)


def _opened(level: Any) -> Any:
    import zarr

    folder = None if isinstance(level, zarr.Array) else folder_behind(level)
    return level if folder is None else zarr.open_array(folder, mode="r+")


def _read_by(array: Any) -> zarr.Array[Any] | None:
    """Return the zarr array whose chunks are all that dask's graph reads; None for other graphs."""
    import zarr

    layers = getattr(getattr(array, "dask", None), "layers", {})
    origin = f"original-{getattr(array, 'name', '')}"
    if len(layers) != 2 or origin not in layers:  # more are there where anything is computed
        return None
    stored = layers[origin].get(origin)
    same = isinstance(stored, zarr.Array) and stored.shape == array.shape
    return stored if same and stored.dtype == array.dtype else None
