"""Pixels from all over a stack, enough to find its contrast."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["sample_stack"]

PLANES, SIDE = 16, 256


def sample_stack(data: Any, ndim: int) -> NDArray[Any]:
    """Return about 16 planes of 256 x 256 pixels, evenly spaced.

    Parameters
    ----------
    data : array-like
        (..., Y, X) or (..., Y, X, colours).
    ndim : int
        Number of its axes but the colours, at least 3.

    Examples
    --------
    >>> sample_stack(np.zeros((60, 1024, 1024)), 3).shape
    (20, 256, 256)
    """
    per_axis = round(PLANES ** (1 / (ndim - 2)))
    counts = [per_axis] * (ndim - 2) + [SIDE] * 2
    steps = (max(1, size // count) for size, count in zip(data.shape, counts, strict=False))
    return np.asarray(data[tuple(slice(None, None, step) for step in steps)])
