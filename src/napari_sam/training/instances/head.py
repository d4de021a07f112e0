"""Targets and loss of the instance head of `cells_tiny`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor
from torch.nn import functional as F

from napari_sam.model.instances.head import REFERENCE_DIAMETER
from napari_sam.training.augment import TrainingCrop

__all__ = ["instance_loss", "instance_targets", "label_edges"]

RIM, DEPTH, SIZE = 3.0, 4.0, 0.5  # weights: of pixels on a rim; of errors in depth and in octaves


def instance_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the loss of `InstanceHead.logits` (B, 4, h, w) against `instance_targets`.

    Two cross-entropies, and the absolute errors of depth and diameter within objects.
    """
    logits = logits.float()  # also where the head computed in half precision
    known, seen = targets[:, 4], targets[:, 5]
    foreground, rim = targets[:, 0], targets[:, 1]
    inside = foreground * known
    # Of a partially labelled picture what the head takes for background stays that, else it would
    # learn that all is foreground.
    learned = known.maximum(seen * (logits[:, 0].detach() < 0))
    cross = F.binary_cross_entropy_with_logits(logits[:, 0], foreground, reduction="none")
    edge = F.binary_cross_entropy_with_logits(logits[:, 1], rim, reduction="none")
    depth = (logits[:, 2].sigmoid() - targets[:, 2]).abs()
    size = (logits[:, 3] - targets[:, 3]).abs()
    return (
        _mean(cross, learned)
        + _mean(edge * (1 + (RIM - 1) * rim), known)
        + _mean(DEPTH * depth + SIZE * size, inside)
    )


def _mean(values: Tensor, where: Tensor) -> Tensor:
    return (values * where).sum() / where.sum().clamp(min=1)


def instance_targets(crop: TrainingCrop, stride: int) -> NDArray[np.float32]:
    """Return foreground, rim, depth, octaves of diameter, known and seen: (6, h, w).

    The rim are an object's outermost pixels; the depth is the distance to the rim as a share of
    the object's largest; octaves are log2 of the diameter over `REFERENCE_DIAMETER`. Of an object
    that the crop cuts, the part that is seen counts. In a partially labelled picture only the
    objects are known; the padding is not seen.
    """
    start = stride // 2
    labels, seen = (a[start::stride, start::stride] for a in (crop.labels, crop.valid))
    known = seen & (labels > 0) if crop.partial else seen
    inside, edges, flat = labels > 0, label_edges(labels), labels.ravel()
    distance = ndimage.distance_transform_edt(~edges) + 1 if edges.any() else np.ones(labels.shape)
    deepest = np.zeros(flat.max() + 1)
    np.maximum.at(deepest, flat, distance.ravel())
    depth = distance / deepest[labels]
    diameter = 2 * stride * np.sqrt(np.maximum(np.bincount(flat), 1) / np.pi)
    octaves = np.log2(diameter / REFERENCE_DIAMETER)[labels]
    parts = inside, inside & edges, depth * inside, octaves * inside, known, seen
    return np.stack(parts).astype(np.float32)


def label_edges(labels: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Return the pixels (h, w) with a 4-connected neighbour of another label."""
    edges = np.zeros(labels.shape, bool)
    down, across = np.diff(labels, axis=0) != 0, np.diff(labels, axis=1) != 0
    edges[:-1] |= down
    edges[1:] |= down
    edges[:, :-1] |= across
    edges[:, 1:] |= across
    return edges
