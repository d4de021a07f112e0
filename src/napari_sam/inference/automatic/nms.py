"""Non-maximum suppression: of proposals that overlap too much, keep the best one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_sam.results import Proposal

__all__ = ["nms"]


def nms(
    proposals: Sequence[Proposal],
    ranks: Sequence[float],
    overlap: Literal["mask", "box"],
    max_overlap: float,
) -> list[int]:
    """Apply non-maximum suppression; return the indices that are kept, the highest rank first.

    Of equal ones the first comes first.

    Parameters
    ----------
    proposals : sequence of Proposal
        Of one picture.
    ranks : sequence of float
        What to prefer: the higher one stays.
    overlap : {"mask", "box"}
        Of what the IoU is taken.
    max_overlap : float
        IoU above which two are the same.
    """
    boxes = np.array([one.cropped.box for one in proposals], float)
    areas = np.array([one.area for one in proposals], float)
    alive = np.ones(len(proposals), bool)
    kept = []
    for i in np.argsort(-np.asarray(ranks, float), kind="stable").tolist():
        if not alive[i]:
            continue
        kept.append(i)
        alive[i] = False
        rivals = np.flatnonzero(alive)
        shared = _shared(boxes[i], boxes[rivals])
        if overlap == "box":
            either = _sizes(boxes[i : i + 1]) + _sizes(boxes[rivals]) - shared
            alive[rivals[shared > max_overlap * either]] = False
        else:
            # Masks share no more than their boxes do, and no more than the smaller one has.
            at_most = np.minimum(shared, np.minimum(areas[i], areas[rivals]))
            possible = at_most > max_overlap * np.maximum(areas[i], areas[rivals])
            for j in rivals[possible].tolist():
                both = proposals[i].cropped.common(proposals[j].cropped)
                alive[j] = both <= max_overlap * (areas[i] + areas[j] - both)
    return kept


def _shared(box: NDArray[np.float64], boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the pixels that a box shares with each of N."""
    low, high = np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:], boxes[:, 2:])
    return np.asarray(np.clip(high - low, 0, None).prod(axis=1))


def _sizes(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray((boxes[:, 2:] - boxes[:, :2]).prod(axis=1))
