"""At which points a part of a picture is asked about, round after round. No model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sam.inference.grid_settings import GridSettings
from napari_sam.inference.places import Crop, inside, point_grid
from napari_sam.inference.seeds import distance_peaks, maxima, object_size
from napari_sam.results import Proposal

__all__ = ["Points", "Round", "rounds"]

Points = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Rows and columns for the finest level, and for the coarser ones, which show larger objects."""

Round = Callable[[Sequence[Proposal]], Points]
"""Gives points, after it was told what has been found so far."""


def rounds(
    picture: NDArray[Any],
    crop: Crop,
    per_side: int,
    settings: GridSettings,
    where: NDArray[np.bool_] | None = None,
) -> list[Round]:
    """Return the rounds for a part of a picture.

    Parameters
    ----------
    picture : (H, W) or (H, W, C) array
        All of it.
    crop : Crop
        The part; points count from its corner.
    per_side : int
        Of a grid; other seeds are at most as many, the strongest ones.
    settings : GridSettings
        Which seeds.
    where : (H, W) bool, optional
        Points elsewhere are left out.
    """
    here = np.s_[crop[0] : crop[2], crop[1] : crop[3]]
    part = picture[here]
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
        free = np.ones(picture.shape[:2], bool)
        for one in found:
            free[one.box] &= ~one.patch
        points = half(found)
        return inside(points[0], free[here]), inside(points[1], free[here])

    return [first, rest]


def _grids(per_side: int, shape: tuple[int, int]) -> Points:
    return point_grid(per_side, shape), point_grid(-(-per_side // 2), shape)


def _always(points: Points, allowed: NDArray[np.bool_] | None) -> Round:
    some = inside(points[0], allowed), inside(points[1], allowed)
    return lambda _: some
