"""Scores of whole pictures, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sam.errors import InputError
from napari_sam.evaluation.matching import (
    THRESHOLDS,
    count_matches,
    f1,
    mean_accuracy,
    pairwise_iou,
)


def row(*runs):
    """One row of labels from (label, length) pairs."""
    return np.concatenate([np.full(length, label) for label, length in runs])[None]


def test_thresholds():
    assert THRESHOLDS == (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)


def test_overlaps_of_objects_by_their_ids_in_order():
    truth = row((7, 10), (3, 6), (0, 4))
    found = row((0, 1), (2, 11), (0, 2), (9, 6))
    ious = pairwise_iou(truth, found)  # rows: 3 (columns 10 to 15), 7; columns: 2 (1 to 11), 9
    np.testing.assert_allclose(ious, [[2 / 15, 2 / 10], [9 / 12, 0]])


def test_a_perfect_answer_and_none():
    truth = row((1, 4), (2, 3), (0, 2))
    same = pairwise_iou(truth, 10 * truth)
    assert mean_accuracy(same) == f1(same) == 1
    nothing = pairwise_iou(truth, 0 * truth)
    assert nothing.shape == (2, 0)
    assert mean_accuracy(nothing) == f1(nothing) == 0
    assert mean_accuracy(nothing.T) == f1(nothing.T) == 0
    empty = pairwise_iou(0 * truth, 0 * truth)
    assert mean_accuracy(empty) == f1(empty) == 1


def test_two_good_ones_a_miss_and_a_false_one():
    # 8 of 10 pixels: IoU 0.8, 7 of the 10 thresholds; 6 of 10: 3 of them. Object 3 is missed.
    truth = row((1, 10), (2, 10), (3, 10), (0, 10))
    found = row((1, 8), (0, 2), (2, 6), (0, 14), (4, 10))
    ious = pairwise_iou(truth, found)
    assert [count_matches(ious, t) for t in THRESHOLDS] == [2, 2, 2, 1, 1, 1, 1, 0, 0, 0]
    # two matches: 2 / (2 + 1 + 1) at three thresholds; one: 1 / (1 + 2 + 2) at four
    assert mean_accuracy(ious) == pytest.approx((3 * 2 / 4 + 4 * 1 / 5) / 10)
    assert f1(ious) == pytest.approx(4 / 6)
    assert f1(ious, 0.75) == pytest.approx(2 / 6)


def test_an_object_is_matched_once():
    # an object cut in halves matches one of them, whose IoU is just enough
    ious = pairwise_iou(row((1, 10)), row((1, 5), (2, 5)))
    assert count_matches(ious, 0.5) == 1
    assert f1(ious) == pytest.approx(2 / 3)
    # masks that overlap: the second one must leave the first object to the first one
    both = np.array([[0.9, 0.6], [0.7, 0.0]])
    assert count_matches(both, 0.5) == 2


def test_shapes_must_agree():
    with pytest.raises(InputError, match=r"\(1, 2\) and \(1, 3\)"):
        pairwise_iou(np.zeros((1, 2), int), np.zeros((1, 3), int))
