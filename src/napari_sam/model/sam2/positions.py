"""Positions in space and time as sines, and as rotations of queries and keys."""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = ["rotate", "rotations", "sine_line", "sine_map"]

PERIOD = 10_000.0


def sine_map(size: int, width: int, like: Tensor) -> Tensor:
    """Encode the places of a size x size map: (width, size, size), first rows, then columns.

    The dtype and the device are those of `like`.
    """
    at = torch.arange(1, size + 1, dtype=torch.float64) / (size + 1e-6) * 2 * math.pi
    steps = torch.arange(width // 4, dtype=torch.float64) / (width // 4)
    angles = at[:, None] / PERIOD**steps
    line = torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1).t()  # (width / 2, size)
    rows = line[:, :, None].expand(-1, -1, size)
    columns = line[:, None, :].expand(-1, size, -1)
    return torch.cat([rows, columns]).to(like)


def sine_line(at: Tensor, width: int) -> Tensor:
    """Encode N numbers: (N,) to (N, width), the sines before the cosines."""
    half = width // 2
    steps = torch.arange(half, dtype=at.dtype, device=at.device) // 2 * 2 / half
    angles = at[:, None] / PERIOD**steps
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


def rotations(size: int, width: int, like: Tensor) -> Tensor:
    """Return the turns of each place of a size x size map, (size^2, width / 2) complex.

    The first half of a place's pairs of channels is turned by its column, the other by its row (Su
    et al. 2021, "RoFormer", along two axes).
    """
    steps = torch.arange(width // 4, dtype=torch.float64) / (width // 4)
    angles = torch.arange(size, dtype=torch.float64)[:, None] / PERIOD**steps  # (size, width / 4)
    both = torch.cat([angles.repeat(size, 1), angles.repeat_interleave(size, dim=0)], dim=1)
    return torch.polar(torch.ones_like(both), both).to(like.device, like.dtype.to_complex())


def rotate(x: Tensor, turns: Tensor) -> Tensor:
    """Turn each pair of channels of (B, k N, width) by (N, width / 2) complex, N tokens at a time.

    k maps of the same size are turned alike.
    """
    pairs = torch.view_as_complex(x.unflatten(1, (-1, len(turns))).unflatten(-1, (-1, 2)))
    return torch.view_as_real(pairs * turns).flatten(3).flatten(1, 2)
