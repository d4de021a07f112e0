"""From the maps of SAM 2's encoder to the image embedding (Lin et al. 2017, "FPN")."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F

from napari_sam.model.config import HieraConfig
from napari_sam.model.sam2.hiera import Hiera

__all__ = ["Lateral", "Neck", "Sam2ImageEncoder", "read_through"]


class Lateral(nn.Module):
    """A map of one stage, projected: (B, H, W, C) to (B, width, H, W)."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x.permute(0, 3, 1, 2))


class Neck(nn.Module):
    """The two coarsest maps to the image embedding (B, width, H, W), at stride 16.

    The two finer ones are only seen by the mask decoder, through narrower projections:
    `read_through` makes both projections one.
    """

    def __init__(self, dims: Sequence[int], width: int) -> None:
        super().__init__()
        self.convs = nn.ModuleList(Lateral(dim, width) for dim in reversed(dims))

    def forward(self, fine: Tensor, coarse: Tensor) -> Tensor:
        above = F.interpolate(self.convs[0](coarse), scale_factor=2, mode="nearest")
        return self.convs[1](fine) + above


class Sam2ImageEncoder(nn.Module):
    """Image (B, 3, H, W) to the image embedding and the two finest maps.

    Input with H and W multiples of 32; output (B, width, H/16, W/16), (B, H/8, W/8, 2 C) and
    (B, H/4, W/4, C).
    """

    def __init__(self, config: HieraConfig, width: int) -> None:
        super().__init__()
        self.trunk = Hiera(config)
        self.neck = Neck([config.dim * 2**stage for stage in range(4)], width)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        finest, fine, middle, coarse = self.trunk(x)
        return self.neck(middle, coarse), fine, finest


def read_through(lateral: Lateral, conv: nn.Module, x: Tensor) -> Tensor:
    """Return ``conv(lateral(x))`` of a map (B, H, W, C), without the wide map between them."""
    first, second = (part.get_parameter("weight").flatten(1) for part in (lateral.conv, conv))
    bias = second @ lateral.conv.get_parameter("bias") + conv.get_parameter("bias")
    return F.linear(x, second @ first, bias).permute(0, 3, 1, 2)
