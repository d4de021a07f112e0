"""Samples of the pixels of a stack or of a large image, enough to estimate the contrast."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np

from napari_sam.arrays import Array, LazyArray, plain

__all__ = ["SAMPLE_PLANES", "SAMPLE_SIDE", "sample_image", "sample_stack", "sample_steps"]

SAMPLE_PLANES, SAMPLE_SIDE = 16, 256
SAMPLE_WINDOWS = 8  # of that side along each axis of a large image
MOST_WINDOWS = 32  # where nothing is in fewer


def sample_steps(shape: Sequence[int]) -> list[int]:
    """Return the step along each spatial axis, (..., Y, X), to take about 16 planes of 256 x 256.

    A single plane is taken whole.

    Examples
    --------
    >>> sample_steps((60, 1024, 1024)), sample_steps((1024, 1024))
    ([3, 4, 4], [1, 1])
    """
    if len(shape) == 2:
        return [1, 1]
    per_axis = round(SAMPLE_PLANES ** (1 / (len(shape) - 2)))
    counts = [per_axis] * (len(shape) - 2) + [SAMPLE_SIDE] * 2
    return [max(1, size // count) for size, count in zip(shape, counts, strict=True)]


def sample_stack(data: LazyArray, ndim: int) -> Array:
    """Return the pixels of about 16 planes of 256 x 256, evenly spaced: (N,) or (N, colours).

    Parameters
    ----------
    data : array-like
        (..., Y, X) or (..., Y, X, colours).
    ndim : int
        Number of its axes but the colours, at least 3.

    Examples
    --------
    >>> import numpy as np
    >>> sample_stack(np.zeros((60, 1024, 1024)), 3).shape
    (1310720,)
    """
    steps = sample_steps(data.shape[:ndim])
    sample = plain(data[tuple(slice(None, None, step) for step in steps)], "the stack")
    return sample.reshape(-1, *sample.shape[ndim:])


def sample_image(image: LazyArray) -> Array:
    """Return pixels sampled across a large image, enough to estimate its contrast.

    Windows of one single value, as where nothing was written, do not count unless all are; where
    they are, more windows are looked at first.

    Parameters
    ----------
    image : (H, W) or (H, W, C) array-like
        Is indexed with slices.

    Returns
    -------
    (N,) or (N, C) ndarray
    """
    windows: list[Array] = []
    for count in (SAMPLE_WINDOWS, 2 * SAMPLE_WINDOWS, MOST_WINDOWS):  # little may be on a slide
        windows = list(_windows(image, count))
        if filled := [window for window in windows if window.min() != window.max()]:
            windows = filled
            break
    return np.concatenate([window.reshape(-1, *window.shape[2:]) for window in windows])


def _windows(image: LazyArray, count: int) -> Iterator[Array]:
    starts = [
        sorted({int(at) for at in np.linspace(0, max(0, size - SAMPLE_SIDE), count)})
        for size in image.shape[:2]
    ]
    for row, column in product(*starts):
        yield plain(image[row : row + SAMPLE_SIDE, column : column + SAMPLE_SIDE], "the picture")
