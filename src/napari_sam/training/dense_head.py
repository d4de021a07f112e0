"""Auxiliary dense head: supervises the encoder with objects, outlines and centre directions.

Three of its four outputs say what a click needs to know: is this pixel in an object, on an outline,
and where is the centre of its object.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from napari_sam.model.config import SamConfig
from napari_sam.model.sam import Features
from napari_sam.training.augment import TrainingCrop

__all__ = ["DenseHead", "dense_targets", "label_edges"]


class DenseHead(nn.Module):
    """Head for object, outline and centre direction, from features of strides 8 and 2."""

    def __init__(self, config: SamConfig) -> None:
        super().__init__()
        self.coarse = nn.Conv2d(config.width, 4, 1)
        self.fine = nn.Conv2d(config.upscale_dims[1], 4, 1)

    def loss(self, features: Features, targets: Tensor) -> Tensor:
        """Return the loss against `dense_targets` (B, 5, h, w) on the grid of the masks."""
        assert features.skips is not None
        # single precision, also where the encoder gave half
        coarse, fine = features.embedding.float(), features.skips[1].float()
        loss = self._loss(self.fine(fine), targets)
        return loss + 0.5 * self._loss(self.coarse(coarse), targets[..., 2::4, 2::4])

    def _loss(self, predicted: Tensor, targets: Tensor) -> Tensor:
        known = targets[:, 4:5]
        inside = targets[:, :1] * known
        cross = F.binary_cross_entropy_with_logits(
            predicted[:, :2], targets[:, :2], reduction="none"
        )
        cross = (cross * known).sum() / known.sum().clamp(min=1)
        direction = F.smooth_l1_loss(predicted[:, 2:], targets[:, 2:4], reduction="none", beta=0.2)
        return 2 * cross + (direction * inside).sum() / inside.sum().clamp(min=1)


def label_edges(labels: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Return the pixels (h, w) with a 4-connected neighbour of another label."""
    edges = np.zeros(labels.shape, bool)
    down, across = np.diff(labels, axis=0) != 0, np.diff(labels, axis=1) != 0
    edges[:-1] |= down
    edges[1:] |= down
    edges[:, :-1] |= across
    edges[:, 1:] |= across
    return edges


def dense_targets(crop: TrainingCrop, stride: int) -> NDArray[np.float32]:
    """Return object, outline, centre direction (y, x in radii) and known: (5, h, w).

    In a partially labelled picture only the objects are known.
    """
    start = stride // 2
    labels, known = (a[start::stride, start::stride] for a in (crop.labels, crop.valid))
    if crop.partial:
        known = known & (labels > 0)
    h, w = labels.shape
    flat, rows, columns = labels.ravel(), *(a.ravel() for a in np.indices((h, w)))
    count = np.maximum(np.bincount(flat), 1)
    radius = np.sqrt(count / np.pi)[flat]
    dy = ((np.bincount(flat, rows) / count)[flat] - rows) / radius
    dx = ((np.bincount(flat, columns) / count)[flat] - columns) / radius
    inside = flat > 0
    parts = (
        inside,
        label_edges(labels).ravel(),
        np.clip(dy, -2, 2) * inside,
        np.clip(dx, -2, 2) * inside,
        known.ravel(),
    )
    return np.stack(parts).astype(np.float32).reshape(5, h, w)
