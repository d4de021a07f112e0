"""Where an automatic run looks: grids of points, and crops of the picture. Numpy only."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
from numpy.typing import NDArray

__all__ = ["Crop", "crops", "inside", "point_grid"]

Crop = tuple[int, int, int, int]
"""First row and column of a part of the picture, and those behind its last."""


def point_grid(per_side: int, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return a grid of points where the public generator has it: (N, 2) row, column.

    Examples
    --------
    >>> point_grid(2, (4, 8)).tolist()
    [[1.0, 2.0], [1.0, 6.0], [3.0, 2.0], [3.0, 6.0]]
    """
    shares = (np.arange(per_side) + 0.5) / per_side
    # Of a picture smaller than the grid the last point would lie outside.
    lines = [np.minimum(shares * length, length - 0.5) for length in shape]
    rows, columns = np.meshgrid(*lines, indexing="ij")
    return np.stack([rows.ravel(), columns.ravel()], axis=1)


def crops(shape: tuple[int, int], layers: int, overlap: float) -> list[tuple[int, Crop]]:
    """Return the picture as layer 0, and in layer n the 2^n x 2^n overlapping crops.

    Parameters
    ----------
    shape : (H, W)
        Of the picture.
    layers : int
        How many layers of crops.
    overlap : float
        Of neighbouring crops in the first layer, as a share of the shorter side; half as much in
        each further layer.

    Returns
    -------
    list of (layer, crop)

    Examples
    --------
    >>> crops((100, 100), 1, 0.2)[1:]
    [(1, (0, 0, 60, 60)), (1, (0, 40, 60, 100)), (1, (40, 0, 100, 60)), (1, (40, 40, 100, 100))]
    """
    found: list[tuple[int, Crop]] = [(0, (0, 0, *shape))]
    for layer in range(1, layers + 1):
        count = 2**layer
        common = int(overlap * min(shape) * 2 / count)
        sides = [math.ceil((common * (count - 1) + length) / count) for length in shape]
        for i, j in product(range(count), repeat=2):
            start = i * (sides[0] - common), j * (sides[1] - common)
            bottom, right = np.minimum(np.add(start, sides), shape).tolist()
            found.append((layer, (*start, bottom, right)))
    return found


def inside(points: NDArray[np.float64], where: NDArray[np.bool_] | None) -> NDArray[np.float64]:
    """Return those of the points (N, 2) that lie on a mask (H, W); all, if there is none.

    Examples
    --------
    >>> inside(point_grid(2, (4, 8)), np.arange(8) < np.full((4, 1), 4)).tolist()
    [[1.0, 2.0], [3.0, 2.0]]
    """
    if where is None:
        return points
    rows, columns = np.clip(np.rint(points).astype(int), 0, np.array(where.shape) - 1).T
    return points[where[rows, columns]]
