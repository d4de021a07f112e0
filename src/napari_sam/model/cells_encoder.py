"""The image encoder of `cells_tiny`: a small convolutional U-Net, features at strides 8, 4, 2.

At SAM's stride of 16 a nucleus 15 pixels wide is one token; here it is four tokens, and the skip
features carry its outline. Convolutions only, so a large picture is embedded at its own scale.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from napari_sam.model.config import CellsEncoderConfig, SamConfig
from napari_sam.model.layers import neck

__all__ = ["CellsEncoder"]

LARGE, BAND = 8 << 20, 3 << 20  # bytes: of a map that is worked on in bands, and of a band


def conv_norm(c_in: int, c_out: int, stride: int = 1) -> nn.Sequential:
    """Return a 3 x 3 convolution with batch normalisation."""
    return nn.Sequential(
        nn.Conv2d(c_in, c_out, 3, stride=stride, padding=1, bias=False), nn.BatchNorm2d(c_out)
    )


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions around a ReLU, added to their input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = conv_norm(channels, channels)
        self.conv2 = conv_norm(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        if self.training or x.device.type != "cpu" or x[0].nbytes < LARGE:
            return self._whole(x)
        return self._in_bands(x)

    def _whole(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.conv2(torch.relu(self.conv1(x))))

    def _in_bands(self, x: Tensor) -> Tensor:
        """Work on some rows at a time, which stay in the processor's cache.

        Two rows more at either side are all that two convolutions see: the result is the same.
        """
        out, height = torch.empty_like(x), x.shape[-2]
        rows = max(1, BAND * height // x[0].nbytes)
        for first in range(0, height, rows):
            end, above = min(first + rows, height), max(0, first - 2)
            band = self._whole(x[..., above : end + 2, :])
            out[..., first:end, :] = band[..., first - above : end - above, :]
        return out


class CellsEncoder(nn.Module):
    """Picture to image embedding and two skip features.

    Input (B, 3, H, W) with H and W multiples of 32; output (B, width, H/8, W/8),
    (B, upscale_dims[0], H/4, W/4) and (B, upscale_dims[1], H/2, W/2).
    """

    def __init__(self, config: SamConfig) -> None:
        super().__init__()
        encoder = config.encoder
        assert isinstance(encoder, CellsEncoderConfig)
        dims, depths = encoder.dims, encoder.depths
        self.down = nn.ModuleList()
        for i, (dim, depth) in enumerate(zip(dims, depths, strict=True)):
            first = conv_norm(3 if i == 0 else dims[i - 1], dim, stride=2)
            self.down.append(
                nn.Sequential(first, nn.ReLU(), *(ResidualBlock(dim) for _ in range(depth)))
            )
        # Top-down path: a coarser map, projected and enlarged, is added to the finer one.
        self.lateral = nn.ModuleList(nn.Conv2d(c, f, 1) for f, c in pairwise(dims))
        self.up = nn.ModuleList(ResidualBlock(dim) for dim in dims[:-1])
        self.neck = neck(dims[2], config.width)
        self.skips = nn.ModuleList(
            nn.Conv2d(dims[i], c, 1) for i, c in zip((1, 0), config.upscale_dims, strict=True)
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        maps = []
        for stage in self.down:
            x = stage(x)
            maps.append(x)  # strides 2, 4, 8, 16, 32
        for i in (3, 2, 1, 0):
            coarse = F.interpolate(self.lateral[i](maps[i + 1]), scale_factor=2, mode="nearest")
            maps[i] = self.up[i](maps[i] + coarse)
        return self.neck(maps[2]), self.skips[0](maps[1]), self.skips[1](maps[0])
