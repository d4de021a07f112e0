"""Targets and loss of micro-sam's instance decoder (Archit et al. 2025)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from napari_sam.training.augment import TrainingCrop
from napari_sam.training.instances.head import label_edges

__all__ = ["distance_loss", "distance_targets"]

TINY = 1e-7  # keeps sums and distances of nothing from dividing by 0


def distance_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the loss of `UnetrDecoder.logits` (B, 3, h, w) against `distance_targets`.

    A Dice loss of each map; the two distances count within objects, where seeds are looked for.
    """
    maps = logits.float().sigmoid()
    known, seen = targets[:, 3], targets[:, 4]
    inside = targets[:, 0] * known
    # Of a partially labelled picture what the decoder takes for background stays that.
    learned = known.maximum(seen * (maps[:, 0].detach() < 0.5))
    return (
        _dice_loss(maps[:, 0] * learned, inside)
        + _dice_loss(maps[:, 1] * inside, targets[:, 1] * inside)
        + _dice_loss(maps[:, 2] * inside, targets[:, 2] * inside)
    )


def _dice_loss(found: Tensor, truth: Tensor) -> Tensor:
    """Return 1 - Dice of maps (B, h, w) with values 0..1; 0 if they are equal."""
    overlap, both = (found * truth).sum(), found.square().sum() + truth.square().sum()
    return 1 - (2 * overlap + TINY) / (both + TINY)


def distance_targets(crop: TrainingCrop, stride: int) -> NDArray[np.float32]:
    """Return foreground, centre and boundary distance, known and seen: (5, h, w).

    Both distances are shares of the object's largest: 0 at the centre, which is its centroid, or
    its deepest point if that lies outside; and 0 at the deepest point, 1 at the rim. Both are 1
    outside. In a partially labelled picture only the objects are known; the padding is not seen.
    """
    start = stride // 2
    labels, seen = (a[start::stride, start::stride] for a in (crop.labels, crop.valid))
    known = seen & (labels > 0) if crop.partial else seen
    inside, flat = labels > 0, labels.ravel()
    count = int(flat.max()) + 1
    edges = label_edges(labels)
    depth = ndimage.distance_transform_edt(~edges) if edges.any() else np.ones(labels.shape)
    rows, columns = _centres(labels, depth)
    y, x = np.indices(labels.shape)
    centre = np.hypot(y - rows[labels], x - columns[labels])
    farthest, deepest = np.zeros(count), np.zeros(count)
    np.maximum.at(farthest, flat, centre.ravel())
    np.maximum.at(deepest, flat, depth.ravel())
    centre = np.where(inside, centre / (farthest + TINY)[labels], 1)
    boundary = np.where(inside, 1 - (depth + TINY) / (deepest + TINY)[labels], 1)
    return np.stack([inside, centre, boundary, known, seen]).astype(np.float32)


def _centres(
    labels: NDArray[np.int32], depth: NDArray[np.floating]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return row and column of each label's centre, (n + 1,) each."""
    flat, count = labels.ravel(), int(labels.max()) + 1
    areas = np.maximum(np.bincount(flat, minlength=count), 1)
    y, x = (axis.ravel() for axis in np.indices(labels.shape))
    rows, columns = (
        np.rint(np.bincount(flat, axis, count) / areas).astype(np.int64) for axis in (y, x)
    )
    outside = labels[rows, columns] != np.arange(count)
    order = np.lexsort((depth.ravel(), flat))  # of each label the deepest pixel comes last
    deepest = order[np.maximum(np.cumsum(np.bincount(flat, minlength=count)) - 1, 0)]
    rows[outside], columns[outside] = y[deepest[outside]], x[deepest[outside]]
    return rows, columns
