"""Checks of a file's tensors, before anything is computed with them, and their content hash."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import xxhash
from torch import Tensor

__all__ = ["content_hash", "fault", "kind", "misplaced"]

FLOATS = torch.float16, torch.bfloat16, torch.float32, torch.float64


def misplaced(name: str, value: Tensor) -> str:
    """Return why a tensor is no dense array on the CPU; empty if it is.

    Looks at no value. One that was expanded has no place of its own for each number, and may be
    said to be of any size.
    """
    if value.layout is not torch.strided or value.is_nested or value.device.type != "cpu":
        return f"{name} is no full table of numbers ({value.layout}, {value.device})"
    if value.numel() * value.element_size() > value.untyped_storage().nbytes():
        return f"{name} is said to be larger than its content"
    return ""


def fault(name: str, value: Tensor) -> str:
    """Return why a tensor cannot be weights; empty if it can.

    Examples
    --------
    >>> fault("bias", torch.tensor([0.0, float("nan")]))
    'bias holds values that are not finite'
    >>> fault("bias", torch.tensor([0.0, 1.0], dtype=torch.bfloat16))
    ''
    """
    if place := misplaced(name, value):
        return place
    odd_float = value.is_floating_point() and value.dtype not in FLOATS
    if odd_float or value.is_complex() or value.is_quantized:
        return f"{name} holds {kind(value)} in place of float16, bfloat16, float32 or float64"
    if not (value.is_floating_point() and value.numel()):
        return ""
    low, high = value.float().aminmax()  # in the precision in which models compute
    if not torch.isfinite(torch.stack([low, high])).all():
        return f"{name} holds values that are not finite"
    if name.endswith("running_var") and low < 0:
        return f"{name} holds variances below zero"
    return ""


def kind(value: Tensor) -> str:
    """Return the short name of a tensor's dtype.

    Examples
    --------
    >>> kind(torch.zeros(2))
    'float32'
    """
    return str(value.dtype).removeprefix("torch.")


def content_hash(about: str, state: Mapping[str, Tensor]) -> str:
    """Return a hash of names, dtypes, shapes and values, and of what a file says `about` them.

    The tensors lie on the CPU and are contiguous.

    Examples
    --------
    >>> content_hash("", {"a": torch.zeros(2)}) == content_hash("", {"a": torch.zeros(3)})
    False
    """
    digest = xxhash.xxh3_128(about.encode())
    for name, value in sorted(state.items()):
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        digest.update(value.detach().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
