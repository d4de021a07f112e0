"""Low-rank adapters on small models with each of the three image encoders."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from napari_sam.errors import CheckpointError
from napari_sam.model.config import CellsEncoderConfig, SamConfig, TinyViTConfig, ViTConfig
from napari_sam.model.lora import adapter_state, add_adapters, apply_adapters, merged_state
from napari_sam.model.sam import Sam

FRAME = 64
SMALL = {"width": 32, "mlp_width": 32, "upscale_dims": (8, 4)}
CONFIGS = {
    "vit": SamConfig("small_vit", ViTConfig(32, 2, 2, (1,), window=2), frame=FRAME, **SMALL),
    "tiny_vit": SamConfig(
        "small_tiny_vit",
        TinyViTConfig((8, 16, 16, 32), (1, 1, 1, 1), (1, 2, 2, 4), (4, 4, 4, 4)),
        frame=FRAME,
        **SMALL,
    ),
    "cells": SamConfig(
        "small_cells",
        CellsEncoderConfig((4, 8, 16, 16, 16), (1, 1, 1, 1, 1)),
        frame=FRAME,
        stride=8,
        dense=True,
        **SMALL,
    ),
}
# Attention of the encoder (ViT: 2 blocks, TinyViT: 3 stages of one), each with qkv and proj.
IN_ENCODER = {"vit": 2 * 2, "tiny_vit": 3 * 2, "cells": 0}
# Two layers of self-attention and both directions, and the last look: q, k, v and out of each.
IN_DECODER = (2 * 3 + 1) * 4


@pytest.fixture(params=CONFIGS)
def kind(request):
    return request.param


def fresh(kind):
    """The same small model each time, with weights that differ from zero."""
    torch.manual_seed(0)
    model = Sam(CONFIGS[kind]).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape) * 0.05)
    return model


def answer(model):
    pixels = torch.randn(1, 3, FRAME, FRAME, generator=torch.Generator().manual_seed(1))
    clicks = torch.tensor([[[20.0, 30.0]], [[40.0, 10.0]]]), torch.ones(2, 1, dtype=torch.int64)
    return model.decode(model.encode(pixels), *clicks)


def learn(model):
    """One step of a crude optimiser, large enough to be seen."""
    logits, iou = answer(model)
    (logits.square().mean() + iou.square().mean()).backward()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.grad is not None:
                parameter.sub_(parameter.grad.sign() * 0.05)


def test_nothing_changes_at_first_and_only_adapters_learn(kind):
    base, model = fresh(kind), fresh(kind)
    add_adapters(model, rank=3)
    for before, after in zip(answer(base), answer(model), strict=True):
        torch.testing.assert_close(after, before, rtol=0, atol=1e-6)
    free = [name for name, p in model.named_parameters() if p.requires_grad]
    assert len(free) == 2 * (IN_ENCODER[kind] + IN_DECODER)
    assert all(name.endswith((".lora_a", ".lora_b")) for name in free)


def test_every_adapter_takes_part(kind):
    """At the start B alone has a gradient, as the gradient of A is a product with B = 0."""
    model = fresh(kind)
    add_adapters(model, rank=3)
    logits, iou = answer(model)
    (logits.square().mean() + iou.square().mean()).backward()
    gradients = {n: p.grad for n, p in model.named_parameters() if n.endswith(".lora_b")}
    still = [name for name, gradient in gradients.items() if not gradient.any()]
    assert still == []


def test_merged_weights_answer_like_the_adapters(kind):
    learned = fresh(kind)
    add_adapters(learned, rank=3)
    learn(learned)
    state = adapter_state(learned)
    assert {key.rpartition(".")[2] for key in state} == {"lora_a", "lora_b"}
    merged = fresh(kind)
    before = answer(merged)[0]
    apply_adapters(merged, {key: value.half() for key, value in state.items()})
    assert list(merged.state_dict()) == list(fresh(kind).state_dict())
    for expected, found in zip(answer(learned), answer(merged), strict=True):
        torch.testing.assert_close(found, expected, atol=2e-2, rtol=2e-2)
    assert (answer(merged)[0] - before).abs().max() > 0.1


def test_the_merged_state_is_a_plain_model(kind):
    model = fresh(kind)
    add_adapters(model, rank=3)
    learn(model)
    plain = Sam(CONFIGS[kind]).eval()
    plain.load_state_dict(merged_state(model))
    for expected, found in zip(answer(model), answer(plain), strict=True):
        torch.testing.assert_close(found, expected)


def test_adding_twice_keeps_what_was_learned():
    model = fresh("cells")
    add_adapters(model, rank=3)
    learn(model)
    before = adapter_state(model)
    add_adapters(model, rank=3)
    after = adapter_state(model)
    assert before.keys() == after.keys()
    assert all(torch.equal(before[key], after[key]) for key in before)


def test_the_addition_is_b_times_a():
    model = fresh("cells")
    path = "mask_decoder.transformer.layers.0.self_attn.q_proj"
    projection = model.get_submodule(path)
    assert isinstance(projection, nn.Linear)
    weight = projection.weight.detach().clone()
    add_adapters(model, rank=1)
    state = {key: torch.zeros_like(value) for key, value in adapter_state(model).items()}
    state[f"{path}.lora_a"][0, 5] = 2
    state[f"{path}.lora_b"][3, 0] = 10
    model = fresh("cells")
    apply_adapters(model, state)
    weight[3, 5] += 20
    assert torch.equal(model.get_submodule(path).weight, weight)


def without(state, key):
    return {name: value for name, value in state.items() if name != key}


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda s, k: without(s, k), r"q_proj\.lora_a is missing"),
        (lambda s, k: s | {"image_encoder.x": torch.zeros(1)}, r"image_encoder\.x is unknown"),
        (lambda s, k: s | {k: torch.zeros(3, 31)}, r"\(32, 32\), its additions \(32, 3\) and"),
        (lambda s, k: s | {k: torch.zeros(2, 32)}, r"additions \(32, 3\) and \(2, 32\)"),
        (lambda s, k: s | {k: torch.zeros(3, 32).long()}, "additions of whole numbers"),
        (lambda s, k: s | {k: torch.zeros(32)}, r"additions \(32, 3\) and \(32,\)"),
    ],
)
def test_adapters_that_do_not_fit_are_refused_and_change_nothing(spoil, words):
    model = fresh("cells")
    add_adapters(model, rank=3)
    key = "mask_decoder.transformer.layers.0.self_attn.q_proj.lora_a"
    state = spoil(adapter_state(model), key)
    base = fresh("cells")
    with pytest.raises(CheckpointError, match=f"do not fit small_cells: .*{words}"):
        apply_adapters(base, state)
    for name, value in fresh("cells").state_dict().items():
        assert torch.equal(value, base.state_dict()[name])


def test_adapters_of_another_encoder_are_refused():
    model = fresh("vit")
    add_adapters(model)
    with pytest.raises(CheckpointError, match="do not fit small_tiny_vit"):
        apply_adapters(fresh("tiny_vit"), adapter_state(model))


def test_adapters_that_give_no_numbers_change_nothing():
    model = fresh("cells")
    add_adapters(model, rank=1)
    state = {key: torch.full_like(value, 1e30) for key, value in adapter_state(model).items()}
    base = fresh("cells")
    with pytest.raises(CheckpointError, match="not finite"):
        apply_adapters(base, state)
    for name, value in fresh("cells").state_dict().items():
        assert torch.equal(value, base.state_dict()[name])
