"""Transforms from pixels to world: of a layer, of one plane, and of masks without channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from napari.layers import Image, Layer
from napari.utils.transforms import Affine, CompositeAffine
from numpy.typing import ArrayLike, NDArray

from napari_sam.inference.channels import mask_shape
from napari_sam.planes import Plane, spanned

__all__ = ["TRANSFORM", "LayerTransform", "MaskTransform", "move", "transform_of"]

TRANSFORM = ("scale", "translate", "rotate", "shear", "affine", "units", "axis_labels")

LayerTransform = dict[str, Any]
"""The arguments of a layer that say where it lies."""


def transform_of(layer: Layer) -> LayerTransform:
    """Return the arguments that align another layer with this one."""
    return {name: getattr(layer, name) for name in TRANSFORM}


def move(layer: Layer, transform: LayerTransform) -> None:
    """Set a layer's transform; only properties that differ, as napari redraws at each change."""
    for name, value in transform.items():
        if not np.array_equal(getattr(layer, name), value):
            setattr(layer, name, value)


@dataclass(frozen=True)
class MaskTransform:
    """Transform of the masks over an Image layer: that of the layer without its channel axis.

    Parameters
    ----------
    layer : napari.layers.Image
        The layer.
    sizes : tuple of int
        Of the layer's axes, with channels.
    channel_axis : int or None
        Along which the channels stand.
    """

    layer: Image
    sizes: tuple[int, ...]
    channel_axis: int | None

    @property
    def arguments(self) -> LayerTransform:
        """Layer arguments that align masks, points or shapes with the image."""
        whole, axis = transform_of(self.layer), self.channel_axis
        if axis is None:
            return whole
        return _across(whole, axis, self.sizes[axis]) if axis else _without_first(whole)

    def of_plane(
        self, plane: Plane, corner: tuple[int, int] = (0, 0), step: int = 1
    ) -> LayerTransform:
        """Return the layer arguments that place a single-plane layer on that plane.

        Parameters
        ----------
        plane : Plane
            Which.
        corner : tuple of int
            Row and column at which the layer begins.
        step : int
            Rows and columns of the plane for each pixel of the layer.
        """
        origin, whole = [float(i or 0) for i in plane], self.arguments
        scale = np.array(whole["scale"], dtype=float)
        for axis, at in zip(spanned(plane), corner, strict=True):
            origin[axis] = at + (step - 1) / 2  # positions are those of the pixels' centres
            scale[axis] *= step
        return {**_shifted(whole, origin), "scale": scale}

    def is_of(self, layer: Layer) -> bool:
        """Return whether a layer of the masks' shape has its corners where the image has them."""
        shape = mask_shape(self.sizes, self.channel_axis)
        corners = np.vstack([np.zeros(len(shape)), np.diag(shape)])
        tolerance = 1e-3 * max(layer.scale) + 1e-9 * np.abs(corners).max()
        return layer.ndim == len(shape) and all(
            np.allclose(layer.data_to_world(at), self.to_world(at), rtol=0, atol=tolerance)
            for at in corners
        )

    def to_world(self, position: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the world coordinates of a position in mask pixels."""
        axis = self.channel_axis
        if axis is None:
            return np.array(self.layer.data_to_world(position))
        count = self.sizes[axis]
        middle = (count - 1) / 2
        if axis == 0:
            return np.array(self.layer.data_to_world([middle, *position]))[1:]
        full = np.array(position, dtype=float)
        full[axis] = middle + count * full[axis]
        return np.array(self.layer.data_to_world(full))

    def from_world(self, position: ArrayLike) -> NDArray[np.float64]:
        """Return the position in mask pixels of world coordinates."""
        full, axis = np.array(self.layer.world_to_data(position)), self.channel_axis
        if axis == 0:
            return full[1:]
        if axis is not None:
            count = self.sizes[axis]
            full[axis] = (full[axis] - (count - 1) / 2) / count
        return full


def _without_first(transform: LayerTransform) -> LayerTransform:
    """Return the transform of the same picture without its first axis."""
    kept = list(range(1, len(transform["scale"])))
    inner = {name: value for name, value in transform.items() if name != "affine"}
    part = CompositeAffine(**inner).set_slice(kept)
    return {
        **{name: getattr(part, name) for name in inner},
        "affine": transform["affine"].set_slice(kept),
    }


def _across(transform: LayerTransform, axis: int, size: int) -> LayerTransform:
    """Return the transform in which one entry along an axis is as thick as `size` of the picture's.

    So a mask with one entry along the channels shows over every channel.
    """
    middle = np.zeros(len(transform["scale"]))
    middle[axis] = (size - 1) / 2
    thick = np.array(transform["scale"])
    thick[axis] *= size
    return {**_shifted(transform, middle), "scale": thick}


def _shifted(transform: LayerTransform, origin: ArrayLike) -> LayerTransform:
    to_world = Affine(**{name: transform[name] for name in ("scale", "rotate", "shear")})
    moved = transform["translate"] + to_world(np.asarray(origin, dtype=float))
    return {**transform, "translate": moved}
