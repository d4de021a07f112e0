"""Dense prompt encoder of `cells_tiny`: every prompt is also rasterised on the mask grid.

SAM tells the decoder where a click is by Fourier features alone, and a small network learns to
read them slowly. Drawn on the mask grid (points as bumps of two widths, a box as the ellipse
inside it, a mask as its logits) the place is there from the first step, at full mask resolution.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from napari_sam.model.config import SamConfig
from napari_sam.model.layers import LayerNorm2d

__all__ = ["DensePromptEncoder"]

NEAR, FAR = 4.0, 24.0  # widths of the bumps in model pixels
CHANNELS = 8


class DensePromptEncoder(nn.Module):
    """Encode points, box and mask logits of B objects as maps at strides 8, 4 and 2."""

    def __init__(self, config: SamConfig) -> None:
        super().__init__()
        self.stride = config.mask_stride
        fine, coarse = 8, 16
        self.stem = nn.Sequential(
            nn.Conv2d(CHANNELS, fine, 3, padding=1), LayerNorm2d(fine), nn.ReLU()
        )
        self.down1 = nn.Sequential(
            nn.Conv2d(fine, coarse, 2, stride=2), LayerNorm2d(coarse), nn.ReLU()
        )
        self.down2 = nn.Sequential(
            nn.Conv2d(coarse, 2 * coarse, 2, stride=2), LayerNorm2d(2 * coarse), nn.ReLU()
        )
        self.to_tokens = nn.Conv2d(2 * coarse, config.width, 1)
        self.to_coarse = nn.Conv2d(coarse, config.upscale_dims[0], 1)
        self.to_fine = nn.Conv2d(fine, config.upscale_dims[1], 1)
        self.look = nn.Linear(config.width, config.width)
        self.token_stride = config.stride

    def sample_image(self, image: Tensor, points: Tensor | None, boxes: Tensor | None) -> Tensor:
        """Return image features sampled at each prompt token, (B, T, width).

        T counts as in `PromptEncoder.sparse`: points, then the box's corners (both see its centre)
        or the padding point (it sees nothing).
        """
        places = [] if points is None else [points]
        if boxes is not None:
            centre = boxes.reshape(-1, 2, 2).mean(dim=1, keepdim=True)
            places.append(centre.expand(-1, 2, -1))
        xy = torch.cat(places, dim=1) + 0.5  # (B, T, 2), frame pixels from the upper left corner
        size = xy.new_tensor([image.shape[-1], image.shape[-2]]) * self.token_stride
        seen = F.grid_sample(
            image, (2 * xy / size - 1)[:, :, None], padding_mode="border", align_corners=False
        )
        tokens = self.look(seen[..., 0].transpose(1, 2))
        return tokens if boxes is not None else F.pad(tokens, (0, 0, 0, 1))

    def forward(
        self, size: tuple[int, int], *prompts: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Rasterise on a mask grid of `size` and encode: (B, C, h, w) at strides 8, 4 and 2."""
        return self.encode(self.rasterise(size, *prompts))

    def encode(self, maps: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Encode rasterised prompts (B, 8, h, w): (B, C, ...) at strides 8, 4 and 2."""
        fine = self.stem(maps)
        half = self.down1(fine)
        return self.to_tokens(self.down2(half)), self.to_coarse(half), self.to_fine(fine)

    def rasterise(
        self,
        size: tuple[int, int],
        points: Tensor | None,
        labels: Tensor | None,
        boxes: Tensor | None,
        masks: Tensor | None,
    ) -> Tensor:
        """Return (B, 8, h, w): points of both signs, near and far; box, "yes"; logits, "yes"."""
        given = next(t for t in (points, boxes, masks) if t is not None)
        batch, device = len(given), given.device
        like = self.to_fine.weight
        y = (torch.arange(size[0], device=device, dtype=like.dtype) + 0.5) * self.stride
        x = (torch.arange(size[1], device=device, dtype=like.dtype) + 0.5) * self.stride
        maps = like.new_zeros(batch, CHANNELS, *size)
        if points is not None and labels is not None:
            # squared distances are separable: exp(-dy^2) exp(-dx^2), (B, N, h) and (B, N, w)
            dx2 = (x - points[:, :, 0:1] - 0.5) ** 2
            dy2 = (y - points[:, :, 1:2] - 0.5) ** 2
            for channel, (label, spread) in enumerate(((1, NEAR), (1, FAR), (0, NEAR), (0, FAR))):
                weight = (labels == label).to(like.dtype)[:, :, None]
                bump_y = torch.exp(-dy2 / (2 * spread**2)) * weight
                bump_x = torch.exp(-dx2 / (2 * spread**2))
                bumps = bump_y[..., None] * bump_x[:, :, None]
                maps[:, channel] = bumps.amax(dim=1)  # (B, h, w)
        if boxes is not None:
            x0, y0, x1, y1 = (boxes[:, i, None] + 0.5 for i in range(4))
            u = (2 * x - x0 - x1) / (x1 - x0)  # -1..1 inside the box
            v = (2 * y - y0 - y1) / (y1 - y0)
            maps[:, 4] = (1 - v[:, :, None] ** 2 - u[:, None, :] ** 2).clamp(min=-1)
            maps[:, 5] = 1
        if masks is not None:
            maps[:, 6] = masks[:, 0].clamp(-10, 10) / 5
            maps[:, 7] = 1
        return maps
