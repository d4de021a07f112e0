"""What is worked on in bands comes out as the whole does."""

from __future__ import annotations

import pytest
import torch

from napari_sam.model import cells_encoder
from napari_sam.model.cells_encoder import CellsEncoder, CellsStage, ResidualBlock
from napari_sam.model.config import CONFIGS


@pytest.mark.parametrize(
    "shape",
    [(1, 4, 37, 24), (2, 4, 64, 16), (1, 4, 3, 4096)],  # of the last, one row is more than a band
)
def test_a_large_map_in_bands_is_the_same(monkeypatch, shape):
    generator = torch.Generator().manual_seed(0)
    block = ResidualBlock(4).eval()
    x = torch.randn(shape, generator=generator)
    calls = []
    block.conv1.register_forward_hook(lambda *_: calls.append(1))
    with torch.inference_mode():
        whole = block(x)
        assert len(calls) == 1
        monkeypatch.setattr(cells_encoder, "LARGE", 1 << 10)
        monkeypatch.setattr(cells_encoder, "BAND", 5 << 10)
        bands = block(x)
    assert len(calls) > 3
    torch.testing.assert_close(bands, whole, rtol=0, atol=1e-6)


def test_a_picture_in_bands_is_embedded_the_same(monkeypatch):
    torch.manual_seed(0)
    encoder = CellsEncoder(CONFIGS["cells_tiny"]).eval()
    x = torch.randn((1, 3, 96, 160))
    bands = []
    encoder.neck[0].register_forward_hook(lambda *_: bands.append("neck"))
    encoder.skips[1].register_forward_hook(lambda *_: bands.append("skip"))
    encoder.down[0][0].register_forward_hook(lambda *_: bands.append("first"))
    with torch.inference_mode():
        whole = encoder(x)
        assert sorted(bands) == ["first", "neck", "skip"]
        monkeypatch.setattr(cells_encoder, "LARGE", 1 << 10)
        monkeypatch.setattr(cells_encoder, "BAND", 5 << 10)
        parts = encoder(x)
    assert all(bands.count(name) > 4 for name in ("first", "neck", "skip"))
    for part, map_ in zip(parts, whole, strict=True):
        torch.testing.assert_close(part, map_, rtol=0, atol=1e-5)


@pytest.mark.parametrize("make", [lambda: ResidualBlock(4), lambda: CellsStage(4, 8, 1)])
def test_training_sees_the_whole_map(monkeypatch, make):
    block = make().train()
    x = torch.randn((1, 4, 37, 24), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        whole = block(x)
        monkeypatch.setattr(cells_encoder, "LARGE", 1 << 10)
        monkeypatch.setattr(cells_encoder, "BAND", 1 << 10)
        torch.testing.assert_close(block(x), whole)  # batch normalisation has the same mean
