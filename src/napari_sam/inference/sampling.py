"""Samples of the pixels of a stack or of a large image, enough to estimate the contrast."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

import numpy as np

from napari_sam.arrays import Array, LazyArray, plain
from napari_sam.inference.pyramid import is_large
from napari_sam.levels import coarser_levels

__all__ = [
    "SAMPLE_PLANES",
    "SAMPLE_SIDE",
    "sample_image",
    "sample_stack",
    "sample_steps",
    "sample_windows",
]

SAMPLE_PLANES, SAMPLE_SIDE = 16, 256
SAMPLE_WINDOWS = 8  # of that side along each axis of a large image
WINDOW_FACTORS = 1, 2, 4  # more of them where nothing is in fewer


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

    Of large planes they are windows, as of a large image, for of those every chunk would be read.

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
    if is_large(data.shape[ndim - 2 : ndim]):
        return sample_windows(data.shape[:ndim], lambda part: plain(data[part], "the stack"))
    steps = sample_steps(data.shape[:ndim])
    sample = plain(data[tuple(slice(None, None, step) for step in steps)], "the stack")
    return sample.reshape(-1, *sample.shape[ndim:])


def sample_image(image: LazyArray) -> Array:
    """Return pixels sampled across a large image, enough to estimate its contrast.

    Windows of one single value, as where nothing was written, do not count unless all are; then
    the coarsest level is looked at or, if there are none, more windows are.

    Parameters
    ----------
    image : (H, W) or (H, W, C) array-like
        Is indexed with slices.

    Returns
    -------
    (N,) or (N, C) ndarray
    """
    levels = coarser_levels(image)
    for factor in (1,) if levels else WINDOW_FACTORS:  # little may be on a slide
        sample = sample_windows(
            image.shape[:2], lambda part: plain(image[part], "the picture"), factor * SAMPLE_WINDOWS
        )
        if sample.min() != sample.max():
            return sample
    return sample_image(levels[-1].pixels) if levels else sample


def sample_windows(
    shape: Sequence[int],
    read: Callable[[tuple[int | slice, ...]], Array],
    count: int = SAMPLE_WINDOWS,
) -> Array:
    """Return the pixels of windows spread over about 16 planes, as `sample_image` does over one.

    Parameters
    ----------
    shape : sequence of int
        (..., Y, X).
    read : callable
        Returns a part (h, w) or (h, w, C), by its index along these axes.
    count : int
        How many windows a side.

    Returns
    -------
    (N,) or (N, C) ndarray
    """
    steps = sample_steps(shape)[:-2]
    planes = [*product(*(range(0, n, step) for n, step in zip(shape, steps, strict=False)))]
    starts = [
        sorted({int(at) for at in np.linspace(0, max(0, size - SAMPLE_SIDE), count)})
        for size in shape[-2:]
    ]
    windows = []
    for i, place in enumerate(product(*starts)):
        plane = planes[(i + i // len(starts[1])) % len(planes)]  # no plane at one side only
        windows.append(read((*plane, *(slice(at, at + SAMPLE_SIDE) for at in place))))
    filled = [window for window in windows if window.min() != window.max()] or windows
    return np.concatenate([window.reshape(-1, *window.shape[2:]) for window in filled])
