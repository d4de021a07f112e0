"""Where a layer lies: of its planes, and without its channels."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Layer
from napari.utils.transforms import Affine, CompositeAffine

__all__ = ["PLACE", "Place", "across", "at_plane", "move", "place_of", "without_first"]

PLACE = ("scale", "translate", "rotate", "shear", "affine", "units", "axis_labels")

Place = dict[str, Any]
"""The arguments of a layer that say where it lies."""


def place_of(layer: Layer) -> Place:
    """Return the arguments that put another layer exactly on this one."""
    return {name: getattr(layer, name) for name in PLACE}


def move(layer: Layer, place: Place) -> None:
    """Put a layer in its place again; napari draws anew at each change, so only what differs."""
    for name, value in place.items():
        if not np.array_equal(getattr(layer, name), value):
            setattr(layer, name, value)


def at_plane(place: Place, plane: tuple[int | None, ...]) -> Place:
    """Return the place of a single plane, one pixel thick."""
    return _shifted(place, [float(i or 0) for i in plane])


def without_first(place: Place) -> Place:
    """Return the place of the same picture without its first axis."""
    kept = list(range(1, len(place["scale"])))
    inner = {name: value for name, value in place.items() if name != "affine"}
    part = CompositeAffine(**inner).set_slice(kept)
    return {
        **{name: getattr(part, name) for name in inner},
        "affine": place["affine"].set_slice(kept),
    }


def across(place: Place, axis: int, size: int) -> Place:
    """Return the place in which one entry along an axis is as thick as `size` of the picture's.

    So a mask with one entry along the channels shows over every channel.
    """
    middle = np.zeros(len(place["scale"]))
    middle[axis] = (size - 1) / 2
    thick = np.array(place["scale"])
    thick[axis] *= size
    return {**_shifted(place, middle), "scale": thick}


def _shifted(place: Place, origin: Any) -> Place:
    to_world = Affine(**{name: place[name] for name in ("scale", "rotate", "shear")})
    return {**place, "translate": place["translate"] + to_world(np.asarray(origin, dtype=float))}
