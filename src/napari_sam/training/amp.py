"""Automatic mixed precision (AMP): bfloat16 where the hardware computes in it."""

from __future__ import annotations

import torch

from napari_sam.model.precision import has_matrix_units

__all__ = ["mixed"]


def mixed(device: torch.device) -> torch.autocast:
    """Return the autocast context for forward passes; where it would be slower it does nothing.

    bfloat16 has the range of single precision, so gradients need no scaling. Of processors only
    those with matrix units for it are faster in it.
    """
    if device.type == "cuda":
        able = torch.cuda.is_bf16_supported()
    else:
        able = device.type == "cpu" and has_matrix_units()
    return torch.autocast(device.type, torch.bfloat16, enabled=able)
