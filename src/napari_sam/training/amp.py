"""Automatic mixed precision (AMP): bfloat16 where the hardware computes in it."""

from __future__ import annotations

import torch

__all__ = ["mixed"]


def mixed(device: torch.device) -> torch.autocast:
    """Return the autocast context for forward passes; where it would be slower it does nothing.

    bfloat16 has the range of single precision, so gradients need no scaling. Of processors only
    those with matrix units for it (Intel's AMX) are faster in it.
    """
    if device.type == "cuda":
        able = torch.cuda.is_bf16_supported()
    else:
        # older versions cannot tell
        told: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
        able = device.type == "cpu" and bool(told.get("amx_bf16", False))
    return torch.autocast(device.type, torch.bfloat16, enabled=able)
