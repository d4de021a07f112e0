"""The decoder's shorter ways give the same as the plain ones."""

from __future__ import annotations

import pytest
import torch

from napari_sam.model.config import CONFIGS
from napari_sam.model.mask_decoder import MaskDecoder
from napari_sam.model.transformer import (
    Attention,
    ImageToTokens,
    TokensToImage,
    TwoWayAttentionBlock,
)

WIDTH = 64


def rand(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize("tokens", [3, 4, 5])  # 8 heads x 4 tokens = 32 channels within
@pytest.mark.parametrize("kind", [TokensToImage, ImageToTokens])
def test_attention_without_projecting_the_image(kind: type[Attention], tokens: int) -> None:
    torch.manual_seed(0)
    attention = kind(WIDTH, downsample=2).double()
    few, many, values = rand(2, tokens, WIDTH), rand(2, 50, WIDTH), rand(2, 50, WIDTH)
    given = (few, many, values) if kind is TokensToImage else (many, few, rand(2, tokens, WIDTH))
    results = []
    for forward in (attention.forward, super(kind, attention).forward):
        attention.zero_grad()
        out = forward(*given)
        grads = torch.autograd.grad(out.square().sum(), (few, many, attention.v_proj.weight))
        results.append((out, *grads))
    for ours, plain in zip(*results, strict=True):
        torch.testing.assert_close(ours, plain, rtol=0, atol=1e-11)


@pytest.mark.parametrize("tokens", [7, 40])
def test_one_image_serves_all_objects(tokens: int) -> None:
    torch.manual_seed(0)
    decoder = MaskDecoder(CONFIGS["vit_b"]).double()
    image, position, sparse = rand(1, 256, 8, 8), rand(1, 256, 8, 8), rand(3, tokens - 5, 256)
    shared = decoder(image, position, sparse)
    repeated = decoder(image.expand(3, -1, -1, -1), position, sparse)
    for ours, plain in zip(shared, repeated, strict=True):
        torch.testing.assert_close(ours, plain, rtol=0, atol=1e-11)


def test_upscaling_as_matrix_products() -> None:
    torch.manual_seed(0)
    decoder = MaskDecoder(CONFIGS["vit_b"]).double()
    image, position, sparse = rand(2, 256, 6, 10), rand(1, 256, 6, 10), rand(2, 2, 256)
    nothing = torch.zeros(2, 64, 12, 20), torch.zeros(2, 32, 24, 40)  # skips take the plain way
    ours, plain = decoder(image, position, sparse), decoder(image, position, sparse, nothing)
    torch.testing.assert_close(ours[0], plain[0], rtol=0, atol=1e-11)


@pytest.mark.parametrize("with_skips", [False, True])
def test_masks_are_drawn_only_where_they_are_wanted(with_skips: bool) -> None:
    torch.manual_seed(0)
    decoder = MaskDecoder(CONFIGS["vit_b"]).double()
    image, position, sparse = rand(1, 256, 6, 10), rand(1, 256, 6, 10), rand(4, 2, 256)
    skips = (rand(4, 64, 12, 20), rand(4, 32, 24, 40)) if with_skips else None
    logits, iou = decoder(image, position, sparse, skips)
    wanted = torch.tensor([2, 0])
    some = decoder.predict_iou(image, position, sparse, skips).only(wanted, slice(1, 4))
    torch.testing.assert_close(some.iou, iou[wanted, 1:], rtol=0, atol=0)
    torch.testing.assert_close(decoder.predict_masks(some), logits[wanted, 1:], rtol=0, atol=1e-11)


def test_mixed_precision_does_not_round_the_image() -> None:
    torch.manual_seed(0)
    layer = TwoWayAttentionBlock(128, 512)
    tokens, keys, position = (
        torch.randn(2, 7, 128),
        torch.randn(2, 64, 128),
        torch.randn(1, 64, 128),
    )
    exact = layer(tokens, keys, tokens, position, first=True)[1]
    with torch.autocast("cpu", torch.bfloat16):
        mixed = layer(tokens, keys, tokens, position, first=True)[1]
    assert mixed.dtype == torch.float32
    # A rounded sum would be off by up to 2^-8 of its value, 0.01 to 0.03 here.
    assert (mixed - exact).abs().max() < 0.008
