"""The instance head of `cells_tiny`: maps of all objects at once, on the grid of the masks."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from napari_sam.model.cells_encoder import ResidualBlock
from napari_sam.model.config import SamConfig
from napari_sam.model.instances.maps import InstanceMaps
from napari_sam.model.instances.rating import CandidateRating
from napari_sam.model.sam import Features

__all__ = ["RATING", "REFERENCE_DIAMETER", "InstanceHead", "is_own", "rating_of"]

WIDE, FINE = 64, 24  # channels at strides 8 and 4, and at stride 2
REFERENCE_DIAMETER = 32.0  # model pixels; diameters are predicted as octaves above it
RATING = "rating."  # before the keys of the rating


class InstanceHead(nn.Module):
    """Dense decoder of a dense model's features: foreground, boundary, depth and diameter.

    The three feature maps are merged from coarse to fine, with a residual block at each stride.

    Parameters
    ----------
    config : SamConfig
    rating : CandidateRating, optional
        Of the objects that the maps show.
    """

    def __init__(self, config: SamConfig, rating: CandidateRating | None = None) -> None:
        super().__init__()
        self.rating = rating
        self.project = nn.ModuleList(
            nn.Conv2d(c_in, c_out, 1)
            for c_in, c_out in zip(
                (config.width, *config.upscale_dims), (WIDE, WIDE, FINE), strict=True
            )
        )
        self.narrow = nn.Conv2d(WIDE, FINE, 1)
        self.blocks = nn.ModuleList(ResidualBlock(c) for c in (WIDE, WIDE, FINE))
        self.out = nn.Conv2d(FINE, 4, 1)

    def forward(self, features: Features) -> InstanceMaps:
        """Return the maps (B, h, w) of features at strides 8, 4 and 2, at stride 2."""
        foreground, boundary, depth, octaves = self.logits(features).float().unbind(1)
        return InstanceMaps(
            foreground.sigmoid(),
            boundary.sigmoid(),
            depth=depth.sigmoid(),
            diameter=REFERENCE_DIAMETER * torch.exp2(octaves),
        )

    def logits(self, features: Features) -> Tensor:
        """Return (B, 4, h, w) before the sigmoids; the last channel is log2 of the diameter."""
        assert features.skips is not None
        maps = (features.embedding, *features.skips)
        x = self.blocks[0](self.project[0](maps[0]))
        x = self.blocks[1](_twice(x).add_(self.project[1](maps[1])))
        x = self.blocks[2](_twice(self.narrow(x)).add_(self.project[2](maps[2])))
        return self.out(x)


def _twice(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="nearest")


def is_own(keys: Iterable[str]) -> bool:
    """Return whether the keys of an instance decoder are those of this head."""
    return any(key.startswith("project.") for key in keys)


def rating_of(decoder: nn.Module | None) -> CandidateRating | None:
    """Return the rating that belongs to an instance decoder, if it has one."""
    return decoder.rating if isinstance(decoder, InstanceHead) else None
