"""Masks to outlines along the edges of their pixels, and back, without losing a pixel."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sam.io.drawn import Piece, formats_extra

__all__ = ["fill", "outline", "polygons"]


def outline(piece: Piece) -> Any:
    """Return the outline of an object in one plane, with its holes.

    Returns
    -------
    shapely.Polygon or shapely.MultiPolygon
        In x, y; pixel (r, c) is the square from (c, r) to (c + 1, r + 1).
    """
    with formats_extra():
        import shapely
    steps = np.diff(np.pad(piece.mask.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    rows, starts = np.nonzero(steps == 1)
    _, ends = np.nonzero(steps == -1)
    top, left = piece.corner
    runs = shapely.box(left + starts, top + rows, left + ends, top + rows + 1)
    return shapely.union_all(runs).simplify(0)  # without the points along straight lines


def polygons(shape: Any) -> list[list[NDArray[np.float64]]]:
    """Return the rings of each polygon of an outline, (N, 2) in x, y, not closed; holes behind."""
    parts = getattr(shape, "geoms", [shape])
    return [
        [np.array(ring.coords)[:-1] for ring in (part.exterior, *part.interiors)] for part in parts
    ]


def fill(
    parts: Iterable[Iterable[NDArray[Any]]],
) -> tuple[tuple[int, int], NDArray[np.bool_]] | None:
    """Return corner and mask of the pixels whose centre lies in a polygon; None if none does.

    Parameters
    ----------
    parts : iterable of polygons
        Of each the rings, (N, 2) in x, y; what lies in an even number of them is a hole.

    Examples
    --------
    >>> square = np.array([[4, 2], [6, 2], [6, 5], [4, 5]])
    >>> corner, mask = fill([[square]])
    >>> corner, mask.shape, int(mask.sum())
    ((2, 4), (3, 2), 6)
    """
    from skimage.draw import polygon2mask

    kept = [[np.asarray(ring, float) for ring in rings if len(ring) > 2] for rings in parts]
    points = [ring for rings in kept for ring in rings]
    if not points:
        return None
    first = np.floor(np.min([ring.min(axis=0) for ring in points], axis=0)).astype(int)
    last = np.ceil(np.max([ring.max(axis=0) for ring in points], axis=0)).astype(int)
    mask = np.zeros((last - first)[::-1], bool)
    for rings in kept:
        part = np.zeros_like(mask)
        for ring in rings:
            part ^= polygon2mask(mask.shape, (ring - first - 0.5)[:, ::-1])
        mask |= part
    if not mask.any():
        return None
    return (int(first[1]), int(first[0])), mask
