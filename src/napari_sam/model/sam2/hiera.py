"""SAM 2's image encoder: a hierarchy of windows (Ryali et al. 2023, "Hiera"; Bolya et al. 2023)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from napari_sam.model.attention import merge_windows, split_windows
from napari_sam.model.config import HieraConfig
from napari_sam.model.layers import MLP, gelu

__all__ = ["Hiera"]

TOKENS = 2048  # of windows, worked on at a time: what is made of them stays in the cache


class GeluMLP(MLP):
    """Two linear layers with GELU between them."""

    def forward(self, x: Tensor) -> Tensor:
        first, second = self.layers
        return second(gelu(first(x)))


class HieraPatchEmbed(nn.Module):
    """Image (B, 3, H, W) to tokens of overlapping patches (B, H/4, W/4, C)."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, dim, 7, stride=4, padding=3)

    def forward(self, x: Tensor) -> Tensor:
        return self.proj(x).permute(0, 2, 3, 1)


class HieraAttention(nn.Module):
    """Attention within windows or over the whole map; where a stage begins, queries are pooled."""

    def __init__(self, dim: int, out: int, heads: int, window: int | None, pool: bool) -> None:
        super().__init__()
        self.heads, self.window, self.pool = heads, window, pool
        self.qkv = nn.Linear(dim, 3 * out)
        self.proj = nn.Linear(out, out)

    def forward(self, x: Tensor) -> Tensor:  # (B, H, W, C) to (B, H, W, C'), or half as high, wide
        height, width = x.shape[1:3]
        qkv = self.qkv(x)
        if self.window is not None:
            # A token of the padding is zero, so its query, key and value are the bias.
            qkv = split_windows(qkv, self.window, self.qkv.bias)
        q, k, v = qkv.chunk(3, dim=-1)
        if self.pool:
            q = pooled(q)
            height, width = height // 2, width // 2
        seen = F.scaled_dot_product_attention(self._heads(q), self._heads(k), self._heads(v))
        x = seen.transpose(1, 2).reshape(q.shape)
        if self.window is not None:
            x = merge_windows(x, height, width)
        return self.proj(x)

    def _heads(self, x: Tensor) -> Tensor:  # (N, h, w, C) -> (N, heads, h w, d)
        return x.flatten(1, 2).unflatten(-1, (self.heads, -1)).transpose(1, 2)


class HieraBlock(nn.Module):
    """Attention and MLP, each normalised first and added to its input.

    Where a stage begins the map becomes half as high and wide, and has other channels.
    """

    def __init__(self, dim: int, out: int, heads: int, window: int | None) -> None:
        super().__init__()
        begins = dim != out
        self.window = window
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.attn = HieraAttention(dim, out, heads, window, begins)
        self.norm2 = nn.LayerNorm(out, eps=1e-6)
        self.mlp = GeluMLP(out, 4 * out, out)
        self.proj = nn.Linear(dim, out) if begins else None

    def forward(self, x: Tensor) -> Tensor:  # (B, H, W, C)
        if self.window is None:
            return self._whole(x)
        # Rows of windows know nothing of each other.
        rows = self.window * max(1, TOKENS // (self.window * x.shape[2]))
        return torch.cat([self._whole(band) for band in x.split(rows, dim=1)], dim=1)

    def _whole(self, x: Tensor) -> Tensor:
        normed = self.norm1(x)
        if self.proj is not None:
            x = pooled(self.proj(normed))
        x = x + self.attn(normed)
        return x + self.mlp(self.norm2(x))


class Hiera(nn.Module):
    """Image (B, 3, H, W) to maps (B, H/4, W/4, C), ..., (B, H/32, W/32, 8 C), the finest first.

    Parameters
    ----------
    config : HieraConfig
        H and W are multiples of 32.
    """

    def __init__(self, config: HieraConfig) -> None:
        super().__init__()
        dim, first = config.dim, config.windows[0]
        self.patch_embed = HieraPatchEmbed(dim)
        self.pos_embed = nn.Parameter(torch.zeros(1, dim, config.background, config.background))
        self.pos_embed_window = nn.Parameter(torch.zeros(1, dim, first, first))
        self.blocks = nn.ModuleList()
        self.ends: list[int] = []  # the last block of each stage
        window, heads = first, config.heads
        for stage, depth in enumerate(config.depths):
            for _ in range(depth):
                out = config.dim * 2**stage
                attends = None if len(self.blocks) in config.global_blocks else window
                self.blocks.append(HieraBlock(dim, out, heads * 2**stage, attends))
                # A block that pools its queries still has the windows of the stage before.
                dim, window = out, config.windows[stage]
            self.ends.append(len(self.blocks) - 1)

    def forward(self, x: Tensor) -> list[Tensor]:
        x = self.patch_embed(x)
        x = x + self._positions(x.shape[1], x.shape[2])
        maps = []
        for i, block in enumerate(self.blocks):
            x = block(x)
            if i in self.ends:
                maps.append(x)
        return maps

    def _positions(self, height: int, width: int) -> Tensor:  # (1, height, width, C)
        window = self.pos_embed_window
        wide = F.interpolate(self.pos_embed, (height, width), mode="bicubic")
        tiled = window.tile(1, 1, height // window.shape[2], width // window.shape[3])
        return (wide + tiled).permute(0, 2, 3, 1)


def pooled(x: Tensor) -> Tensor:
    """Return the largest of each 2 x 2 tokens: (B, H, W, C) to (B, H/2, W/2, C)."""
    upper, lower = x[:, ::2], x[:, 1::2]
    highest = torch.maximum(upper, lower)
    return torch.maximum(highest[:, :, ::2], highest[:, :, 1::2])
