"""The same weights give the reference's numbers, from pixels to low-resolution logits.

Most in float64, where a difference is a mistake and never noise; `test_pictures` has float32.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn

from napari_sam.model.config import CONFIGS, SamConfig
from napari_sam.model.sam import Features, Sam
from tests.model.conftest import Differences
from tests.model.peers import REDUCED, randomise, reference, transformers_peer

EMBEDDING, LOGITS, IOU, DOUBLE = 1e-4, 1e-3, 5e-4, 1e-8

CASES = [
    "point",
    "points",
    "many points",
    "box",
    "mask",
    "points box",
    "point mask",
    "box mask",
    "points box mask",
]


@dataclass
class Pair:
    """A reference model, ours with the same weights, and what both made of one picture."""

    config: SamConfig
    theirs: nn.Module
    ours: Sam
    pixels: Tensor
    embedding: Tensor
    features: Features


def make_pair(config: SamConfig, dtype: torch.dtype = torch.float32) -> Pair:
    theirs = reference(config).to(dtype)
    weights = randomise(theirs)
    ours = Sam(config).to(dtype).eval()
    ours.load_state_dict(weights, strict=True)
    pixels = torch.randn(1, 3, config.frame, config.frame, generator=seeded(1)).to(dtype)
    pixels[..., config.frame * 3 // 4 :, :] = 0  # as below a wide picture
    with torch.inference_mode():
        return Pair(config, theirs, ours, pixels, theirs.image_encoder(pixels), ours.encode(pixels))


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def prompts(case: str, config: SamConfig, dtype: torch.dtype) -> dict[str, Tensor | None]:
    """Two objects' prompts; float32 holds the coordinates exactly (the reference rounds them)."""
    points = torch.randint(0, 64, (2, 20, 2), generator=seeded(3)).to(dtype) / 64
    labels = torch.randint(0, 2, (2, 20), generator=seeded(4))
    count = 20 if "many" in case else 2 if "points" in case else 1
    boxes = torch.tensor([[0.125, 0.25, 0.75, 0.875], [0.0, 0.0, 1.0, 0.25]], dtype=dtype)
    side = config.frame // config.mask_stride
    masks = 8 * torch.randn(2, 1, side, side, generator=seeded(2))
    return {
        "points": config.frame * points[:, :count] if "point" in case else None,
        "labels": labels[:, :count] if "point" in case else None,
        "boxes": config.frame * boxes if "box" in case else None,
        "masks": masks.to(dtype) if "mask" in case else None,
    }


def decode_reference(pair: Pair, points, labels, boxes, masks) -> tuple[Tensor, Tensor]:
    clicks = None if points is None else (points, labels)
    encoder, decoder = pair.theirs.prompt_encoder, pair.theirs.mask_decoder
    sparse, dense = encoder(points=clicks, boxes=boxes, masks=masks)
    return decoder.predict_masks(pair.embedding, encoder.get_dense_pe(), sparse, dense)


def check_decode(pair: Pair, case: str, differences: Differences, kind: str, double=False) -> None:
    given = prompts(case, pair.config, pair.pixels.dtype)
    with torch.inference_mode():
        theirs = decode_reference(pair, **given)
        ours = pair.ours.decode(pair.features, **given)
    assert theirs[0].std() > 3, "the logits must be spread enough to show a mistake"
    differences.check(f"{kind} logits", ours[0], theirs[0], DOUBLE if double else LOGITS)
    differences.check(f"{kind} iou", ours[1], theirs[1], DOUBLE if double else IOU)


@pytest.fixture(scope="module", params=["vit_b", "vit_t"])
def double_pair(request: pytest.FixtureRequest) -> Pair:
    return make_pair(REDUCED[request.param], torch.float64)


def test_double_embedding(double_pair: Pair, differences: Differences) -> None:
    kind = f"{double_pair.config.name} float64 embedding"
    differences.check(kind, double_pair.features.embedding, double_pair.embedding, DOUBLE)


@pytest.mark.parametrize("case", CASES)
def test_double_decode(double_pair: Pair, case: str, differences: Differences) -> None:
    check_decode(double_pair, case, differences, f"{double_pair.config.name} float64", double=True)


@pytest.mark.parametrize("name", REDUCED)
def test_training(name: str) -> None:
    """Batch statistics and gradients of the encoders are the reference's too."""
    pair = make_pair(REDUCED[name], torch.float64)
    encoders = pair.ours.image_encoder.train(), pair.theirs.image_encoder.train()
    for encoder in encoders:
        encoder(pair.pixels).square().mean().backward()
    ours, theirs = (dict(encoder.named_parameters()) for encoder in encoders)
    for key, parameter in theirs.items():
        if parameter.grad is not None:  # TinyViT's classifier has none
            torch.testing.assert_close(ours[key].grad, parameter.grad, rtol=0, atol=DOUBLE)
    ours, theirs = (dict(encoder.named_buffers()) for encoder in encoders)
    for key, statistics in ours.items():
        torch.testing.assert_close(statistics, theirs[key], rtol=0, atol=DOUBLE)


@pytest.fixture(scope="module")
def transformers_pair() -> tuple[Pair, nn.Module]:
    pair = make_pair(REDUCED["vit_b"])
    return pair, transformers_peer(pair.config, pair.theirs.state_dict())


@pytest.mark.parametrize("case", ["points", "box", "points box", "points box mask"])
def test_transformers(
    transformers_pair: tuple[Pair, nn.Module], case: str, differences: Differences
) -> None:
    pair, peer = transformers_pair
    given = prompts(case, pair.config, torch.float32)
    # Objects share a picture in transformers, but then also the mask: one object here.
    points, labels, boxes, masks = (None if x is None else x[:1] for x in given.values())
    with torch.inference_mode():
        theirs = peer(
            pixel_values=pair.pixels,
            input_points=None if points is None else points[None],
            input_labels=None if labels is None else labels[None],
            input_boxes=None if boxes is None else boxes[None],
            input_masks=masks,
        )
        embedding = peer.get_image_embeddings(pair.pixels)
        logits, iou = pair.ours.decode(pair.features, points, labels, boxes, masks)
    differences.check("transformers embedding", pair.features.embedding, embedding, EMBEDDING)
    differences.check("transformers logits", logits[:, 1:], theirs.pred_masks[0], LOGITS)
    differences.check("transformers iou", iou[:, 1:], theirs.iou_scores[0], IOU)


@pytest.mark.parametrize(
    ("name", "keys", "elements"),
    [
        ("vit_h", 594, 641_090_864),
        ("vit_l", 482, 312_343_088),
        ("vit_b", 314, 93_735_728),
        ("vit_t", 439, None),
    ],
)
def test_state_dict_layout(name: str, keys: int, elements: int | None) -> None:
    with torch.device("meta"):
        state = Sam(CONFIGS[name]).state_dict()
    assert len(state) == keys
    if elements is not None:
        assert sum(value.numel() for value in state.values()) == elements


@pytest.mark.slow
@pytest.mark.parametrize("name", ["vit_l", "vit_h"])
def test_large_sizes(name: str, differences: Differences) -> None:
    pair = make_pair(CONFIGS[name])
    differences.check(f"{name} embedding", pair.features.embedding, pair.embedding, EMBEDDING)
    check_decode(pair, "points box mask", differences, name)
