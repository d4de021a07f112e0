"""Precision of the image encoder at inference: bfloat16 where processors are quicker in it."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache

import torch

__all__ = ["bfloat16_pays", "has_matrix_units"]

RUNS = 5  # of each, in turn; the quickest counts
GAIN = 2.0  # times as quick as float32 must a matrix product be, else copies eat what is won


def has_matrix_units() -> bool:
    """Return whether the processor multiplies bfloat16 matrices in hardware (Intel's AMX)."""
    # older versions of torch cannot tell
    told: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(told.get("amx_bf16", False))


@cache
def bfloat16_pays() -> bool:
    """Return whether this processor is quicker in bfloat16; measured once, in some milliseconds."""
    if not has_matrix_units():
        return False
    x, weight = torch.ones(1024, 512), torch.ones(512, 512)
    low_x, low_weight = x.bfloat16(), weight.bfloat16()
    seconds: tuple[list[float], list[float]] = [], []
    with torch.inference_mode():
        for _ in range(RUNS):
            seconds[0].append(_timed(lambda: torch.mm(x, weight)))
            seconds[1].append(_timed(lambda: torch.mm(low_x, low_weight)))
    return min(seconds[0]) > GAIN * min(seconds[1])


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
