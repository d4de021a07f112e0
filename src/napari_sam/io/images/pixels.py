"""Lazy image array with axes in order: rows and columns last, then colours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from napari_sam.arrays import Array, LazyArray
from napari_sam.errors import InputError
from napari_sam.io.images.file_checks import check_pixels, why_unreadable
from napari_sam.levels import CoarserLevel

__all__ = ["TURNED", "TURNS", "Conversion", "LazyImage"]

Conversion = Callable[[Array], Array]
"""Turns numbers of a file (..., or with samples (..., S)) into a picture's."""

TURNS = {2: "x", 3: "yx", 4: "y", 5: "t", 6: "tx", 7: "tyx", 8: "ty"}
"""By EXIF's number: whether rows and columns are exchanged (t), and then turned round (y, x)."""

TURNED = "turned as the file says, and so are its labels; napari shows it unturned"


class LazyImage:
    """Lazily read image array; integers and slices as an index read only that part.

    Parameters
    ----------
    path : Path
        To be named where something cannot be read.
    data : array-like
        As it is in the file.
    order : sequence of int, optional
        Its axes but the samples', in the order in which they shall stand: rows and columns last.
    samples : int, optional
        Its axis of the samples of a pixel, which shall stand behind them.
    convert : callable, optional
        Makes grey (...) or colours (..., 3 or 4) of the numbers.
    turn : int
        How the picture is to be turned, in EXIF's numbers.
    coarser : sequence of CoarserLevel, optional
        Coarser levels as they are in the file, finest first; of turned pictures they do not count.

    Attributes
    ----------
    coarser : list of CoarserLevel
        The same with the axes of this picture.
    colours : bool
        Whether the last axis holds red, green and blue, perhaps with a fourth to be left out.

    Examples
    --------
    >>> apart = np.arange(24).reshape(3, 2, 4)  # red, green and blue, each a plane of its own
    >>> pixels = LazyImage(Path("a.tif"), apart, order=(1, 2), samples=0)
    >>> pixels.shape, pixels.colours, pixels[0, 1:3].tolist()
    ((2, 4, 3), True, [[1, 9, 17], [2, 10, 18]])
    """

    def __init__(
        self,
        path: Path,
        data: LazyArray,
        order: Sequence[int] | None = None,
        samples: int | None = None,
        convert: Conversion | None = None,
        turn: int = 1,
        coarser: Sequence[CoarserLevel] = (),
    ) -> None:
        self._path, self._data, self._convert = path, data, convert or np.asarray
        self._order = list(range(len(data.shape)) if order is None else order)
        self._samples = [] if samples is None else [samples]
        self._turn = TURNS.get(turn, "")
        sizes = [int(data.shape[axis]) for axis in (*self._order, *self._samples)]
        dtype = np.dtype(data.dtype)
        check_pixels(tuple(sizes), dtype.kind, dtype)
        planes = len(self._order)
        tiny = self._convert(np.zeros([1] * planes + sizes[planes:], dtype))
        if "t" in self._turn:
            sizes[planes - 2 : planes] = sizes[planes - 1], sizes[planes - 2]
        self.colours = tiny.ndim > planes
        self.dtype, self.ndim = tiny.dtype, tiny.ndim
        self.shape: tuple[int, ...] = (*sizes[:planes], *tiny.shape[planes:])
        alike = [one for one in coarser if not self._turn and self._is_alike(one)]
        self.coarser = [self._in_order(one) for one in alike]

    @property
    def plain_shape(self) -> tuple[int, ...]:
        """Shape without the colour axis."""
        return self.shape[: self.ndim - self.colours]

    def __len__(self) -> int:
        return self.shape[0]

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> Array:
        return np.asarray(self[...], dtype)

    def __getitem__(self, index: Any) -> Array:
        index = index if isinstance(index, tuple) else (index,)
        try:
            return self._read(self._full(index))
        except Exception as error:  # files can be damaged in more ways than their readers name
            name = ", ".join(str(at) for at in index if not isinstance(at, slice) and at is not ...)
            where = f"{self._path}: slice {name}" if name else self._path
            raise InputError(f"{where} cannot be read: {why_unreadable(error)}") from error

    def _is_alike(self, level: CoarserLevel) -> bool:
        """Tell whether a level has the samples of this picture."""
        sizes = self._data.shape, level.pixels.shape
        return all(sizes[0][axis] == sizes[1][axis] for axis in self._samples)

    def _in_order(self, level: CoarserLevel) -> CoarserLevel:
        samples = self._samples[0] if self._samples else None
        pixels = LazyImage(self._path, level.pixels, self._order, samples, self._convert)
        steps, first = ([of[axis] for axis in self._order] for of in (level.steps, level.first))
        return CoarserLevel(pixels, tuple(steps), tuple(first))

    def _full(self, index: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return an index with an entry for each axis."""
        cut = next((place for place, at in enumerate(index) if at is ...), len(index))
        before, after = index[:cut], index[cut + 1 :]
        missing = self.ndim - len(before) - len(after)
        if missing < 0:
            raise InputError(f"{self.ndim} axes were expected; got {len(index)} indices")
        return (*before, *[slice(None)] * missing, *after)

    def _read(self, index: tuple[Any, ...]) -> Array:
        count = len(self._order)
        planes, place, colour = index[: count - 2], index[count - 2 : count], index[count:]
        there = (slice(None), slice(None)) if self._turn else place
        wanted: list[Any] = [slice(None)] * len(self._data.shape)
        for axis, at in zip(self._order, (*planes, *there), strict=True):
            wanted[axis] = at
        block: Array = np.asarray(self._data[tuple(wanted)])
        kept = [axis for axis, at in enumerate(wanted) if isinstance(at, slice)]
        axes = [axis for axis in (*self._order, *self._samples) if axis in kept]
        block = self._convert(block.transpose([kept.index(axis) for axis in axes]))
        if self._turn:
            cut: Any = (..., *place, *[slice(None)] * self.colours)
            block = self._turned(block)[cut]
        return block[..., colour[0]] if colour else block

    def _turned(self, block: Array) -> Array:
        """Return (..., rows, columns) or (..., rows, columns, colours) turned as EXIF says."""
        rows, columns = (-3, -2) if self.colours else (-2, -1)
        if "t" in self._turn:
            block = block.swapaxes(rows, columns)
        return np.flip(block, tuple({"y": rows, "x": columns}[at] for at in self._turn.strip("t")))
