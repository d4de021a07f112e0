"""Losses of the SAM paper (appendix A): focal and dice for masks, squared error for the IoU."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["best_of_three", "dice_loss", "focal_loss", "logits_iou"]


def focal_loss(
    logits: Tensor, target: Tensor, weight: Tensor, alpha: float = 0.25, gamma: float = 2.0
) -> Tensor:
    """Return the focal loss per mask, (B, C), averaged over pixels weighted by `weight`.

    Parameters
    ----------
    logits : (B, C, h, w) float
    target, weight : (B, 1, h, w) float
        0 to 1; and 1 where a pixel counts, 0 elsewhere.
    alpha, gamma : float
        Share of the positive pixels; focus on wrong ones.
    """
    target = target.expand_as(logits)
    cross_entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    p = logits.sigmoid()
    miss = p + target - 2 * p * target  # 1 - probability of the right answer
    balance = alpha * target + (1 - alpha) * (1 - target)
    loss = balance * miss**gamma * cross_entropy * weight
    return loss.sum((-2, -1)) / weight.sum((-2, -1)).clamp(min=1)


def dice_loss(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Return the dice loss of the probabilities, smoothed by 1: (B, C)."""
    p = logits.sigmoid() * weight
    target = target * weight
    overlap = (p * target).sum((-2, -1))
    return 1 - (2 * overlap + 1) / (p.sum((-2, -1)) + target.sum((-2, -1)) + 1)


def logits_iou(logits: Tensor, target: Tensor) -> Tensor:
    """Return the IoU of thresholded logits (B, C, h, w) with a target (B, 1, h, w): (B, C)."""
    mask, true = logits > 0, target > 0.5
    union = (mask | true).sum((-2, -1))
    return (mask & true).sum((-2, -1)) / union.clamp(min=1)


def best_of_three(losses: Tensor, others_weight: float = 0.0) -> Tensor:
    """Return the lowest loss of three masks, (B, 3) to (B,); only it is backpropagated.

    The two others count by `others_weight` each; it is above zero only to start a training.
    """
    share = torch.full_like(losses, others_weight)
    share.scatter_(1, losses.detach().argmin(dim=1, keepdim=True), 1 - 2 * others_weight)
    return (losses * share).sum(dim=1)
