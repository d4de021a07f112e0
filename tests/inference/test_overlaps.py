"""Who gets a pixel that several masks want."""

from __future__ import annotations

import numpy as np

from napari_sam.inference.overlaps import Rank, RankedMask, left_by_others, resolve_overlaps
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


def square(row, column, side):
    mask = np.zeros((30, 30), bool)
    mask[row : row + side, column : column + side] = True
    return CroppedMask.of(mask)


def test_of_a_mask_mostly_under_others_nothing_is_left_and_those_below_have_its_pixels():
    top, covered, below = square(0, 0, 12), square(4, 4, 10), square(10, 10, 10)
    found = {1: RankedMask(top, 0.9), 2: RankedMask(covered, 0.8), 3: RankedMask(below, 0.7)}
    labels = resolve_overlaps(found, (30, 30))
    assert set(np.unique(labels)) == {0, 1, 3}
    assert (labels == 3).sum() == 100 - 4
    assert left_by_others(found[2], labels, 2) is None
    assert left_by_others(found[3], labels, 3).area == 96


def test_slivers_are_left_out_but_not_of_given_masks():
    first, second = square(0, 0, 10), square(0, 0, 12)
    wide = second.joined(square(0, 12, 12))
    followed = {1: RankedMask(first, 0.9), 2: RankedMask(wide, 0.8)}
    labels = resolve_overlaps(followed, (30, 30))
    assert (labels[:12, 10:24] == 2).all()
    assert (labels[11, :9] == 0).all()
    given = {1: RankedMask(first, 0.9, Rank.GIVEN), 2: RankedMask(wide, np.nan, Rank.GIVEN)}
    assert (resolve_overlaps(given, (30, 30)) > 0).sum() == wide.area
    half = {1: RankedMask(first, 0.9, Rank.GIVEN), 2: RankedMask(second, np.nan, Rank.GIVEN)}
    labels = resolve_overlaps(half, (30, 30))
    assert left_by_others(half[2], labels, 2).area == (labels == 2).sum() == 44
