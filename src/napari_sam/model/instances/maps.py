"""What every instance decoder gives: maps of the whole picture, from its embedding."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from torch import Tensor

from napari_sam.model.sam import Features

__all__ = ["InstanceDecoder", "InstanceMaps"]


class InstanceMaps(NamedTuple):
    """Maps of an instance decoder, each (B, h, w) float on its own grid, after the sigmoid."""

    foreground: Tensor
    """0..1, 1 in an object."""
    boundary: Tensor
    """0..1, 1 on the rim (ours); inverted boundary distance (micro-sam: 1 at the rim and outside,
    0 at the deepest point)."""
    centre: Tensor | None = None
    """micro-sam's centre distance: 0 at the centre, 1 farthest from it and outside."""
    depth: Tensor | None = None
    """Ours: distance to the rim relative to the object's largest, 0..1."""
    diameter: Tensor | None = None
    """Ours: the object's diameter in model pixels."""


class InstanceDecoder(Protocol):
    """Decoder of a picture's image embedding into maps of its objects."""

    def __call__(self, features: Features) -> InstanceMaps:
        """Return the maps of B pictures."""
