"""Baselines that see no image: a disc around a click, and the ellipse in a box."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["disc", "ellipse"]


def disc(shape: tuple[int, int], centre: tuple[float, float], radius: float) -> NDArray[np.bool_]:
    """Return the mask (H, W) of a disc around a centre (row, column).

    Examples
    --------
    >>> disc((3, 4), (1, 1), 1).astype(int)
    array([[0, 1, 0, 0],
           [1, 1, 1, 0],
           [0, 1, 0, 0]])
    """
    y, x = np.ogrid[: shape[0], : shape[1]]
    return np.asarray((y - centre[0]) ** 2 + (x - centre[1]) ** 2 <= radius**2)


def ellipse(shape: tuple[int, int], box: tuple[float, float, float, float]) -> NDArray[np.bool_]:
    """Return the mask of the ellipse that fills a box (y0, x0, y1, x1)."""
    y0, x0, y1, x1 = box
    y, x = np.ogrid[: shape[0], : shape[1]]
    v = (2 * y - y0 - y1) / (y1 - y0)
    u = (2 * x - x0 - x1) / (x1 - x0)
    return np.asarray(v**2 + u**2 <= 1)
