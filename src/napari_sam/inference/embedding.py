"""Image embedding: features of the encoder at one or more levels of scale."""

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
    """Features of the image at one scale, and its size (h, w) in model pixels."""

    shape: tuple[int, int]
    features: Features


@dataclass(frozen=True, eq=False)
class Embedding:
    """Image embedding: the encoder's features by level; made by `Predictor.embed`.

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
        """Height and width of `Prediction.logits`: four cells per token of the finest level."""
        h, w = self.levels[0].features.embedding.shape[-2:]
        return 4 * h, 4 * w

    @property
    def nbytes(self) -> int:
        """Size of all features in bytes."""
        return sum(
            part.nbytes
            for level in self.levels
            for part in (level.features.embedding, *(level.features.skips or ()))
        )

    def to(self, device: torch.device) -> Embedding:
        """Return the embedding moved to a device."""
        levels = (
            Level(one.shape, map_features(lambda x: x.to(device), one.features))
            for one in self.levels
        )
        return replace(self, levels=tuple(levels))


def map_features(change: Callable[[Tensor], Tensor], features: Features) -> Features:
    """Apply a function to every feature map."""
    image, skips = features
    return Features(change(image), None if skips is None else (change(skips[0]), change(skips[1])))


def to_half(part: Tensor) -> Tensor:
    """Convert a feature map to float16; return it unchanged if a value overflows."""
    halved = part.half()
    # Lowest and highest are NaN if any is: much quicker than to look at each by itself.
    ends = torch.stack([halved.amin(), halved.amax()])
    return halved if bool(torch.isfinite(ends).all()) else part
