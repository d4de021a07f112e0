"""From a picture and prompts to masks: the same weights give the masks of transformers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from napari_sam.inference.predictor import Predictor
from napari_sam.model import build
from napari_sam.model.load import load_model
from napari_sam.model.sam2.sam2 import Sam2
from napari_sam.prompts import Prompts
from tests.model.conftest import Differences
from tests.model.sam2.peers import REDUCED, published, randomise, reference

CONFIG = REDUCED["tiny"]
FRAME = CONFIG.frame
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SHAPES = {"square": (128, 128, 3), "wide": (90, 300, 3), "tall": (411, 77, 3), "small": (9, 14, 3)}
CASES = {
    "point": Prompts(points=[(0.5, 0.3)], labels=[1]),
    "points": Prompts(points=[(0.5, 0.3), (0.2, 0.8)], labels=[1, 0]),
    "box": Prompts(box=(0.1, 0.2, 0.8, 0.9)),
    "points box": Prompts(points=[(0.5, 0.3), (0.7, 0.8)], labels=[1, 1], box=(0.1, 0.2, 0.8, 0.9)),
}


@pytest.fixture(scope="module")
def models() -> tuple[Any, Predictor]:
    ours = Sam2(CONFIG)
    weights = randomise(ours, seed=1)
    # The predictor does not ask whether the object is there; transformers would hide its mask.
    weights["mask_decoder.pred_obj_score_head.layers.2.bias"].fill_(2.0)
    return reference(CONFIG, weights), Predictor(ours)


def ask_theirs(peer: Any, picture: np.ndarray, prompts: Prompts, three: bool) -> Any:
    """Show a picture to transformers' model and ask it, in its own frame."""
    pixels = torch.from_numpy(picture).permute(2, 0, 1)[None] / 255
    pixels = F.interpolate(pixels, (FRAME, FRAME), mode="bilinear", antialias=True)
    pixels = (pixels - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]
    points = [FRAME * point[::-1] for point in prompts.points]
    labels = prompts.labels.tolist()
    if prompts.box is not None:
        corners = FRAME * np.reshape(prompts.box, (2, 2))[:, ::-1]
        points, labels = [*corners, *points], [2, 3, *labels]
    with torch.inference_mode():
        finest, fine, embedding = (
            x.permute(1, 2, 0).unflatten(-1, (int(len(x) ** 0.5), -1))
            for x in peer.get_image_features(pixels, return_dict=True).fpn_hidden_states
        )
        return peer._single_frame_forward(
            input_points=torch.tensor(np.array(points), dtype=torch.float32)[None, None],
            input_labels=torch.tensor(labels)[None, None],
            image_embeddings=[finest, fine, embedding + peer.no_memory_embedding.view(1, -1, 1, 1)],
            multimask_output=three,
        )


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_pictures(
    models: tuple[Any, Predictor], shape: tuple[int, ...], differences: Differences
) -> None:
    peer, predictor = models
    picture = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    embedding = predictor.embed(picture, contrast=(0, 255))
    scale = np.array(shape[:2])
    for case in CASES.values():
        box = None if case.box is None else case.box * np.tile(scale, 2)
        prompts = Prompts(points=case.points * scale, labels=case.labels, box=box)
        for three in (False, True):
            theirs = ask_theirs(peer, picture, case, three)
            ours = predictor.predict(embedding, prompts, multimask=three)
            best = torch.from_numpy(ours.logits[:1])
            differences.check("sam2 picture logits", best, theirs.pred_masks[0], 1e-3)
            scores = torch.from_numpy(ours.scores[:1])
            wanted = theirs.iou_scores.flatten().sort(descending=True).values[:1]
            differences.check("sam2 picture iou", scores, wanted, 5e-4)
            whole = F.interpolate(theirs.pred_masks, shape[:2], mode="bilinear")[0]
            other = torch.from_numpy(ours.masks[:1]) != (whole > 0)
            assert not (whole[other].abs() > 1e-3).any()


def test_a_published_file_is_recognised_and_answers(tmp_path, monkeypatch):
    monkeypatch.setitem(build.SIZES, CONFIG.name, CONFIG)
    ours = Sam2(CONFIG)
    state = randomise(ours)
    torch.save({"model": published(ours)}, tmp_path / "sam2.1_hiera_tiny.pt")
    model = load_model(tmp_path / "sam2.1_hiera_tiny.pt", "cpu")
    assert isinstance(model, Sam2)
    assert model.config is CONFIG
    for key, value in model.state_dict().items():
        torch.testing.assert_close(value, state[key], rtol=0, atol=0)
    predictor = Predictor(model)
    embedding = predictor.embed(np.arange(48, dtype=np.uint8).reshape(6, 8))
    answer = predictor.predict(embedding, Prompts(points=[(2, 3)], labels=[1]))
    assert answer.masks.shape == (3, 6, 8)
