"""Of proposals that are the same object the best one stays."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sam.inference.automatic.nms import nms
from napari_sam.results import Proposal

IMAGE = np.zeros((40, 50))


def proposal(mask, score=0.5):
    return Proposal.of(mask, IMAGE, score=score, stability=1, point=(0, 0))


def random_masks(seed, count=30):
    rng = np.random.default_rng(seed)
    rows, columns = np.indices(IMAGE.shape)
    for _ in range(count):
        row, column, radius = rng.uniform(10, 20), rng.uniform(10, 25), rng.uniform(6, 12)
        yield (rows - row) ** 2 + (columns - column) ** 2 < radius**2


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("most", [0.3, 0.7, 1.0])
def test_masks_as_worked_out_one_by_one(seed, most):
    masks = list(random_masks(seed))
    ranks = np.random.default_rng(seed).random(len(masks))
    kept: list[int] = []
    for i in np.argsort(-ranks):
        ious = [(masks[i] & masks[j]).sum() / (masks[i] | masks[j]).sum() for j in kept]
        if all(iou <= most for iou in ious):
            kept.append(int(i))
    assert nms([proposal(mask) for mask in masks], ranks, "mask", most) == kept
    assert len(kept) < len(masks) or most == 1.0


def test_two_objects_in_one_box():
    corner = np.tri(40, 50, dtype=bool)
    both = [proposal(corner), proposal(~corner)]
    assert nms(both, [0.5, 0.6], "box", 0.7) == [1]
    assert nms(both, [0.5, 0.6], "mask", 0.7) == [1, 0]


def test_of_equal_ones_the_first_stays():
    mask = np.ones((40, 50), bool)
    assert nms([proposal(mask)] * 3, [0.5, 0.5, 0.5], "mask", 0.7) == [0]
    assert nms([], [], "mask", 0.7) == []
