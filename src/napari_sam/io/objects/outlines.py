"""Lossless conversion between masks and polygons along pixel edges."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_sam.errors import InputError
from napari_sam.io.objects.instances import Piece, check_mask_size, formats_extra

__all__ = ["Polygon", "Raster", "clipped_bounds", "numbers_of", "outline", "rasterise", "rings_of"]

MAX_COORDINATE = 10**9  # pixels; positions further off are no positions
MAX_CROSSINGS = 2**23  # of an outline with the rows of pixels; more is damage, or means harm


def outline(piece: Piece) -> Any:
    """Return the polygon of an object in one plane, with its holes.

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


def rings_of(shape: Any) -> list[list[NDArray[np.float64]]]:
    """Return the rings of each polygon, (N, 2) in x, y, not closed; exterior first, then holes."""
    parts = getattr(shape, "geoms", [shape])
    return [
        [np.array(ring.coords)[:-1] for ring in (part.exterior, *part.interiors)] for part in parts
    ]


@dataclass(frozen=True)
class Polygon:
    """Polygon, or compound path; all rings are (N, 2) in x, y.

    Parameters
    ----------
    outlines : sequence of array-like
        What lies in an odd number of them is inside.
    holes : sequence of array-like
        What lies in any of them is not.
    """

    outlines: Sequence[ArrayLike]
    holes: Sequence[ArrayLike] = ()


@dataclass(frozen=True, eq=False)
class Raster:
    """Rasterised mask (h, w), row and column of its first pixel, and whether it was clipped."""

    corner: tuple[int, int]
    mask: NDArray[np.bool_]
    cut: bool


def rasterise(polygons: Iterable[Polygon], shape: tuple[int, ...] | None = None) -> Raster:
    """Return the mask of the pixels whose centre lies inside polygons.

    Parameters
    ----------
    polygons : iterable of Polygon
        Parts of one object.
    shape : (..., H, W), optional
        Of the picture, at whose edge the object ends. Without it it ends at the first row and
        column only.

    Examples
    --------
    >>> raster = rasterise([Polygon([[(4, 2), (6, 2), (6, 5), (4, 5)]])])
    >>> raster.corner, raster.mask.shape, int(raster.mask.sum())
    ((2, 4), (3, 2), 6)
    """
    parts = [(_rings(one.outlines), _rings(one.holes)) for one in polygons]
    points = [ring for outlines, _ in parts for ring in outlines]
    if not points:
        raise InputError("it has no area")
    first, end, cut = clipped_bounds(np.concatenate(points), shape)
    check_mask_size(*(end - first))
    mask = np.zeros(end - first, bool)
    for outlines, holes in parts:
        part = _inside(outlines, first, mask.shape)
        for hole in holes:
            part &= ~_inside([hole], first, mask.shape)
        mask |= part
    if not mask.any():
        raise InputError("it holds no centre of a pixel of the picture")
    return Raster((int(first[0]), int(first[1])), mask, cut)


def numbers_of(values: object) -> NDArray[np.float64]:
    """Return nested numbers of a file as a float array."""
    try:
        numbers = np.asarray(values)
    except ValueError:
        numbers = np.array(None)
    if isinstance(values, list) and numbers.ndim in (1, 2):
        flat = values if numbers.ndim == 1 else [one for part in values for one in part]
        if not all(isinstance(one, int | float) and not isinstance(one, bool) for one in flat):
            numbers = np.array(None)
    if numbers.dtype.kind not in "iuf":
        raise InputError("its outline must be numbers")
    return numbers.astype(float)


def clipped_bounds(
    points: NDArray[np.float64], shape: tuple[int, ...] | None
) -> tuple[NDArray[np.int64], NDArray[np.int64], bool]:
    """Return start and end of the bounding box, clipped to the image, and if it was clipped.

    Parameters
    ----------
    points : (N, 2) float
        In x, y.
    shape : (..., H, W), optional
        Of the picture.
    """
    low = np.ceil(points.min(axis=0)[::-1] - 0.5).astype(np.int64)
    high = np.floor(points.max(axis=0)[::-1] - 0.5).astype(np.int64) + 1
    if (high <= low).any():
        raise InputError("it holds no centre of a pixel")
    first, end = np.maximum(low, 0), high if shape is None else np.minimum(high, shape[-2:])
    if (end <= first).any():
        raise InputError("it lies outside of the picture; does it belong to another one?")
    return first, end, bool((first != low).any() or (end != high).any())


def _rings(rings: Iterable[ArrayLike]) -> list[NDArray[np.float64]]:
    """Return those that can have an area, with their first two coordinates."""
    kept = []
    for ring in rings:
        points = numbers_of(ring)
        if points.ndim != 2 or points.shape[1] < 2:
            raise InputError("its outline must be pairs of numbers")
        points = points[:, :2]
        if not (np.abs(points) <= MAX_COORDINATE).all():
            raise InputError(
                f"its outline must be finite and no further off than {MAX_COORDINATE:,} pixels"
            )
        if len(points) > 2:
            kept.append(points)
    return kept


def _inside(
    rings: Iterable[NDArray[np.float64]], first: NDArray[np.int64], shape: tuple[int, ...]
) -> NDArray[np.bool_]:
    """Return what lies in an odd number of rings: along each row, every edge turns the tide."""
    turns = np.zeros((shape[0], shape[1] + 1), bool)
    for ring in rings:
        points = ring[:, ::-1] - first - 0.5  # pixels' centres are whole numbers now
        ends = np.stack([points, np.roll(points, -1, axis=0)])
        ends = np.take_along_axis(ends, ends[..., :1].argsort(axis=0), axis=0)
        rows = np.clip(np.ceil(ends[..., 0]), 0, shape[0]).astype(np.int64)
        counts = rows[1] - rows[0]
        if counts.sum() > MAX_CROSSINGS:
            raise InputError("its outline is too long")
        edge = np.repeat(np.arange(len(counts)), counts)
        row = np.arange(len(edge)) - np.repeat(np.cumsum(counts) - counts, counts) + rows[0, edge]
        (y0, x0), (y1, x1) = ends[0, edge].T, ends[1, edge].T
        column = np.ceil(x0 + (row - y0) * ((x1 - x0) / (y1 - y0)))
        np.logical_xor.at(turns, (row, np.clip(column, 0, shape[1]).astype(np.int64)), True)
    inside: NDArray[np.bool_] = np.logical_xor.accumulate(turns, axis=1)[:, :-1]
    return inside
