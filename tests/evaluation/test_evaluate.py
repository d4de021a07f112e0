"""Clicks, drawings and scores on objects small enough to check by eye."""

import numpy as np
import pytest

from napari_sam.data.deepest import deepest_point
from napari_sam.data.samples import evenly_spaced, images_from_arrays
from napari_sam.evaluation.evaluate import correcting_click, evaluate
from napari_sam.results import Prediction
from tests.training.conftest import discs


class Half:
    """Answers with the truth's left half at first, then with what the clicks have corrected."""

    def __init__(self, truth):
        self.truth = truth
        self.asked = []

    class config:
        mask_stride = 2

    def embed(self, rgb, contrast):
        assert contrast == (0, 255)
        shape = rgb.shape[:2]
        return type("E", (), {"shape": shape, "levels": [type("L", (), {"shape": shape})]})

    def predict_batch(self, embedding, prompts):
        self.asked.append(list(prompts))
        return [self.answer(one) for one in prompts]

    def answer(self, one):
        at = np.asarray(one.points[0] if len(one.points) else np.reshape(one.box, (2, 2)).mean(0))
        truth = self.truth == self.truth[tuple(np.round(at).astype(int))]
        mask = truth.copy()
        if len(one.points) == 1:
            mask[:, int(at[1]) :] = False
        count = 3 if one.is_lone_point else 1
        masks = np.stack([mask, truth, truth][:count])
        return Prediction(masks, np.full(count, 0.5, np.float32), np.zeros((count, 48, 60)))


@pytest.fixture
def scored():
    image, labels = discs(0)
    (picture,) = images_from_arrays("discs", image, labels)
    model = Half(picture.labels)
    ((same, rows),) = evaluate(model, [picture])
    assert same is picture
    return model, rows


def test_every_object_is_scored_with_every_measure(scored):
    _, rows = scored
    assert [row["id"] for row in rows] == [1, 2, 3, 4]
    for row in rows:
        assert 0.4 < row["click 1"] < 0.52  # the left half, without the middle column
        assert row["click 2"] == row["click 8"] == row["best of 3"] == row["box"] == 1
        assert row["score 1"] == row["score 3"] == row["score box"] == 0.5
        assert row["disc"] > 0.9  # discs of one size, drawn as discs of one size
        assert row["ellipse"] > 0.9
        assert row["lost"] == 0


def test_a_perfect_mask_gets_no_further_click_and_logits_are_fed_back(scored):
    model, _ = scored
    clicks = [[len(one.points) for one in prompts] for prompts in model.asked]
    assert clicks == [[1] * 4, [0] * 4, [2] * 4, *([[]] * 6)]  # first, box, second, then nothing
    for one in model.asked[2]:
        assert one.mask.shape == (48, 60)
        assert one.labels.tolist() == [1, 1]  # the right half was missed


def test_at_most_so_many_objects_evenly_spaced():
    assert evenly_spaced(10, 3).tolist() == [0, 4, 9]
    assert evenly_spaced(2, 5).tolist() == [0, 1]
    assert evenly_spaced(3, None).tolist() == [0, 1, 2]


def test_a_false_alarm_gets_a_background_click():
    truth = np.zeros((20, 20), bool)
    mask = truth.copy()
    truth[2:5, 2:5] = mask[2:5, 2:5] = True
    mask[10:17, 8:15] = True  # seven wide
    mask[3, 3] = False  # a small miss
    assert correcting_click(truth, mask) == ((13, 11), 0)


def test_the_deepest_point_of_a_crescent_is_in_it():
    y, x = np.ogrid[:60, :60]
    crescent = ((y - 30) ** 2 + (x - 30) ** 2 < 28**2) & ~((y - 30) ** 2 + (x - 42) ** 2 < 26**2)
    assert crescent[deepest_point(crescent)]
