"""Point grids, overlapping crops, and the schedule of seed points. No model here."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from napari_sam.arrays import Array
from napari_sam.inference.automatic.seeds import distance_peaks, maxima, object_size
from napari_sam.inference.automatic.settings import GridSettings
from napari_sam.masks import Box, slices
from napari_sam.results import Proposal

__all__ = ["Points", "SeedRound", "crops", "point_grid", "points_inside", "seed_schedule"]

Points = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Rows and columns for the finest level, and for the coarser ones, which show larger objects."""

SeedRound = Callable[[Sequence[Proposal]], Points]
"""Gives points, after it was told what has been found so far."""


def seed_schedule(
    image: Array,
    crop: Box,
    per_side: int,
    settings: GridSettings,
    where: NDArray[np.bool_] | None = None,
) -> list[SeedRound]:
    """Return the rounds of seed points for a part of an image.

    Parameters
    ----------
    image : (H, W) or (H, W, C) array
        All of it.
    crop : Box
        The part; points count from its corner.
    per_side : int
        Of a grid; other seeds are at most as many, the strongest ones.
    settings : GridSettings
        Which seeds.
    where : (H, W) bool, optional
        Points elsewhere are left out.
    """
    here = slices(crop)
    part = image[here]
    shape = part.shape[0], part.shape[1]
    allowed = None if where is None else where[here]
    if settings.seeds == "grid":
        return [_always(_grids(per_side, shape), allowed)]
    size = object_size(part)
    peaks = distance_peaks if settings.seeds == "distance" else maxima
    most = per_side**2, (-(-per_side // 2)) ** 2
    suggested = peaks(part, size)[: most[0]], peaks(part, 2 * size)[: most[1]]
    first = _always(suggested, allowed)
    if settings.seeds != "adaptive":
        return [first]
    half = _always(_grids(-(-per_side // 2), shape), allowed)

    def rest(found: Sequence[Proposal]) -> Points:
        free = np.ones(image.shape[:2], bool)
        for one in found:
            free[one.box] &= ~one.patch
        points = half(found)
        return points_inside(points[0], free[here]), points_inside(points[1], free[here])

    return [first, rest]


def _grids(per_side: int, shape: tuple[int, int]) -> Points:
    return point_grid(per_side, shape), point_grid(-(-per_side // 2), shape)


def _always(points: Points, allowed: NDArray[np.bool_] | None) -> SeedRound:
    some = points_inside(points[0], allowed), points_inside(points[1], allowed)
    return lambda _: some


def point_grid(per_side: int, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return the point grid of SAM's own automatic mask generator: (N, 2) row, column.

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


def crops(shape: tuple[int, int], layers: int, overlap: float) -> list[tuple[int, Box]]:
    """Return the crop boxes: the image as layer 0, in layer n the 2^n x 2^n overlapping crops.

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
    found: list[tuple[int, Box]] = [(0, (0, 0, *shape))]
    for layer in range(1, layers + 1):
        count = 2**layer
        common = int(overlap * min(shape) * 2 / count)
        sides = [math.ceil((common * (count - 1) + length) / count) for length in shape]
        for i, j in product(range(count), repeat=2):
            start = i * (sides[0] - common), j * (sides[1] - common)
            bottom, right = np.minimum(np.add(start, sides), shape).tolist()
            found.append((layer, (*start, bottom, right)))
    return found


def points_inside(
    points: NDArray[np.float64], where: NDArray[np.bool_] | None
) -> NDArray[np.float64]:
    """Return the points (N, 2) that lie inside a mask (H, W); all, if there is no mask.

    Examples
    --------
    >>> points_inside(point_grid(2, (4, 8)), np.arange(8) < np.full((4, 1), 4)).tolist()
    [[1.0, 2.0], [3.0, 2.0]]
    """
    if where is None:
        return points
    rows, columns = np.clip(np.rint(points).astype(int), 0, np.array(where.shape) - 1).T
    return points[where[rows, columns]]
