"""Levels of a label pyramid: planes are read in windows, pixels are written to all levels."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sam.arrays import Labels, LazyArray
from napari_sam.files import fill_holes
from napari_sam.io.label_stores.chunks import folder_of
from napari_sam.planes import Plane

__all__ = ["LabelLevels", "PlaneWindow", "reserve", "why_unwritable"]

COMPUTED = (
    "is computed by dask, or read from elsewhere than a zarr on this machine, so that there is "
    "nothing to write into (saved as OME-Zarr and opened again it can be written to)"
)
MOST = 2**26  # pixels of a plane in memory up to which it is looked at as a whole

Window = tuple[slice | int, slice | int]
Index = tuple[NDArray[np.intp], ...]


def why_unwritable(levels: Iterable[object]) -> str:
    """Return why labels cannot be written to, to follow their name; empty if they can be.

    Parameters
    ----------
    levels : iterable of array-like
        Their data; writable are numpy's arrays, memory maps and zarr's arrays. What dask has read
        can be exchanged before: `napari_sam.io.label_stores.behind.writable`.

    Examples
    --------
    >>> why_unwritable([np.zeros((2, 2), int)]), why_unwritable([[[1]]])
    ('', 'is list data, which cannot be painted')
    """
    import zarr

    for level in levels:
        if hasattr(level, "dask"):
            return COMPUTED
        if not isinstance(level, np.ndarray | zarr.Array):
            return f"is {type(level).__name__} data, which cannot be painted"
        writable = level.flags.writeable if isinstance(level, np.ndarray) else not level.read_only
        if not writable:
            return "is read-only data, which cannot be painted"
        folder = folder_of(level) if isinstance(level, zarr.Array) else None
        if folder is not None and not os.access(folder, os.W_OK):
            return f"lies in {folder}, where you may not write"
    return ""


class PlaneWindow:
    """One plane of an array, of which only what is indexed is read.

    Parameters
    ----------
    array : array-like
        Of any number of axes.
    plane : Plane
        Which.

    Examples
    --------
    >>> plane = PlaneWindow(np.arange(24).reshape(2, 3, 4), (1, None, None))
    >>> plane.shape, plane[1:, 2:].tolist(), int(plane[0, 0])
    ((3, 4), [[18, 19], [22, 23]], 12)
    """

    def __init__(self, array: LazyArray, plane: Plane) -> None:
        self._array, self._plane = array, plane
        height, width = (n for n, at in zip(array.shape, plane, strict=True) if at is None)
        self.shape: tuple[int, ...] = (height, width)
        self.dtype: np.dtype[Any] = array.dtype

    def __getitem__(self, window: Window) -> Labels:
        sides = iter(window)
        index = tuple(next(sides) if at is None else at for at in self._plane)
        return np.asarray(self._array[index])


class LabelLevels:
    """Labels in one or several levels, the finest first; what is written changes all of them.

    A pixel of a coarser level is the label in its middle, as `napari_sam.io.ome_zarr` writes it;
    that holds for each axis by itself, also where levels differ in z. Only pixels change that show
    one which was written.

    Parameters
    ----------
    levels : sequence of array
        As `why_unwritable` allows, of the same axes.

    Examples
    --------
    >>> fine, coarse = np.zeros((4, 6), int), np.zeros((2, 3), int)
    >>> levels = LabelLevels([fine, coarse])
    >>> levels.write((None, None), np.array([0, 1, 1]), np.array([2, 2, 3]), np.array([7, 7, 8]))
    >>> fine[:2].tolist(), coarse.tolist()
    ([[0, 0, 7, 0, 0, 0], [0, 0, 7, 8, 0, 0]], [[0, 8, 0], [0, 0, 0]])
    """

    def __init__(self, levels: Sequence[Any]) -> None:
        self._levels = list(levels)
        self.shape: tuple[int, ...] = tuple(self._levels[0].shape)
        self.dtype: np.dtype[Any] = self._levels[0].dtype

    @property
    def in_memory(self) -> bool:
        """Whether all levels are plain arrays in memory."""
        plain = (isinstance(one, np.ndarray) and _map(one) is None for one in self._levels)
        return all(plain)

    def plane(self, plane: Plane) -> LazyArray:
        """Return a plane: an array in memory if it is one and not large, else a `PlaneWindow`."""
        finest = self._levels[0]
        size = np.prod([n for n, at in zip(self.shape, plane, strict=True) if at is None])
        if self.in_memory and size <= MOST:
            view: LazyArray = finest[tuple(slice(None) if at is None else at for at in plane)]
            return view
        return PlaneWindow(finest, plane)

    def write(
        self, plane: Plane, rows: NDArray[np.intp], columns: NDArray[np.intp], values: Labels
    ) -> None:
        """Set pixels (rows[i], columns[i]) of a plane to values[i], in all levels.

        Parameters
        ----------
        plane : Plane
            Of the finest level.
        rows, columns : (N,) int
            Each pixel once.
        values : (N,) int
            Their labels.

        Raises
        ------
        OSError
            If the disk takes no more; it names the store. Chunks are whole in any case: each is as
            before or as wanted.
        """
        sides = iter((rows, columns))
        index = tuple(next(sides) if at is None else np.intp(at) for at in plane)
        for level in reversed(self._levels):  # what the finest lacks after a kill is written again
            seen, there = _shown(index, self.shape, level.shape)
            if there.any():
                _put(
                    level,
                    tuple(np.broadcast_to(at, there.shape)[there] for at in seen),
                    values[there],
                )


def reserve(level: Any) -> None:
    """Take the disk's room for all of a memory map, whose missing parts could not be refused later.

    Raises
    ------
    OSError
        If there is no room for it; it names the file.
    """
    mapped = _map(level)
    if mapped is not None and mapped.filename is not None:
        fill_holes(Path(mapped.filename))


def _map(array: Any) -> Any:
    """Return the memory map that an array shows, or None."""
    while array is not None and not isinstance(array, np.memmap):
        array = getattr(array, "base", None)
    return array


def _shown(
    index: tuple[Any, ...], whole: Sequence[int], shape: Sequence[int]
) -> tuple[list[Any], NDArray[np.bool_]]:
    """Return where pixels are in a level, and of which it shows the middle."""
    places, there = [], np.ones(np.broadcast_shapes(*(np.shape(at) for at in index)), bool)
    for at, fine, coarse in zip(index, whole, shape, strict=True):
        place = -((fine - 2 * np.asarray(at) * coarse) // (2 * fine))  # the only one it can be
        middle = (2 * place + 1) * fine // (2 * coarse)
        there = there & (middle == at) & (place < coarse)
        places.append(place)
    return places, there


def _put(level: Any, index: Index, values: Labels) -> None:
    if isinstance(level, np.ndarray):
        level[index] = values
        return
    try:
        level.set_coordinate_selection(index, values.astype(level.dtype))
    except OSError as error:
        error.filename = str(level.store_path)  # that of a chunk tells people nothing
        raise
