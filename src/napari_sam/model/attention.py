"""Attention over a map with decomposed relative positions (Li et al. 2022, "MViTv2", section 4.1).

The matrix of all attention logits of a 64 x 64 map and 12 heads is 800 MB. On a CPU a few rows of
queries of one head at a time stay in the processor's cache, which is faster and needs next to no
memory; on CUDA, and in bfloat16, torch's own memory-frugal kernels serve.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["attend", "attend_fused", "attend_in_parts", "merge_windows", "split_windows"]

LOGITS = 2**20  # attention logits at a time, 4 MB


def attend(q: Tensor, k: Tensor, v: Tensor, rel_pos_h: Tensor, rel_pos_w: Tensor) -> Tensor:
    """Attend within each map, (N, heads, S, S, d) to the same shape.

    Parameters
    ----------
    q, k, v : (N, heads, S, S, d)
        Queries, keys and values of N square maps.
    rel_pos_h, rel_pos_w : (2 S - 1, d)
        One vector per vertical and per horizontal offset, from -(S - 1) to S - 1.
    """
    at = torch.arange(q.shape[2], device=q.device)
    offset = at[:, None] - at + len(at) - 1
    # What a query adds to the keys of row (column) j, (N, heads, S, S, S); it is not scaled here.
    rel_h = torch.einsum("nhyxd,yjd->nhyxj", q, rel_pos_h[offset])
    rel_w = torch.einsum("nhyxd,xjd->nhyxj", q, rel_pos_w[offset])
    fused = q.device.type == "cuda" or q.dtype == torch.bfloat16
    attend_here = attend_fused if fused else attend_in_parts
    return attend_here(q * q.shape[-1] ** -0.5, k, v, rel_h, rel_w)


def attend_in_parts(q: Tensor, k: Tensor, v: Tensor, rel_h: Tensor, rel_w: Tensor) -> Tensor:
    """Attend with a cache full of logits at a time, adding each query's row and column terms."""
    shape, size = q.shape, q.shape[2]
    q, rel_h, rel_w = (x.reshape(-1, *x.shape[2:]) for x in (q, rel_h, rel_w))  # (M, S, S, ...)
    k, v = (x.reshape(len(q), size**2, -1) for x in (k, v))  # (M, S S, d)
    rows = min(size, max(1, LOGITS // size**3))
    maps = max(1, LOGITS // (rows * size**3))
    out = torch.empty_like(q)
    for m in range(0, len(q), maps):
        for y in range(0, size, rows):
            part = slice(m, m + maps), slice(y, y + rows)
            logits = q[part].flatten(1, 2) @ k[part[0]].transpose(1, 2)  # (maps, rows S, S S)
            per_key = logits.view(*rel_h[part].shape, size)
            per_key += rel_h[part][..., None]
            per_key += rel_w[part][..., None, :]
            out[part] = (logits.softmax(dim=-1) @ v[part[0]]).view(out[part].shape)
    return out.view(shape)


def attend_fused(q: Tensor, k: Tensor, v: Tensor, rel_h: Tensor, rel_w: Tensor) -> Tensor:
    """Attend in one fused kernel: the terms become longer queries and keys that pick their own."""
    shape, size = q.shape, q.shape[2]
    one = torch.eye(size, dtype=k.dtype, device=k.device)
    row = one[:, None].expand(*k.shape[:2], -1, size, -1)  # (N, heads, S, S, S)
    column = one.expand(*k.shape[:2], size, -1, -1)
    q = torch.cat([q, rel_h, rel_w], dim=-1).flatten(2, 3)  # (N, heads, S S, d + 2 S)
    k = torch.cat([k, row, column], dim=-1).flatten(2, 3)
    v = v.flatten(2, 3)
    if v.device.type == "cpu":  # its frugal kernel takes values as long as the queries only
        v = F.pad(v, (0, q.shape[-1] - v.shape[-1]))
    out = F.scaled_dot_product_attention(q, k, v, scale=1.0)
    return out[..., : shape[-1]].reshape(shape)


def split_windows(x: Tensor, window: int, fill: Tensor) -> Tensor:
    """Cut a map (B, H, W, C) into windows (N, window, window, C), in row-major order.

    Tokens beyond the right and lower border hold `fill` (C,); they take part in attention, as in
    the reference. N is B * ceil(H / window) * ceil(W / window).
    """
    batch, height, width, channels = x.shape
    rows, columns = math.ceil(height / window), math.ceil(width / window)
    if (height, width) != (rows * window, columns * window):
        padded = fill.to(x.dtype).repeat(batch, rows * window, columns * window, 1)
        padded[:, :height, :width] = x
        x = padded
    x = x.view(batch, rows, window, columns, window, channels)
    return x.transpose(2, 3).reshape(-1, window, window, channels)


def merge_windows(windows: Tensor, height: int, width: int) -> Tensor:
    """Undo `split_windows`: (N, window, window, C) to (B, height, width, C)."""
    window, channels = windows.shape[1], windows.shape[-1]
    rows, columns = math.ceil(height / window), math.ceil(width / window)
    x = windows.view(-1, rows, columns, window, window, channels).transpose(2, 3)
    x = x.reshape(-1, rows * window, columns * window, channels)
    return x[:, :height, :width].contiguous()  # else a linear layer copies its weights per row
