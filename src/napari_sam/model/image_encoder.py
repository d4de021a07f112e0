"""SAM's image encoder: a plain vision transformer (paper, appendix A; Li et al. 2022, "ViTDet")."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from napari_sam.model.attention import attend, merge_windows, split_windows
from napari_sam.model.config import SamConfig, ViTConfig
from napari_sam.model.layers import MLPBlock, gelu, neck

__all__ = ["ImageEncoderViT"]


class ViTPatchEmbed(nn.Module):
    """Image to tokens, one linear map per patch: (B, 3, H, W) to (B, h, w, C)."""

    def __init__(self, patch: int, dim: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, dim, patch, stride=patch)

    def forward(self, x: Tensor) -> Tensor:
        return self.proj(x).permute(0, 2, 3, 1)


class ViTAttention(nn.Module):
    """Self-attention with relative positions, within windows or over the whole map."""

    def __init__(self, dim: int, heads: int, size: int, window: int | None) -> None:
        super().__init__()
        self.heads = heads
        self.window = window
        reach = 2 * (window or size) - 1
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)
        self.rel_pos_h = nn.Parameter(torch.zeros(reach, dim // heads))
        self.rel_pos_w = nn.Parameter(torch.zeros(reach, dim // heads))

    def forward(self, x: Tensor) -> Tensor:  # (B, H, W, C)
        height, width = x.shape[1:3]
        qkv = self.qkv(x)
        if self.window is not None:
            # A token of the padding is zero, so its query, key and value are the bias.
            qkv = split_windows(qkv, self.window, self.qkv.bias)
        qkv = qkv.unflatten(-1, (3, self.heads, -1))  # (N, h, w, 3, heads, d)
        q, k, v = qkv.permute(3, 0, 4, 1, 2, 5)  # (N, heads, h, w, d) each
        x = attend(q, k, v, self.rel_pos_h, self.rel_pos_w)  # (N, heads, h, w, d)
        x = x.permute(0, 2, 3, 1, 4).flatten(3)
        if self.window is not None:
            x = merge_windows(x, height, width)
        return self.proj(x)


class ViTBlock(nn.Module):
    """Attention and MLP, each normalised first and added to its input."""

    def __init__(self, config: ViTConfig, size: int, window: int | None) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(config.dim, eps=1e-6)
        self.attn = ViTAttention(config.dim, config.heads, size, window)
        self.norm2 = nn.LayerNorm(config.dim, eps=1e-6)
        self.mlp = MLPBlock(config.dim, config.mlp_ratio * config.dim, gelu)

    def forward(self, x: Tensor) -> Tensor:  # (B, H, W, C)
        # Sums of two dtypes are slow: what comes in half precision is converted first.
        x = x + self.attn(self.norm1(x)).to(x.dtype)
        return x + self.mlp(self.norm2(x)).to(x.dtype)


class ImageEncoderViT(nn.Module):
    """Image (B, 3, frame, frame) to image embedding (B, width, grid, grid).

    Parameters
    ----------
    config : SamConfig
        With a `ViTConfig` as its encoder.
    """

    def __init__(self, config: SamConfig) -> None:
        super().__init__()
        vit, grid = config.encoder, config.grid
        assert isinstance(vit, ViTConfig)
        self.patch_embed = ViTPatchEmbed(vit.patch, vit.dim)
        self.pos_embed = nn.Parameter(torch.zeros(1, grid, grid, vit.dim))
        self.blocks = nn.ModuleList(
            ViTBlock(vit, grid, None if i in vit.global_blocks else vit.window)
            for i in range(vit.depth)
        )
        self.neck = neck(vit.dim, config.width)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patch_embed(x) + self.pos_embed
        for block in self.blocks:
            x = block(x)
        return self.neck(x.permute(0, 3, 1, 2))
