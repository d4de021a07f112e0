"""Half precision, tried on the CPU: the dtypes fit together and the embedding stays close."""

from __future__ import annotations

import pytest
import torch

from napari_sam.model import attention, load, sam
from napari_sam.model.load import load_model
from napari_sam.settings import Settings
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


@pytest.mark.parametrize("name", REDUCED)
def test_bfloat16_on_a_processor_is_for_inference_alone(name: str) -> None:
    model = sam.Sam(REDUCED[name])
    randomise(model)
    pixels = torch.randn(1, 3, 256, 256, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        exact = model.encode(pixels)
        model.cpu_dtype = torch.bfloat16
        low = model.encode(pixels)
    for part, known in zip(
        (low.embedding, *(low.skips or ())), (exact.embedding, *(exact.skips or ())), strict=True
    ):
        assert part.dtype == torch.float32
        assert 0 < (part - known).norm() < 0.05 * known.norm()
    trained = model.encode(pixels).embedding
    torch.testing.assert_close(trained.detach(), exact.embedding, rtol=0, atol=1e-4)


def test_narrow_images_are_encoded_in_float32() -> None:
    model = load_model("cells_tiny", "cpu")
    pixels = torch.randn(1, 3, 192, 32, generator=torch.Generator().manual_seed(0))
    found = []
    for dtype in (torch.float32, torch.bfloat16):
        model.cpu_dtype = dtype
        with torch.inference_mode():
            found.append(model.encode(pixels).embedding)
    assert torch.equal(*found)


@pytest.mark.parametrize("units", [False, True])
@pytest.mark.parametrize("asked", ["auto", "float32", "bfloat16"])
def test_the_setting_decides_or_leaves_it_to_the_processor(
    monkeypatch: pytest.MonkeyPatch, asked: str, units: bool
) -> None:
    monkeypatch.setattr(load, "load_settings", lambda: Settings(precision=asked))
    monkeypatch.setattr(load, "has_matrix_units", lambda: units)
    low = load_model("cells_tiny", "cpu").cpu_dtype == torch.bfloat16
    assert low == {"auto": units}.get(asked, asked != "float32")
