"""F1 of what the maps show, and which weights a run keeps."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_sam.data.samples import images_from_arrays
from napari_sam.inference.automatic.instances.instance import Instance
from napari_sam.masks import CroppedMask
from napari_sam.training.validation import BestWeights, Validation
from tests.training.conftest import discs


@pytest.fixture
def finds_all_four(monkeypatch):
    """Whatever the maps, the instances are the drawn discs."""
    labels = discs(0)[1]
    found = [
        Instance(CroppedMask.of(labels == i, (0, 0), labels.shape), 1.0, (0, 0))
        for i in range(1, 5)
    ]
    where = "napari_sam.training.validation"
    monkeypatch.setattr(f"{where}.find_instances", lambda maps, settings, rating: found)


def test_everything_is_f1_of_the_instances(model, finds_all_four):
    [picture] = images_from_arrays("p", *discs(0))
    assert Validation(model, [picture], True).everything() == 1
    two = np.where(picture.labels > 2, 0, picture.labels)
    [half] = images_from_arrays("half", picture.rgb, two)
    expected = 2 * 2 / (2 + 4)
    assert Validation(model, [half], True).everything() == pytest.approx(expected)
    both = Validation(model, [picture, half], True).everything()
    assert both == pytest.approx((1 + expected) / 2)


def test_what_nobody_labelled_is_not_held_against_it(model, finds_all_four):
    image, labels = discs(0)
    [picture] = images_from_arrays("p", image, np.where(labels > 2, 0, labels), partial=True)
    assert picture.partial
    assert Validation(model, [picture], True).everything() == 1
    [whole] = images_from_arrays("p", image, np.where(labels > 2, 0, labels))
    assert Validation(model, [replace(whole, partial=False)], True).everything() < 1


def weights(value):
    return {"mask_decoder.a": torch.tensor(value), "instance_decoder.b": torch.tensor(value)}


def values(best):
    return [float(value) for value in best.weights.values()]


def test_parts_that_share_nothing_are_kept_at_their_own_best():
    best = BestWeights(weights(0.0), apart=True)
    best.take(weights(1.0), 0.5, 0.2)
    assert values(best) == [1, 1]
    best.take(weights(2.0), 0.4, 0.3)
    assert values(best) == [1, 2]
    assert best.waited == 0
    best.take(weights(3.0), 0.5, 0.3)
    assert values(best) == [1, 2]
    assert best.waited == 1
    best.take(weights(4.0), 0.6, 0.1)
    assert values(best) == [4, 2]
    assert best.waited == 0


def test_weights_over_one_encoder_are_kept_by_the_mean_of_both_scores():
    best = BestWeights(weights(0.0), apart=False)
    best.take(weights(1.0), 0.5, 0.2)
    best.take(weights(2.0), 0.4, 0.5)
    assert values(best) == [2, 2]
    best.take(weights(3.0), 0.6, 0.2)
    assert values(best) == [2, 2]
    assert best.waited == 1


def test_without_an_instance_decoder_the_click_decides():
    best = BestWeights({"mask_decoder.a": torch.tensor(0.0)}, apart=True)
    best.take({"mask_decoder.a": torch.tensor(1.0)}, 0.5, None)
    best.take({"mask_decoder.a": torch.tensor(2.0)}, 0.4, None)
    assert values(best) == [1]
    assert best.waited == 1
