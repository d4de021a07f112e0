"""Half precision, tried on the CPU: the dtypes fit together and the embedding stays close."""

from __future__ import annotations

import pytest
import torch

from napari_sam.model import attention, sam
from tests.model.peers import REDUCED, randomise


@pytest.mark.parametrize("name", REDUCED)
def test_half_precision_encoder(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    model = sam.Sam(REDUCED[name])
    randomise(model)
    pixels = torch.randn(1, 3, 256, 256, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        exact = model.encode(pixels).embedding
        monkeypatch.setattr(sam, "HALF", {"cpu"})
        monkeypatch.setattr(attention, "attend_in_parts", attention.attend_fused)  # as on CUDA
        half = model.encode(pixels).embedding
    assert half.dtype == torch.float32
    assert 0 < (half - exact).abs().max() < 0.05
    trained = model.encode(pixels).embedding  # with gradients, nothing is rounded
    torch.testing.assert_close(trained.detach(), exact, rtol=0, atol=1e-4)
