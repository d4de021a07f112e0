"""Stacks and time series, read slice by slice, with one contrast for all slices."""

from __future__ import annotations

from typing import Any

from napari_sam.arrays import Array, ContrastRange, lazy
from napari_sam.errors import InputError
from napari_sam.inference.image import check_image, pixel_range
from napari_sam.inference.sampling import sample_stack

__all__ = ["Stack"]


class Stack:
    """Stack of slices over any indexable array, such as one of numpy, dask or zarr.

    Parameters
    ----------
    data : array-like
        (Z, Y, X), or (Z, Y, X, 3 or 4) for colours; the first axis may be time.

    Raises
    ------
    InputError
        For another shape.

    Examples
    --------
    >>> import numpy as np
    >>> stack = Stack(np.zeros((5, 20, 30)))
    >>> len(stack), stack.shape, stack.plane(2).shape
    (5, (20, 30), (20, 30))
    """

    def __init__(self, data: Any) -> None:
        self.data = lazy(data, "the stack")
        shape = tuple(self.data.shape)
        if not (len(shape) == 3 or (len(shape) == 4 and shape[3] in (3, 4))) or 0 in shape:
            raise InputError(f"a stack must have shape (Z, Y, X) or (Z, Y, X, 3 or 4); got {shape}")
        self.shape: tuple[int, int] = shape[1:3]

    def __len__(self) -> int:
        return int(self.data.shape[0])

    def plane(self, index: int) -> Array:
        """Return one slice, (Y, X) or (Y, X, 3).

        Raises
        ------
        InputError
            If it holds no number at all; the message names the slice.
        """
        try:
            return check_image(self.data[index])
        except InputError as error:
            raise InputError(f"slice {index}: {error}") from error

    def contrast(self, rule: str) -> ContrastRange:
        """Return one contrast range (low, high) for all slices.

        It comes from pixels all over the stack, the same that the panel takes.
        """
        return pixel_range(sample_stack(self.data, 3), rule)
