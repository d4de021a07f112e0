"""Where somebody has said that objects are: the points, or the objects of labels, of a layer."""

from __future__ import annotations

import numpy as np
from napari.layers import Labels, Points
from numpy.typing import NDArray

from napari_sam.errors import InputError
from napari_sam.session.target import Plane
from napari_sam.widgets.mix import finest
from napari_sam.widgets.picture import Picture, on_plane
from napari_sam.widgets.target import misfit

__all__ = ["own_seeds"]


def own_seeds(layer: Points | Labels, picture: Picture, plane: Plane) -> NDArray[np.float64]:
    """Return the points (N, 2) of a plane: row and column, as the picture's masks count them.

    Of labels it is the deepest point of each object.

    Raises
    ------
    InputError
        If labels do not lie on the picture.
    """
    if isinstance(layer, Labels):
        from napari_sam.inference.seeds import deepest_points

        if problem := misfit(layer, picture):
            raise InputError(problem)
        return deepest_points(np.asarray(finest(layer)[on_plane(plane)]))
    axes = [axis for axis, at in enumerate(plane) if at is None]
    places = np.array([picture.from_world(layer.data_to_world(point)) for point in layer.data])
    if len(places) == 0:
        return np.zeros((0, 2))
    here = np.all([np.rint(places[:, i]) == at for i, at in enumerate(plane) if at is not None], 0)
    inside = places[np.broadcast_to(here, len(places))][:, axes]
    size = np.array(picture.plane_shape(plane))
    return inside[((inside >= -0.5) & (inside <= size - 0.5)).all(axis=1)]
