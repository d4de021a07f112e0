"""Rounds, targets and the loss of one crop, by hand."""

import dataclasses

import numpy as np
import pytest
import torch

from napari_sam.training import rounds
from napari_sam.training.augment import TrainingCrop
from napari_sam.training.recipe import Recipe
from napari_sam.training.rounds import (
    area_fractions,
    box_weight,
    interactive_rounds,
    round_loss,
    trainable_objects,
)
from napari_sam.training.simulated_prompts import corrections, next_clicks
from napari_sam.training.views import batch_pixels


def crop_of(labels):
    rgb = np.repeat((labels[..., None] > 0) * 200, 3, axis=2).astype(np.uint8)
    return TrainingCrop(rgb, labels.astype(np.int32), np.ones(labels.shape, bool))


def test_eleven_rounds_are_one_prompt_eight_clicks_and_two_without():
    places = set()
    for seed in range(60):
        turns = corrections(8, np.random.default_rng(seed))
        assert len(turns) == 10
        assert turns.count(True) == 8
        assert turns[-1] is False
        places.add(turns.index(False))
    assert places == set(range(9))  # anywhere among the clicks


def test_a_crop_is_prompted_as_often_as_the_recipe_says(model):
    labels = np.zeros((64, 64), np.int32)
    labels[10:40, 10:40] = 1
    crop = crop_of(labels)
    recipe = Recipe(pictures=1, clicks=(8,), nothing=0)
    with torch.no_grad():
        features = model.eval().encode(batch_pixels([crop], model.device))
    kinds = [
        turn.kind
        for turn in interactive_rounds(
            model, features, [crop], recipe, 1.0, np.random.default_rng(0)
        )
    ]
    assert len(kinds) == 11
    assert kinds[0] in ("click", "box", "mask")
    assert set(kinds[1:]) == {"correction"}
    assert model.mask_decoder.mask_tokens.weight.grad is not None


def test_each_of_the_crops_decoded_together_gets_its_gradient(model):
    labels = np.zeros((64, 64), np.int32)
    labels[10:40, 10:40] = 1
    crop = crop_of(labels)
    recipe = Recipe(pictures=2, clicks=(0,), nothing=0)
    grads = []
    for crops in ([crop], [crop, crop]):
        model.eval().zero_grad()
        features = model.encode(batch_pixels(crops, model.device))
        leaf = features.embedding.detach().requires_grad_()
        rng = np.random.default_rng(3)
        turns = list(
            interactive_rounds(model, features._replace(embedding=leaf), crops, recipe, 1.0, rng)
        )
        assert len(turns) == 1
        grads.append(leaf.grad)
    assert grads[1].shape[0] == 2
    assert all(float(part.abs().sum()) > 0 for part in grads[1])


@pytest.mark.parametrize("partial", [False, True])
def test_clicks_on_nothing_teach_the_score_alone(model, partial):
    labels = np.zeros((64, 64), np.int32)
    labels[10:40, 10:40] = 1
    crop = dataclasses.replace(crop_of(labels), partial=partial)
    recipe = Recipe(pictures=1, clicks=(0,), nothing=1)
    with torch.no_grad():
        features = model.eval().encode(batch_pixels([crop], model.device))
    seen = set()
    for seed in range(8):
        model.zero_grad()
        turns = interactive_rounds(
            model, features, [crop], recipe, 1.0, np.random.default_rng(seed)
        )
        first = next(turns)
        before = model.mask_decoder.output_hypernetworks_mlps[0].layers[0].weight.grad.clone()
        score = model.mask_decoder.iou_prediction_head.layers[0].weight.grad.clone()
        later = list(turns)
        # The padding and what nobody labelled are not known to hold nothing.
        clicked = first.kind == "click" and not partial
        assert [turn.kind for turn in later] == ["nothing"] * clicked
        after = model.mask_decoder.output_hypernetworks_mlps[0].layers[0].weight.grad
        assert torch.equal(before, after)
        assert torch.equal(score, model.mask_decoder.iou_prediction_head.layers[0].weight.grad) == (
            not clicked
        )
        seen.add(first.kind)
    assert "click" in seen


def test_a_first_answer_that_holds_the_neighbour_calls_for_an_exclude_click(model, monkeypatch):
    labels = np.zeros((64, 64), np.int32)
    labels[16:48, 8:32] = 1
    labels[16:48, 32:60] = 2
    crop = crop_of(labels)
    recipe = Recipe(pictures=1, objects=1, clicks=(1,), merged=1, nothing=0)
    with torch.no_grad():
        features = model.eval().encode(batch_pixels([crop], model.device))
    asked = []
    monkeypatch.setattr(
        rounds, "next_clicks", lambda *a: asked.append(next_clicks(*a)) or asked[-1]
    )
    for seed in range(8):
        list(interactive_rounds(model, features, [crop], recipe, 1.0, np.random.default_rng(seed)))
    labels_asked = [int(kind) for _, kinds in asked for kind in kinds]
    assert 0 in labels_asked


def test_cells_carry_the_covered_share():
    mask = np.zeros((4, 4), bool)
    mask[0, 0] = mask[2:, 2:] = True
    assert area_fractions(mask, 2).tolist() == [[0.25, 0], [0, 1]]


def test_objects_too_small_too_large_or_too_thin_are_left_out():
    labels = np.zeros((64, 64), np.int32)
    labels[:50, :50] = 1  # 61 % of the crop
    labels[52:60, 52:60] = 2
    labels[62, :] = 3  # one pixel wide: covers no cell by half... 64 pixels
    labels[56:59, 2:5] = 4  # nine pixels
    assert trainable_objects(crop_of(labels), 2).tolist() == [2]


def test_the_focal_weight_covers_the_box_enlarged_three_times():
    mask = np.zeros((12, 12), bool)
    mask[4:6, 0:3] = True
    weight = box_weight(mask)
    assert weight[2:8, 0:6].all()
    assert weight.sum() == 6 * 6


def test_the_objective_of_a_lone_click_by_hand():
    """One pixel, logits 0: p = 0.5; focal 0.5 * 0.25 * ln 2, dice 1 - 2 / 2.5."""
    logits = torch.tensor([0.0, 0.0, 20.0, -20.0]).reshape(1, 4, 1, 1).requires_grad_()
    target = torch.ones(1, 1, 1, 1)
    predicted = torch.tensor([[0.5, 0.2, 0.7, 0.1]])
    loss, actual = round_loss(logits, predicted, target, target, is_lone_point=True, ramp=1.0)
    focal, dice = 0.5 * 0.25 * np.log(2), 1 - 2 / 2.5
    # mask 0 is wrong (0 is not above 0); of the others mask 2 is perfect and costs nothing
    squared = 0.5**2 + 0.2**2 + 0.3**2 + 0.1**2
    assert loss.item() == pytest.approx(20 * focal + dice + squared, abs=1e-4)
    assert actual.item() == 1.0  # mask 2 has the best prediction
    loss.backward()
    assert logits.grad[0, 3].item() == 0  # the worst candidate learns nothing
    assert logits.grad[0, 0].item() != 0


def test_any_other_prompt_trains_mask_zero_alone():
    logits = torch.zeros(1, 4, 1, 1).requires_grad_()
    target = torch.ones(1, 1, 1, 1)
    loss, actual = round_loss(
        logits, torch.zeros(1, 4), target, target, is_lone_point=False, ramp=0.0
    )
    loss.backward()
    assert (logits.grad[0, 1:] == 0).all()
    assert actual.item() == 0.0
    assert loss.item() == pytest.approx(0.75 * 0.25 * np.log(2) + 1 - 2 / 2.5, abs=1e-5)
