"""Array types, and conversion of array-likes to plain numpy arrays."""

from __future__ import annotations

import reprlib
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_sam.errors import InputError

__all__ = ["ODD", "Array", "ContrastRange", "Labels", "LazyArray", "is_held", "lazy", "plain"]

Array = NDArray[Any]
"""An array of any dtype."""

Labels = NDArray[np.integer]
"""The number of an object at each pixel, 0 for background."""

ContrastRange = tuple[float | NDArray[np.floating], float | NDArray[np.floating]]
"""Intensities that become black and white: one for all colours, or one for each."""

ODD = RuntimeError, TypeError, ValueError, OverflowError  # what strange arrays raise


class LazyArray(Protocol):
    """Protocol of lazily read arrays, such as those of numpy, dask or zarr."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of pixels along each axis."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:
        """Dtype of the pixels."""
        ...

    def __getitem__(self, index: Any, /) -> Any: ...


def plain(values: Any, what: str) -> NDArray[Any]:
    """Convert an array-like to a numpy array of native byte order.

    Parameters
    ----------
    values : array-like
        Lists, arrays of any library, tensors with or without a gradient.
    what : str
        Its name in messages.

    Raises
    ------
    InputError
        If it is no array, or some of its values are masked.

    Examples
    --------
    >>> plain(np.array([1, 2], ">i2"), "the picture").dtype.isnative
    True
    >>> plain(np.ma.masked_equal([1, 2], 2), "the picture")
    Traceback (most recent call last):
    napari_sam.errors.InputError: there are masked values in the picture, which are no numbers; ...
    """
    try:
        if hasattr(values, "detach"):  # a tensor, on whatever device
            values = values.detach().cpu()
        elif hasattr(values, "compute"):  # of dask, whose own way to an array loses masks
            values = values.compute()
        array = np.asanyarray(values)
    except ODD as error:
        raise InputError(f"{what} must be numbers; got {reprlib.repr(values)}") from error
    if isinstance(array, np.ma.MaskedArray) and np.ma.is_masked(array):
        raise InputError(
            f"there are masked values in {what}, which are no numbers; fill them first, for "
            "instance with array.filled(0)"
        )
    array = np.asarray(array)
    if array.dtype.kind == "f" and array.dtype.itemsize > np.dtype(np.float64).itemsize:
        with np.errstate(over="ignore"):  # what float64 cannot hold is infinite
            return array.astype(np.float64)
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def is_held(array: object) -> bool:
    """Return whether an array lies in memory; memory maps and what is read lazily do not."""
    return isinstance(array, np.ndarray) and not isinstance(array, np.memmap)


def lazy(values: Any, what: str) -> LazyArray:
    """Return an array unread, for lazy indexing; convert lists as `plain` does."""
    array: LazyArray = values if hasattr(values, "shape") else plain(values, what)
    return array
