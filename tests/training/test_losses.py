"""Each loss against a case worked out by hand."""

import math

import pytest
import torch

from napari_sam.training.losses import best_of_three, dice_loss, focal_loss, logits_iou


def logit(p):
    return math.log(p / (1 - p))


def test_focal_loss_of_two_pixels():
    # p = 0.9 on a positive, p = 0.2 on a negative, gamma 2, alpha 0.25
    logits = torch.tensor([logit(0.9), logit(0.2)]).reshape(1, 1, 1, 2)
    target = torch.tensor([1.0, 0.0]).reshape(1, 1, 1, 2)
    by_hand = 0.25 * 0.1**2 * -math.log(0.9) + 0.75 * 0.2**2 * -math.log(0.8)
    loss = focal_loss(logits, target, torch.ones_like(target))
    assert loss.item() == pytest.approx(by_hand / 2, rel=1e-5)


def test_focal_loss_leaves_out_what_has_no_weight():
    logits = torch.tensor([logit(0.9), 5.0]).reshape(1, 1, 1, 2)
    target = torch.tensor([1.0, 0.0]).reshape(1, 1, 1, 2)
    weight = torch.tensor([1.0, 0.0]).reshape(1, 1, 1, 2)
    assert focal_loss(logits, target, weight).item() == pytest.approx(
        0.25 * 0.01 * -math.log(0.9), rel=1e-5
    )


def test_dice_loss_adds_one_above_and_below():
    # probabilities 0.5 0.5, truth 1 0: 1 - (2 * 0.5 + 1) / (1 + 1 + 1)
    logits = torch.zeros(1, 1, 1, 2)
    target = torch.tensor([1.0, 0.0]).reshape(1, 1, 1, 2)
    loss = dice_loss(logits, target, torch.ones_like(target))
    assert loss.item() == pytest.approx(1 - 2 / 3, rel=1e-6)


def test_iou_of_thresholded_logits():
    logits = torch.tensor([[1.0, 1.0], [-1.0, -1.0]]).reshape(1, 1, 2, 2)
    target = torch.tensor([[1.0, 0.0], [1.0, 0.0]]).reshape(1, 1, 2, 2)
    assert logits_iou(logits, target).item() == pytest.approx(1 / 3)


def test_only_the_best_of_three_is_passed_back():
    losses = torch.tensor([[3.0, 1.0, 2.0]], requires_grad=True)
    best = best_of_three(losses)
    best.sum().backward()
    assert best.item() == 1.0
    assert losses.grad.tolist() == [[0.0, 1.0, 0.0]]


def test_a_relaxed_best_passes_a_little_to_the_others():
    losses = torch.tensor([[3.0, 1.0, 2.0]])
    assert best_of_three(losses, 0.05).item() == pytest.approx(0.9 * 1 + 0.05 * 3 + 0.05 * 2)
