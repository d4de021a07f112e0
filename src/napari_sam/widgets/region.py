"""Where somebody has drawn shapes: the pixels inside of them."""

from __future__ import annotations

import numpy as np
from napari.layers import Shapes
from numpy.typing import NDArray

from napari_sam.session.target import Plane
from napari_sam.widgets.outlines import filled
from napari_sam.widgets.picture import Picture

__all__ = ["inside"]

AREAS = ("rectangle", "ellipse", "polygon")


def inside(layer: Shapes, picture: Picture, plane: Plane) -> NDArray[np.bool_]:
    """Return the (H, W) pixels of a plane that lie in any shape of a layer, on whatever slice.

    Lines and paths enclose nothing.
    """
    axes = [axis for axis, at in enumerate(plane) if at is None]
    mask = np.zeros(picture.plane_shape(plane), bool)
    for kind, vertices in zip(layer.shape_type, layer.data, strict=True):
        if kind in AREAS:
            places = [picture.from_world(layer.data_to_world(vertex)) for vertex in vertices]
            name = "ellipse" if kind == "ellipse" else "polygon"
            mask |= filled(name, np.array(places)[:, axes], mask.shape)
    return mask
