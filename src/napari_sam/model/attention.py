"""Attention over a map with decomposed relative positions (Li et al. 2022, "MViTv2", section 4.1).

The matrix of all attention logits of a 64 x 64 map and 12 heads is 800 MB. A few rows of queries
of one head at a time stay in the processor's cache, which is faster and needs next to no memory.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["attend"]

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
    shape, size, dim = q.shape, q.shape[2], q.shape[-1]
    q, k, v = (x.reshape(-1, size, size, dim) for x in (q, k, v))  # (M, S, S, d)
    at = torch.arange(size, device=q.device)
    offset = at[:, None] - at + size - 1
    # What a query adds to the keys of row (column) j; it is not scaled here.
    rel_h = torch.einsum("myxd,yjd->myxj", q, rel_pos_h[offset])  # (M, S, S, S)
    rel_w = torch.einsum("myxd,xjd->myxj", q, rel_pos_w[offset])
    q = q * dim**-0.5
    k, v = k.flatten(1, 2), v.flatten(1, 2)  # (M, S S, d)

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
