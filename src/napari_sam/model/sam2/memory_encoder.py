"""Memory encoder: what SAM 2 keeps of a slice in which it found an object (section 4)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from napari_sam.model.layers import LayerNorm2d, gelu
from napari_sam.model.sam2.config import MEMORY_WIDTH

__all__ = ["MemoryEncoder"]


class MaskDownsampler(nn.Module):
    """A mask (B, 1, 16 h, 16 w) to features (B, width, h, w), halved four times."""

    def __init__(self, width: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 1
        for _ in range(4):
            halve = nn.Conv2d(channels, 4 * channels, 3, stride=2, padding=1)
            channels *= 4
            layers += [halve, LayerNorm2d(channels), nn.GELU()]
        self.encoder = nn.Sequential(*layers, nn.Conv2d(channels, width, 1))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.encoder:
            x = gelu(x) if isinstance(layer, nn.GELU) else layer(x)
        return x


class FuserBlock(nn.Module):
    """A wide convolution per channel and an MLP, added to their input (Liu et al., "ConvNeXt")."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.dwconv = nn.Conv2d(width, width, 7, padding=3, groups=width)
        self.norm = LayerNorm2d(width)
        self.pwconv1 = nn.Linear(width, 4 * width)
        self.pwconv2 = nn.Linear(4 * width, width)
        self.gamma = nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor) -> Tensor:  # (B, width, h, w)
        seen = self.norm(self.dwconv(x)).permute(0, 2, 3, 1)
        seen = self.gamma * self.pwconv2(gelu(self.pwconv1(seen)))
        return x + seen.permute(0, 3, 1, 2)


class Fuser(nn.Module):
    """Two blocks, one after the other."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(FuserBlock(width) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x)
        return x


class MemoryEncoder(nn.Module):
    """Image embedding and mask to what is remembered of a slice: (B, 64, h, w)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.mask_downsampler = MaskDownsampler(width)
        self.pix_feat_proj = nn.Conv2d(width, width, 1)
        self.fuser = Fuser(width)
        self.out_proj = nn.Conv2d(width, MEMORY_WIDTH, 1)

    def forward(self, image: Tensor, mask: Tensor) -> Tensor:
        """Encode (B or 1, width, h, w) as the encoder made it, and a mask (B, 1, 16 h, 16 w)."""
        return self.out_proj(self.fuser(self.pix_feat_proj(image) + self.mask_downsampler(mask)))
