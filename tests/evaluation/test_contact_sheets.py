"""The sheets show what they say."""

import numpy as np

from napari_sam.data.samples import images_from_arrays
from napari_sam.evaluation.contact_sheets import (
    ANSWER,
    CLICK,
    SIDE,
    TRUTH,
    draw,
    random_examples,
    worst_examples,
)
from napari_sam.results import Prediction
from tests.training.conftest import discs


class Everything:
    def embed(self, rgb, contrast):
        return rgb.shape[:2]

    def predict(self, shape, prompts):
        masks = np.zeros((1, *shape), bool)
        masks[0, 60:80, 80:100] = True
        return Prediction(masks, np.ones(1, np.float32), np.zeros((1, 1, 1), np.float32))


def test_the_worst_come_first_and_are_drawn_with_both_outlines():
    (picture,) = images_from_arrays("discs", *discs(0))
    results = [(picture, [{"id": i, "click 1": value} for i, value in ((1, 0.9), (4, 0.1))])]
    examples = worst_examples(results, count=1)
    assert [(e.id, e.iou) for e in examples] == [(4, 0.1)]
    assert {e.id for e in random_examples(results, np.random.default_rng(0))} == {1, 4}
    sheet = np.asarray(draw(Everything(), examples))
    tile = sheet[:SIDE, :SIDE].reshape(-1, 3)
    for colour in (TRUTH, ANSWER, CLICK):
        assert (tile == colour).all(axis=1).any(), colour
    assert not (sheet[:SIDE, SIDE:] != 24).any()  # one tile only
