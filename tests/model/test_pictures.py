"""From a picture and prompts to masks: the same weights give the reference's masks (float32)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from napari_sam.inference.predictor import Embedding, Predictor
from napari_sam.model.config import CONFIGS, SamConfig
from napari_sam.model.sam import Sam
from napari_sam.prompts import Prompts
from tests.model.conftest import Differences
from tests.model.peers import REDUCED, predictor, randomise, reference

EMBEDDING, LOGITS, IOU = 1e-4, 1e-3, 5e-4

SHAPES = {
    "square": (256, 256, 3),  # already of the reduced frame's size
    "wide": (90, 300, 3),
    "tall": (411, 77, 3),
    "tiny": (5, 7, 3),
    "grey": (180, 240),
    "large": (700, 1100, 3),
}
CASES = ["point", "points", "box", "mask", "points box", "point mask", "box mask", "all"]


@dataclass
class Both:
    """The reference's predictor and ours with the same weights and picture."""

    name: str
    theirs: Any
    ours: Predictor
    embedding: Embedding


def make_models(config: SamConfig) -> tuple[Any, Predictor]:
    theirs = reference(config)
    ours = Sam(config).eval()
    ours.load_state_dict(randomise(theirs), strict=True)
    return predictor(theirs), Predictor(ours)


def show(
    models: tuple[Any, Predictor], name: str, picture: NDArray[np.uint8], differences: Differences
) -> Both:
    """Embed a picture with both, and compare the embeddings."""
    theirs, ours = models
    theirs.set_image(picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2))
    embedding = ours.embed(picture, contrast=(0, 255))
    found = embedding.levels[0].features.embedding
    differences.check(f"{name} embedding", found, theirs.features, EMBEDDING)
    return Both(name, theirs, ours, embedding)


def draw(shape: tuple[int, ...], seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def given(case: str, both: Both) -> Prompts:
    """Prompts whose coordinates are pixels of the picture, whole and broken ones."""
    rng = np.random.default_rng(1)
    h, w = both.embedding.shape
    points = np.array([[h // 2, w // 3], [0.3 * h, 0.8 * w], [h - 1, 0]])
    count = 0 if case in ("box", "mask", "box mask") else 1 if "point" in case.split() else 3
    box = (0.1 * h, 0.2 * w, 0.8 * h, 0.9 * w) if "box" in case or case == "all" else None
    side = both.ours.config.frame // both.ours.config.mask_stride
    mask = 8 * rng.standard_normal((side, side), dtype=np.float32)
    return Prompts(
        points=points[:count],
        labels=[1, 0, 1][:count],
        box=box,
        mask=mask if "mask" in case or case == "all" else None,
    )


def check(both: Both, case: str, three: bool, differences: Differences) -> None:
    prompts = given(case, both)
    box = prompts.box
    logits, iou, low = both.theirs.predict(
        point_coords=prompts.points[:, ::-1] if len(prompts.points) else None,
        point_labels=prompts.labels if len(prompts.points) else None,
        box=None if box is None else box[[1, 0, 3, 2]],
        mask_input=None if prompts.mask is None else prompts.mask[None],
        multimask_output=three,
        return_logits=True,
    )
    order = np.argsort(-iou, kind="stable")
    logits, iou, low = logits[order], iou[order], low[order]
    result = both.ours.predict(both.embedding, prompts, multimask=three)
    assert low.std() > 3, "the logits must be spread enough to show a mistake"
    name = both.name
    as_tensor = torch.from_numpy
    differences.check(f"{name} logits", as_tensor(result.logits), as_tensor(low), LOGITS)
    differences.check(f"{name} iou", as_tensor(result.scores), as_tensor(iou), IOU)
    assert result.masks.shape == logits.shape
    differing = np.abs(logits[result.masks != (logits > 0)])
    largest = as_tensor(differing).max() if differing.size else torch.tensor(0.0)
    differences.check(f"{name} logit where a mask differs", largest, torch.tensor(0.0), 1e-3)


@pytest.fixture(scope="module", params=["vit_b", "vit_t"])
def reduced(request: pytest.FixtureRequest) -> tuple[str, tuple[Any, Predictor]]:
    return f"{request.param} reduced", make_models(REDUCED[request.param])


@pytest.fixture(scope="module", params=[pytest.param("vit_b", marks=pytest.mark.slow), "vit_t"])
def full_size(request: pytest.FixtureRequest, differences: Differences) -> Both:
    """Full size: one picture for all prompts, for the reference takes its time."""
    return show(
        make_models(CONFIGS[request.param]), request.param, draw((480, 640, 3)), differences
    )


@pytest.mark.parametrize("three", [False, True], ids=["one", "three"])
@pytest.mark.parametrize("case", CASES)
def test_full_size(full_size: Both, case: str, three: bool, differences: Differences) -> None:
    check(full_size, case, three, differences)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_pictures(
    reduced: tuple[str, tuple[Any, Predictor]], shape: tuple[int, ...], differences: Differences
) -> None:
    name, models = reduced
    both = show(models, name, draw(shape), differences)
    for case in CASES:
        check(both, case, True, differences)
        check(both, case, False, differences)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["vit_b", "vit_t"])
def test_all_pictures_at_full_size(name: str, differences: Differences) -> None:
    models = make_models(CONFIGS[name])
    for shape in SHAPES.values():
        both = show(models, name, draw(shape), differences)
        for case in CASES:
            check(both, case, True, differences)
            check(both, case, False, differences)
