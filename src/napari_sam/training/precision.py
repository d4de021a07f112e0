"""Mixed precision where it helps: bfloat16 on NVIDIA cards that compute in it."""

from __future__ import annotations

import torch

__all__ = ["mixed"]


def mixed(device: torch.device) -> torch.autocast:
    """Return the context for forward passes; on processors it changes nothing.

    bfloat16 has the range of single precision, so gradients need no scaling.
    """
    able = device.type == "cuda" and torch.cuda.is_bf16_supported()
    return torch.autocast(device.type, torch.bfloat16, enabled=able)
