"""What the image encoder saw of one picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from napari_sam.model.sam import Features

__all__ = ["Embedding", "Level"]


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
    contrast: tuple[Any, Any]
    levels: tuple[Level, ...]

    @property
    def logits_size(self) -> tuple[int, int]:
        """Height and width of `Prediction.logits`: four cells a token of the finest level."""
        h, w = self.levels[0].features.embedding.shape[-2:]
        return 4 * h, 4 * w
