"""micro-sam's instance decoder: a UNETR without the encoder's skips (Archit et al. 2025).

Its state dict has the 66 keys of the published files. It sees the image embedding only, so one
decoder fits every encoder of SAM; which one it was trained with its weights do not say.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from napari_sam.model.instances.maps import InstanceMaps
from napari_sam.model.sam import Features

__all__ = ["UnetrDecoder", "is_transposed"]

WIDTH = 256  # channels of the image embedding
DIMS = 512, 256, 128, 64  # channels at twice, 4, 8 and 16 times the embedding's resolution


class UnetrDecoder(nn.Module):
    """Instance decoder of micro-sam: foreground, centre and boundary distance of every pixel.

    Takes an image embedding (B, 256, h, w) and returns maps (B, 16h, 16w).

    Parameters
    ----------
    transposed : bool
        How maps are enlarged: by transposed convolutions (older files), else bilinearly, then
        mixed by a 1 x 1 convolution. `is_transposed` tells it from the weights.

    Notes
    -----
    Its four batch normalisations use the statistics of the picture in hand, as micro-sam's
    inference does; those stored in the file are used after `use_stored_statistics`. All
    statistics are of the whole padded frame.
    """

    def __init__(self, transposed: bool = False) -> None:
        super().__init__()
        self.deconv1 = _Deconv(WIDTH, DIMS[0], transposed)
        self.deconv2 = _Deconv(DIMS[0], DIMS[1], transposed)
        self.deconv3 = _Deconv(DIMS[1], DIMS[2], transposed)
        self.deconv4 = _Deconv(DIMS[2], DIMS[3], transposed)
        self.base = _Block(WIDTH, DIMS[0])
        self.decoder = _Levels(transposed)
        self.deconv_out = _Upscale(DIMS[-1], DIMS[-1], transposed)
        self.decoder_head = _Block(2 * DIMS[-1], DIMS[-1])
        self.out_conv = nn.Conv2d(DIMS[-1], 3, 1)

    def forward(self, features: Features) -> InstanceMaps:
        foreground, centre, boundary = self.logits(features).sigmoid().unbind(1)
        return InstanceMaps(foreground, boundary, centre)

    def logits(self, features: Features) -> Tensor:
        """Return (B, 3, 16h, 16w) before the sigmoid: foreground, centre, boundary."""
        embedding = features.embedding.to(self.out_conv.weight.dtype)  # stored ones are float16
        skips = [self.deconv1(embedding)]
        skips.append(self.deconv2(skips[-1]))
        skips.append(self.deconv3(skips[-1]))
        x = self.deconv_out(self.decoder(self.base(embedding), skips))
        x = torch.cat([x, self.deconv4(skips.pop())], dim=1)
        del skips  # half a gigabyte
        return self.out_conv(self.decoder_head(x))

    def use_stored_statistics(self, stored: bool = True) -> None:
        """Choose the batch normalisations' statistics: those of the file, or of the picture.

        With those of the file an object looks alike in whatever surroundings, and tiles fit each
        other; micro-sam's own numbers come from those of the picture.
        """
        for module in self.modules():
            if isinstance(module, _PictureNorm):
                module.stored = stored


def is_transposed(state: Mapping[str, Tensor]) -> bool:
    """Return whether a decoder's weights enlarge by transposed convolutions.

    Examples
    --------
    >>> is_transposed(UnetrDecoder(transposed=True).state_dict())
    True
    """
    return any(key.startswith("decoder.samplers.") and ".block." in key for key in state)


class _Levels(nn.Module):
    """Three levels, each at twice the resolution of the one before."""

    def __init__(self, transposed: bool) -> None:
        super().__init__()
        steps = list(pairwise(DIMS))
        self.samplers = nn.ModuleList(_Upscale(a, b, transposed) for a, b in steps)
        self.blocks = nn.ModuleList(_Block(a, b) for a, b in steps)

    def forward(self, x: Tensor, skips: list[Tensor]) -> Tensor:
        for sampler, block, skip in zip(self.samplers, self.blocks, skips, strict=True):
            x = sampler(x)
            x = block(torch.cat([x, _middle(skip, x.shape[1])], dim=1))
        return x


def _middle(x: Tensor, channels: int) -> Tensor:
    """Return the middle channels: a skip has twice as many as its level takes."""
    first = (x.shape[1] - channels) // 2
    return x[:, first : first + channels]


class _Upscale(nn.Module):
    """Twice the resolution: (B, c_in, h, w) to (B, c_out, 2h, 2w)."""

    def __init__(self, c_in: int, c_out: int, transposed: bool) -> None:
        super().__init__()
        if transposed:
            self.block = nn.ConvTranspose2d(c_in, c_out, 2, stride=2)
        else:
            self.conv = nn.Conv2d(c_in, c_out, 1)
        self.transposed = transposed

    def forward(self, x: Tensor) -> Tensor:
        if self.transposed:
            return self.block(x)
        # The other way round in micro-sam: the same, as both are linear, and four times the work.
        return F.interpolate(self.conv(x), scale_factor=2, mode="bilinear")


class _Block(nn.Module):
    """Two 3 x 3 convolutions, each of normalised maps and with a ReLU behind it."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.block = nn.Sequential(
            nn.InstanceNorm2d(c_in),
            nn.Conv2d(c_in, c_out, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.InstanceNorm2d(c_out),
            nn.Conv2d(c_out, c_out, 3, padding=1),
            nn.ReLU(inplace=True),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.block(x)


class _Deconv(nn.Module):
    """Upscaling, convolution, batch normalisation and ReLU."""

    def __init__(self, c_in: int, c_out: int, transposed: bool) -> None:
        super().__init__()
        self.block = nn.Sequential(
            _Upscale(c_in, c_out, transposed),
            _Conv(c_out),
            _PictureNorm(c_out),
            nn.ReLU(inplace=True),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.block(x)


class _Conv(nn.Module):
    """A 3 x 3 convolution under the name that the files have for it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.block = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.block(x)


class _PictureNorm(nn.BatchNorm2d):
    """Batch normalisation by the statistics of each picture alone, or by the stored ones."""

    stored = False

    def forward(self, x: Tensor) -> Tensor:
        if self.stored:
            return super().forward(x)
        return F.instance_norm(x, weight=self.weight, bias=self.bias, eps=self.eps)
