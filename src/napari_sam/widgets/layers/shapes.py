"""Conversion of shapes to masks and points in pixels of one plane, and of masks to outlines."""

from __future__ import annotations

import numpy as np
from napari.layers import Labels, Layer, Points, Shapes
from numpy.typing import NDArray
from skimage.draw import polygon2mask
from skimage.measure import approximate_polygon, find_contours

from napari_sam.errors import InputError
from napari_sam.planes import Plane
from napari_sam.widgets.layers.channel_mix import finest
from napari_sam.widgets.layers.image_stack import ImageStack, on_plane
from napari_sam.widgets.layers.labels_target import misfit

__all__ = ["filled", "inside", "own_seeds", "spread", "traced"]

CORNERS = 64  # of the polygon that stands for an ellipse
SPACING = 8  # pixels of a scribble for each point
MOST_POINTS = 5
TOLERANCE = 0.7  # pixels that a traced outline may be off


def filled(kind: str, vertices: NDArray[np.float64], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the (H, W) mask of pixels whose centres lie in an ellipse or a polygon.

    Parameters
    ----------
    kind : str
        "ellipse" or "polygon", as in a Shapes layer.
    vertices : (N, 2) float
        Of an ellipse the four corners of the box around it, which may be turned.
    shape : (H, W)
        Of the plane.

    Examples
    --------
    >>> corners = np.array([(0, 0), (0, 4), (4, 4), (4, 0)])
    >>> filled("polygon", corners - 0.5, (5, 5)).sum(), filled("ellipse", corners, (5, 5)).sum()
    (np.int64(16), np.int64(9))
    """
    if kind == "ellipse":
        middle = vertices.mean(axis=0)
        across, along = (vertices[1] - vertices[0]) / 2, (vertices[3] - vertices[0]) / 2
        angle = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)[:, None]
        vertices = middle + np.cos(angle) * across + np.sin(angle) * along
    return np.asarray(polygon2mask(shape, vertices), bool)


def spread(vertices: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a few evenly spaced points (N, 2) along a line.

    Examples
    --------
    >>> spread(np.array([(3.0, 0.0), (3.0, 16.0)])).tolist()
    [[3.0, 4.0], [3.0, 12.0]]
    """
    steps = np.linalg.norm(np.diff(vertices, axis=0), axis=1)
    gone = np.concatenate([[0.0], np.cumsum(steps)])
    count = int(np.clip(round(gone[-1] / SPACING), 1, MOST_POINTS))
    at = (np.arange(count) + 0.5) / count * gone[-1]
    return np.stack([np.interp(at, gone, axis) for axis in vertices.T], axis=1)


def traced(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the outline (N, 2) of the largest component of a non-empty mask.

    Examples
    --------
    >>> mask = np.zeros((9, 9), bool)
    >>> mask[2:7, 2:7] = True
    >>> outline = traced(mask)
    >>> outline.min(), outline.max()
    (np.float64(1.5), np.float64(6.5))
    """
    contours = find_contours(np.pad(mask, 1).astype(float), 0.5)
    longest: NDArray[np.float64] = max(contours, key=len) - 1
    simple = approximate_polygon(longest, TOLERANCE)
    kept = simple if len(simple) > 3 else longest  # of a tiny mask nothing would be left
    return np.asarray(kept[:-1])  # the last is the first again


def own_seeds(layer: Points | Labels, picture: ImageStack, plane: Plane) -> NDArray[np.float64]:
    """Return the (N, 2) seed points of a layer on a plane, as (row, column) in mask pixels.

    Of labels it is the deepest point of each object.

    Raises
    ------
    InputError
        If labels do not lie on the picture.
    """
    if isinstance(layer, Labels):
        from napari_sam.inference.automatic.seeds import deepest_points

        if problem := misfit(layer, picture):
            raise InputError(problem)
        return deepest_points(np.asarray(finest(layer)[on_plane(plane)]))
    axes = [axis for axis, at in enumerate(plane) if at is None]
    points = _positions(layer, layer.data, picture)
    if len(points) == 0:
        return np.zeros((0, 2))
    here = np.all([np.rint(points[:, i]) == at for i, at in enumerate(plane) if at is not None], 0)
    inside = points[np.broadcast_to(here, len(points))][:, axes]
    size = np.array(picture.plane_shape(plane))
    return inside[((inside >= -0.5) & (inside <= size - 0.5)).all(axis=1)]


AREAS = ("rectangle", "ellipse", "polygon")


def inside(layer: Shapes, picture: ImageStack, plane: Plane) -> NDArray[np.bool_]:
    """Return the (H, W) mask of all shapes of a layer, projected along the slices.

    Lines and paths enclose nothing.
    """
    axes = [axis for axis, at in enumerate(plane) if at is None]
    mask = np.zeros(picture.plane_shape(plane), bool)
    for kind, vertices in zip(layer.shape_type, layer.data, strict=True):
        if kind in AREAS:
            name = "ellipse" if kind == "ellipse" else "polygon"
            mask |= filled(name, _positions(layer, vertices, picture)[:, axes], mask.shape)
    return mask


def _positions(
    layer: Layer, positions: NDArray[np.float64], picture: ImageStack
) -> NDArray[np.float64]:
    """Return positions in a layer, (N, D), as pixels of the picture's masks."""
    to_masks = picture.transform.from_world
    return np.array([to_masks(layer.data_to_world(position)) for position in positions])
