"""Memory attention: the image embedding of a slice looks at what is known of others (section 4)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from napari_sam.model.sam2.config import MEMORY_WIDTH
from napari_sam.model.sam2.positions import rotate, rotations, sine_map

__all__ = ["Memories", "MemoryAttention"]

LAYERS, HIDDEN = 4, 2048
BLOCK = 1024  # queries, and keys, that meet at a time on a CPU


class Memories(NamedTuple):
    """What is looked at: maps of other slices, then object pointers, all as tokens.

    Parameters
    ----------
    content : (B, k h w + P, 64)
        k maps, row by row, and P tokens of pointers, which have no place in the picture.
    positions : (B or 1, k h w + P, 64)
        In space and time.
    pointers : int
        P.
    """

    content: Tensor
    positions: Tensor
    pointers: int


class RotaryAttention(nn.Module):
    """Attention of one head whose queries and keys are turned by their places."""

    def __init__(self, width: int, seen: int) -> None:
        super().__init__()
        self.q_proj = nn.Linear(width, width)
        self.k_proj = nn.Linear(seen, width)
        self.v_proj = nn.Linear(seen, width)
        self.out_proj = nn.Linear(width, width)

    def forward(self, q: Tensor, k: Tensor, v: Tensor, turns: Tensor, placeless: int = 0) -> Tensor:
        """Attend from (B, N, width) to (B, M, seen); the last `placeless` keys are not turned."""
        q = rotate(self.q_proj(q), turns)
        k = self.k_proj(k)
        maps = k.shape[1] - placeless
        k = torch.cat([rotate(k[:, :maps], turns), k[:, maps:]], dim=1)
        # The weights of a query sum to one: values may be projected after they were summed, and
        # there are far fewer queries than values, which are narrower before.
        return self.out_proj(self.v_proj(attend(q, k, v)))


class MemoryAttentionLayer(nn.Module):
    """Self-attention, attention to the memories and MLP, each normalised first."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.self_attn = RotaryAttention(width, width)
        self.cross_attn_image = RotaryAttention(width, MEMORY_WIDTH)
        self.linear1 = nn.Linear(width, HIDDEN)
        self.linear2 = nn.Linear(HIDDEN, width)
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)
        self.norm3 = nn.LayerNorm(width)

    def forward(self, x: Tensor, memories: Memories, turns: Tensor) -> Tensor:
        content, positions, pointers = memories
        normed = self.norm1(x)
        x = x + self.self_attn(normed, normed, normed, turns)
        keys = content + positions
        x = x + self.cross_attn_image(self.norm2(x), keys, content, turns, pointers)
        return x + self.linear2(torch.relu(self.linear1(self.norm3(x))))


class MemoryAttention(nn.Module):
    """Image embedding (B, width, h, h) to one of the same shape that knows the memories."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(MemoryAttentionLayer(width) for _ in range(LAYERS))
        self.norm = nn.LayerNorm(width)

    def forward(self, image: Tensor, memories: Memories) -> Tensor:
        width, size = image.shape[1:3]
        turns = rotations(size, width, image)
        x = image + 0.1 * sine_map(size, width, image)
        x = x.flatten(2).transpose(1, 2)
        for layer in self.layers:
            x = layer(x, memories, turns)
        return self.norm(x).transpose(1, 2).unflatten(-1, (size, size))


def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Attend from (B, N, d) to keys (B, M, d) and values (B, M, d'): (B, N, d').

    On a CPU torch's own frugal kernel takes values as long as the queries only: shorter ones are
    attended to in blocks, whose logits stay in the processor's cache.
    """
    if q.device.type != "cpu" or v.shape[-1] == q.shape[-1]:
        return F.scaled_dot_product_attention(q[:, None], k[:, None], v[:, None])[:, 0]
    parts = zip(k.split(BLOCK, dim=1), v.split(BLOCK, dim=1), strict=True)
    blocks = [(keys.mT, values) for keys, values in parts]
    q = q * q.shape[-1] ** -0.5
    return torch.cat([_attend_in_blocks(part, blocks) for part in q.split(BLOCK, dim=1)], dim=1)


def _attend_in_blocks(q: Tensor, blocks: list[tuple[Tensor, Tensor]]) -> Tensor:
    """Return the softmax of ``q @ keys`` times values, a block at a time (Dao et al. 2022)."""
    top = q.new_full((*q.shape[:2], 1), -torch.inf)
    total = torch.zeros_like(top)
    seen = q.new_zeros(*q.shape[:2], blocks[0][1].shape[-1])
    for keys, values in blocks:
        logits = q @ keys
        higher = torch.maximum(top, logits.amax(dim=-1, keepdim=True))
        fades = (top - higher).exp()  # what was summed up so far, relative to a higher top
        weights = (logits - higher).exp()
        total = total * fades + weights.sum(dim=-1, keepdim=True)
        seen = seen * fades + weights @ values
        top = higher
    return seen / total
