"""Image embedding: the features of the encoder, level by level."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from napari_sam.arrays import ContrastRange
from napari_sam.model.sam import Features

__all__ = ["Embedding", "Level", "map_features", "to_half"]


@dataclass(frozen=True, eq=False)
class Level:
    """The picture at one scale: its size (h, w) in model pixels and its features."""

    shape: tuple[int, int]
    features: Features


@dataclass(frozen=True, eq=False)
class Embedding:
    """A picture, embedded; made by `Predictor.embed`.

    Parameters
    ----------
    shape : (int, int)
        Height and width of the picture.
    contrast : (low, high)
        The intensities that became 0 and 255: floats, or arrays of shape (3,) per channel.
    levels : tuple of Level
        Finest first. SAM's own sizes have one; the dense model halves the picture until it fits
        its frame.
    """

    shape: tuple[int, int]
    contrast: ContrastRange
    levels: tuple[Level, ...]

    @property
    def logits_size(self) -> tuple[int, int]:
        """Height and width of `Prediction.logits`: four cells a token of the finest level."""
        h, w = self.levels[0].features.embedding.shape[-2:]
        return 4 * h, 4 * w

    @property
    def nbytes(self) -> int:
        """Bytes of all features."""
        return sum(
            part.nbytes
            for level in self.levels
            for part in (level.features.embedding, *(level.features.skips or ()))
        )

    def to(self, device: torch.device) -> Embedding:
        """Return it on a device."""
        levels = (
            Level(one.shape, map_features(lambda x: x.to(device), one.features))
            for one in self.levels
        )
        return replace(self, levels=tuple(levels))


def map_features(change: Callable[[Tensor], Tensor], features: Features) -> Features:
    """Change every map of features."""
    image, skips = features
    return Features(change(image), None if skips is None else (change(skips[0]), change(skips[1])))


def to_half(part: Tensor) -> Tensor:
    """Return a map in float16; one that float16 cannot hold stays as it is."""
    halved = part.half()
    # Lowest and highest are NaN if any is: much quicker than to look at each by itself.
    ends = torch.stack([halved.amin(), halved.amax()])
    return halved if bool(torch.isfinite(ends).all()) else part
