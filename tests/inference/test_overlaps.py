"""Who gets a pixel that several masks want."""

from __future__ import annotations

import numpy as np

from napari_sam.inference.overlaps import Rank, RankedMask, resolve_overlaps
from napari_sam.masks import CroppedMask


def bar(first, last):
    mask = np.zeros((1, 8), bool)
    mask[0, first:last] = True
    return CroppedMask.of(mask)


def test_rank_comes_before_score_and_score_before_id():
    nan = float("nan")
    found = {
        1: RankedMask(bar(0, 3), 0.9),
        2: RankedMask(bar(2, 5), 0.1, Rank.GIVEN),
        3: RankedMask(bar(4, 7), 0.2, Rank.PROMPTED),
        4: RankedMask(bar(6, 8), 0.9),
        5: RankedMask(bar(0, 1), 0.9),
        6: RankedMask(bar(2, 4), nan, Rank.GIVEN),
    }
    assert resolve_overlaps(found, (1, 8)).tolist() == [[1, 1, 2, 2, 2, 3, 3, 4]]


def test_an_empty_mask_gets_none():
    empty = CroppedMask.of(np.zeros((4, 5), bool))
    assert not resolve_overlaps({1: RankedMask(empty, 0.9)}, (4, 5)).any()
