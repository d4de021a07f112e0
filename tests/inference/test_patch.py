"""Cut masks are the same as whole ones."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sam.inference.overlaps import Found, Rank, settle
from napari_sam.masks import Patch, patches


def random_mask(seed, shape=(17, 23)):
    rng = np.random.default_rng(seed)
    mask = np.zeros(shape, bool)
    row, column = rng.integers(0, 10, 2)
    mask[row : row + 6, column : column + 9] = rng.random((6, 9)) < 0.5
    return mask


@pytest.mark.parametrize("seed", range(5))
def test_a_patch_is_its_mask(seed):
    one, other = random_mask(seed), random_mask(seed + 50)
    patch = Patch.of(one)
    np.testing.assert_array_equal(patch.whole(one.shape), one)
    assert patch.area == one.sum()
    assert patch.overlap(Patch.of(other)) == pytest.approx(
        (one & other).sum() / (one | other).sum()
    )


def test_empty_patches():
    empty = Patch.of(np.zeros((4, 5), bool))
    assert empty.area == 0
    assert not empty.whole((4, 5)).any()
    assert not empty.touches_edge((4, 5))
    assert empty.overlap(empty) == 1
    assert empty.overlap(Patch.of(np.ones((4, 5), bool))) == 0


@pytest.mark.parametrize(
    ("at", "touches"),
    [((0, 3), True), ((3, 0), True), ((5, 3), True), ((3, 7), True), ((1, 1), False)],
)
def test_the_edge(at, touches):
    mask = np.zeros((6, 8), bool)
    mask[at] = True
    assert Patch.of(mask).touches_edge(mask.shape) is touches


def test_what_others_hold_is_cut_off_tightly():
    labels = np.array([[0, 7, 7, 9], [0, 7, 7, 9], [0, 0, 0, 0]])
    mine = Patch.of(np.array([[1, 1, 1, 1], [1, 1, 1, 1], [0, 0, 0, 1]], bool)).among(labels, 9)
    expected = np.array([[1, 0, 0, 1], [1, 0, 0, 1], [0, 0, 0, 1]], bool)
    np.testing.assert_array_equal(mine.whole((3, 4)), expected)
    right = Patch.of(np.array([[0, 1, 1, 1], [0, 0, 0, 0], [0, 0, 0, 0]], bool)).among(labels, 9)
    assert (right.corner, right.mask.shape) == ((0, 3), (1, 1))


def test_all_patches_of_labels():
    labels = np.zeros((9, 9), np.uint32)
    labels[1, 1:4], labels[5:7, 5], labels[8, 8] = 4_000_000_000, 2, 2
    found = patches(labels)
    assert list(found) == [2, 4_000_000_000]
    for id_, patch in found.items():
        np.testing.assert_array_equal(patch.whole(labels.shape), labels == id_)
    assert patches(np.zeros((3, 3), int)) == {}
    assert list(patches(np.ones((3, 3), int))) == [1]


def bar(first, last):
    mask = np.zeros((1, 8), bool)
    mask[0, first:last] = True
    return Patch.of(mask)


def test_rank_comes_before_score_and_score_before_id():
    nan = float("nan")
    found = {
        1: Found(bar(0, 3), 0.9),
        2: Found(bar(2, 5), 0.1, Rank.GIVEN),
        3: Found(bar(4, 7), 0.2, Rank.PROMPTED),
        4: Found(bar(6, 8), 0.9),
        5: Found(bar(0, 1), 0.9),
        6: Found(bar(2, 4), nan, Rank.GIVEN),
    }
    assert settle(found, (1, 8)).tolist() == [[1, 1, 2, 2, 2, 3, 3, 4]]
