"""Precision that the hardware computes well in."""

from __future__ import annotations

import torch

__all__ = ["has_matrix_units"]


def has_matrix_units() -> bool:
    """Return whether the processor multiplies bfloat16 matrices in hardware (Intel's AMX).

    Products are then several times as quick as in float32, elsewhere slower. The processor decides
    and no stopwatch, so that all processes of a machine come to the same masks.
    """
    # older versions of torch cannot tell
    told: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(told.get("amx_bf16", False))
