"""Image tower of the built-in encoder: object crops to vectors of the text space."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from napari_sam.model.layers import conv_norm
from napari_sam.text.crops import ObjectCrop

__all__ = ["SIDE", "ImageTower", "as_tensors"]

SIDE = 48  # pixels a side of a crop
DIMS = (24, 48, 96, 160)


class ImageTower(nn.Module):
    """Convolutional network with average pooling over the object's mask only.

    That is the paper's limit of attention to the mask (appendix D.5) for a network without
    attention. How large the object is beside the others of its picture, which a crop of fixed size
    cannot show, comes in as a number.
    """

    def __init__(self, width: int = 384) -> None:
        super().__init__()
        dims = (3, *DIMS)
        self.stages = nn.ModuleList(TowerStage(a, b) for a, b in pairwise(dims))
        self.head = nn.Sequential(
            nn.Linear(DIMS[-1] + 1, 2 * DIMS[-1]), nn.ReLU(), nn.Linear(2 * DIMS[-1], width)
        )
        # Sigmoid of (scale * cosine + bias) is the chance that words and object belong together.
        self.scale = nn.Parameter(torch.tensor(10.0).log())
        self.bias = nn.Parameter(torch.tensor(-5.0))

    def forward(self, pixels: Tensor, mask: Tensor, size: Tensor) -> Tensor:
        """Return image vectors of length 1.

        Parameters
        ----------
        pixels : (N, 3, S, S) float in -1..1
        mask : (N, 1, S, S) float, 1 inside of the object
        size : (N, 1) float, log2 of the diameter in medians of the picture's objects

        Returns
        -------
        (N, width) float
        """
        x = pixels
        for stage in self.stages:
            x = stage(x)
        inside = F.adaptive_max_pool2d(mask, x.shape[-2:])
        pooled = (x * inside).sum((2, 3)) / inside.sum((2, 3))
        return F.normalize(self.head(torch.cat([pooled, size.clamp(-3, 3)], dim=1)), dim=-1)


class TowerStage(nn.Module):
    """Residual stage that halves the resolution first."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.down = conv_norm(before, after, stride=2)
        self.block = nn.Sequential(conv_norm(after, after), nn.ReLU(), conv_norm(after, after))

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.down(x))
        return torch.relu(x + self.block(x))


def as_tensors(crops: Sequence[ObjectCrop]) -> tuple[Tensor, Tensor, Tensor]:
    """Convert crops to the tower's input tensors: pixels, masks and sizes."""
    pixels = torch.from_numpy(np.stack([crop.rgb for crop in crops])).permute(0, 3, 1, 2)
    masks = torch.from_numpy(np.stack([crop.mask for crop in crops]))[:, None]
    sizes = torch.tensor([[crop.size] for crop in crops])
    return pixels.float() / 127.5 - 1, masks.float(), sizes.log2().float()
