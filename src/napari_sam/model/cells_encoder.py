"""The image encoder of `cells_tiny`: a small convolutional U-Net, features at strides 8, 4, 2.

At SAM's stride of 16 a nucleus 15 pixels wide is one token; here it is four tokens, and the skip
features carry its outline. Convolutions only, so a large picture is embedded at its own scale.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from napari_sam.model.config import CellsEncoderConfig, SamConfig
from napari_sam.model.layers import conv_norm, neck

__all__ = ["CellsEncoder"]

LARGE, BAND = 8 << 20, 3 << 20  # bytes: of a map that is worked on in bands, and of a band


def in_bands(work: Callable[[Tensor], Tensor], x: Tensor, halo: int, stride: int = 1) -> Tensor:
    """Return ``work(x)`` for a large map: some rows at a time, which stay in the processor's cache.

    A row of the result sees `halo` rows more at either side, so it comes out the same; and what the
    work needs meanwhile is as large as a band only. Heights are multiples of the stride.
    """
    if torch.is_grad_enabled() or x.device.type != "cpu" or x[0].nbytes < LARGE:
        return work(x)
    height, out = x.shape[-2] // stride, x
    rows = max(1, BAND * height // x[0].nbytes)
    for first in range(0, height, rows):
        end, above = min(first + rows, height), max(0, first - halo)
        band = work(x[..., above * stride : (end + halo) * stride, :])
        if first == 0:
            out = band.new_empty(*band.shape[:-2], height, band.shape[-1])
        out[..., first:end, :] = band[..., first - above : end - above, :]
    return out


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions around a ReLU, added to their input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = conv_norm(channels, channels)
        self.conv2 = conv_norm(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        if self.training:  # batch normalisation takes its mean from the whole map
            return self._whole(x)
        return in_bands(self._whole, x, 2)

    def _whole(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.conv2(torch.relu(self.conv1(x))))


class CellsStage(nn.Sequential):
    """A convolution that halves the map, and residual blocks."""

    def __init__(self, c_in: int, c_out: int, depth: int) -> None:
        blocks = (ResidualBlock(c_out) for _ in range(depth))
        super().__init__(conv_norm(c_in, c_out, stride=2), nn.ReLU(), *blocks)

    def forward(self, x: Tensor) -> Tensor:
        halve, relu, *blocks = self

        def halved(part: Tensor) -> Tensor:
            return relu(halve(part))

        x = halved(x) if self.training else in_bands(halved, x, 1, stride=2)
        for block in blocks:
            x = block(x)
        return x


class CellsEncoder(nn.Module):
    """Image to image embedding and two skip features.

    Input (B, 3, H, W) with H and W multiples of 32; output (B, width, H/8, W/8),
    (B, upscale_dims[0], H/4, W/4) and (B, upscale_dims[1], H/2, W/2).
    """

    def __init__(self, config: SamConfig) -> None:
        super().__init__()
        encoder = config.encoder
        assert isinstance(encoder, CellsEncoderConfig)
        dims, depths = encoder.dims, encoder.depths
        self.down = nn.ModuleList()
        for c_in, c_out, depth in zip((3, *dims), dims, depths, strict=False):
            self.down.append(CellsStage(c_in, c_out, depth))
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
        out = []
        x = maps.pop()
        for i in (3, 2, 1, 0):  # each map is let go as soon as it was added: the finest are large
            x = F.interpolate(self.lateral[i](x), scale_factor=2, mode="nearest")
            x = self.up[i](x.add_(maps.pop()))
            if i == 2:
                out.append(in_bands(self.neck, x, 1))
            elif i < 2:
                out.append(in_bands(self.skips[1 - i], x, 0))
        return out[0], out[1], out[2]
