"""One Image layer as a stack of planes, and layers of ours that lie exactly on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from napari.components import Dims
from napari.layers import Image, Layer
from napari.utils.transforms import Affine
from numpy.typing import NDArray

from napari_sam.session.target import Plane

__all__ = ["OURS", "Picture", "is_helper", "move", "on_plane"]

OURS = "napari-sam"
"""The one metadata key of our own layers; its value is the layer's role."""

SAMPLED_PLANES, SAMPLED_SIDE = 16, 256  # of a stack, to find its contrast
PLACE = ("scale", "translate", "rotate", "shear", "affine", "units", "axis_labels")


def is_helper(layer: Layer) -> bool:
    """Tell whether a layer is a tool of some panel: prompts or preview."""
    return layer.metadata.get(OURS) in ("points", "boxes", "preview")


def on_plane(plane: Plane) -> tuple[int | slice, ...]:
    """Return the index that takes a plane out of an array."""
    return tuple(slice(None) if at is None else at for at in plane)


class Picture:
    """An Image layer's data and place.

    Parameters
    ----------
    layer : napari.layers.Image
        Greyscale or RGB(A), numpy, dask or zarr; of a multiscale layer the finest level.
    """

    def __init__(self, layer: Image) -> None:
        self.layer = layer

    @property
    def data(self) -> Any:
        """The pixels: spatial axes, then the colours of an RGB picture."""
        return self.layer.data[0] if self.layer.multiscale else self.layer.data

    @property
    def shape(self) -> tuple[int, ...]:
        """Size along every axis but the colours."""
        return tuple(self.data.shape[: self.layer.ndim])

    def plane(self, dims: Dims) -> Plane | None:
        """Return the plane that the viewer shows, or None if it shows none of this picture."""
        seen = [axis - (dims.ndim - self.layer.ndim) for axis in dims.displayed]
        if dims.ndisplay != 2 or min(seen) < 0:
            return None
        at = self.layer.world_to_data(dims.point)
        plane = self.plane_at(at, sorted(seen))
        sizes = zip(plane, self.shape, strict=True)
        return plane if all(i is None or 0 <= i < size for i, size in sizes) else None

    def plane_at(self, position: Any, seen: list[int]) -> Plane:
        """Return the plane through a position in data coordinates, spanned by two axes."""
        return tuple(None if i in seen else round(float(at)) for i, at in enumerate(position))

    def plane_shape(self, plane: Plane) -> tuple[int, int]:
        """Return (H, W) of a plane."""
        height, width = (n for n, i in zip(self.shape, plane, strict=True) if i is None)
        return height, width

    def reader(self, plane: Plane) -> Callable[[], NDArray[Any]]:
        """Return what reads a plane, (H, W) or (H, W, colours), in whatever thread it is called."""
        data, index = self.data, on_plane(plane)
        return lambda: np.asarray(data[index])

    def sampler(self) -> Callable[[], NDArray[Any]] | None:
        """Return what reads pixels from all over a stack; None for a single plane."""
        data, shape = self.data, self.shape
        if len(shape) == 2:
            return None
        per_axis = round(SAMPLED_PLANES ** (1 / (len(shape) - 2)))
        counts = [per_axis] * (len(shape) - 2) + [SAMPLED_SIDE] * 2
        steps = (max(1, size // count) for size, count in zip(shape, counts, strict=True))
        index = tuple(slice(None, None, step) for step in steps)
        return lambda: np.asarray(data[index])

    def place(self) -> dict[str, Any]:
        """Return the arguments that put another layer exactly on the picture."""
        return {name: getattr(self.layer, name) for name in PLACE}

    def place_of(self, plane: Plane) -> dict[str, Any]:
        """Return the arguments that put a layer of one plane, one pixel thick, on that plane."""
        place = self.place()
        to_world = Affine(**{name: place[name] for name in ("scale", "rotate", "shear")})
        corner = to_world(np.array([i or 0 for i in plane], dtype=float))
        return {**place, "translate": place["translate"] + corner}

    def on_move(self, callback: Callable[[Any], None], connect: bool = True) -> None:
        """Connect or disconnect a callback for when the layer is moved, turned or scaled."""
        for name in PLACE:
            event = getattr(self.layer.events, name)
            event.connect(callback) if connect else event.disconnect(callback)


def move(layer: Layer, place: dict[str, Any]) -> None:
    """Put a layer in its place again."""
    for name, value in place.items():
        setattr(layer, name, value)
