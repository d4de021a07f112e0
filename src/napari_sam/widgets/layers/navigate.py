"""Navigation: move sliders, axis order and camera of the viewer to an object."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from napari.components import ViewerModel

from napari_sam.masks import CroppedMask
from napari_sam.planes import Plane
from napari_sam.widgets.layers.image_stack import ImageStack

__all__ = ["go_to", "pixel_at", "pixel_below", "place_at"]


def go_to(
    viewer: ViewerModel, picture: ImageStack, plane: Plane, mask: CroppedMask | None = None
) -> None:
    """Show a plane in the viewer and a mask on it; do nothing if the plane does not exist.

    Parameters
    ----------
    viewer : ViewerModel
        What shows it.
    picture : ImageStack
        Whose plane it is.
    plane : Plane
        The plane.
    mask : CroppedMask, optional
        What should be seen on it; the camera moves only if its middle is not.
    """
    if not picture.fits(plane, None):
        return
    dims, first = viewer.dims, viewer.dims.ndim - picture.ndim
    spanned = [axis for axis, at in enumerate(plane) if at is None]
    shown = tuple(first + axis for axis in spanned)
    if dims.ndisplay == 2 and set(dims.displayed) != set(shown):
        dims.order = (*(axis for axis in dims.order if axis not in shown), *shown)
    centre = np.array([at or 0 for at in plane], dtype=float)
    sizes = picture.plane_shape(plane)
    r0, c0, r1, c1 = (0, 0, *sizes) if mask is None else mask.box
    centre[spanned] = (r0 + r1 - 1) / 2, (c0 + c1 - 1) / 2
    world = picture.transform.to_world(centre)
    along = [a for a, at in enumerate(plane) if at is not None and picture.shape[a] > 1]
    dims.set_point([first + axis for axis in along], [float(world[axis]) for axis in along])
    if mask is not None and dims.ndisplay == 2:
        corners = picture.layer.corner_pixels
        seen = corners[:, picture.layer.ndim - picture.ndim :]
        known = corners.shape[1] == picture.layer.ndim  # not yet just after that has changed
        if known and not all(seen[0, axis] <= centre[axis] <= seen[1, axis] for axis in spanned):
            middle = [float(world[axis - first]) for axis in dims.displayed]
            viewer.scene.camera.center = (0.0, *middle)


def pixel_below(viewer: ViewerModel, picture: ImageStack) -> tuple[int, int] | None:
    """Return the (row, column) under the mouse on the plane in view; None if it is elsewhere."""
    return pixel_at(viewer, picture, viewer.cursor.position)


def pixel_at(
    viewer: ViewerModel, picture: ImageStack, world: Sequence[float]
) -> tuple[int, int] | None:
    """Return the (row, column) at a position in the world on the plane in view, or None."""
    plane, place = picture.plane(viewer.dims), place_at(viewer, picture, world)
    if plane is None or place is None:
        return None
    row, column = (round(at) for at in place)
    height, width = picture.plane_shape(plane)
    return (row, column) if 0 <= row < height and 0 <= column < width else None


def place_at(
    viewer: ViewerModel, picture: ImageStack, world: Sequence[float]
) -> tuple[float, float] | None:
    """Return where a position in the world lies on the plane in view, in pixels; also beside it.

    None where no plane is in view.
    """
    if picture.plane(viewer.dims) is None:
        return None
    first = viewer.dims.ndim - picture.layer.ndim
    position = picture.layer.world_to_data(world)
    row, column = (float(position[axis - first]) for axis in sorted(viewer.dims.displayed))
    return row, column
