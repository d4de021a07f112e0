"""Both ways of attention with relative positions agree, and both can be trained through."""

from __future__ import annotations

import pytest
import torch

from napari_sam.model import attention
from napari_sam.model.attention import attend_fused, attend_in_parts


@pytest.mark.parametrize("logits", [1, 200, 2**20])  # a row at a time, some, all at once
def test_in_parts_equals_fused(monkeypatch: pytest.MonkeyPatch, logits: int) -> None:
    monkeypatch.setattr(attention, "LOGITS", logits)
    torch.manual_seed(0)
    size, dim = 5, 6
    shapes = [(3, 2, size, size, n) for n in (dim, dim, dim, size, size)]
    given = [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes]
    results = []
    for way in (attend_in_parts, attend_fused):
        out = way(*given)
        results.append((out, *torch.autograd.grad(out.square().sum(), given)))
    for in_parts, fused in zip(*results, strict=True):
        torch.testing.assert_close(in_parts, fused, rtol=0, atol=1e-12)
