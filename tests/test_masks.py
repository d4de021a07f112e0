"""Masks packed in their boxes."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sam.masks import CroppedMask, bounding_box, cropped_masks, without_slivers


@pytest.mark.parametrize("seed", range(10))
def test_there_and_back(seed):
    rng = np.random.default_rng(seed)
    mask = np.zeros((13, 17), bool)
    mask[rng.integers(13), rng.integers(17)] = True
    mask |= rng.random((13, 17)) < rng.choice([0, 0.05, 0.6])
    packed = CroppedMask.of(mask)
    np.testing.assert_array_equal(packed.full(), mask)
    assert packed.area == mask.sum()
    r0, c0, r1, c1 = packed.box
    np.testing.assert_array_equal(packed.crop(), mask[r0:r1, c0:c1])
    other = rng.random((13, 17)) < 0.3
    window = (2, 3, 11, 9)
    left = packed.without(other[2:11, 3:9], window)
    expected = mask.copy()
    expected[2:11, 3:9] &= ~other[2:11, 3:9]
    assert left == CroppedMask.of(expected)
    if other.any():
        assert packed.joined(CroppedMask.of(other)) == CroppedMask.of(mask | other)
    np.testing.assert_array_equal(packed.within(window), mask[2:11, 3:9])
    assert all(packed.has(r, c) == mask[r, c] for r in range(13) for c in range(17))


def test_nothing_is_none():
    assert CroppedMask.of(np.zeros((3, 4), bool)) is None
    whole = CroppedMask.of(np.ones((3, 4), bool))
    assert whole.without(np.ones((3, 4), bool), (0, 0, 3, 4)) is None
    assert bounding_box(np.zeros((3, 4), bool)) is None


def random_mask(seed, shape=(17, 23)):
    rng = np.random.default_rng(seed)
    mask = np.zeros(shape, bool)
    row, column = rng.integers(0, 10, 2)
    mask[row : row + 6, column : column + 9] = rng.random((6, 9)) < 0.5
    return mask


@pytest.mark.parametrize("seed", range(5))
def test_a_cropped_mask_is_its_mask(seed):
    one, other = random_mask(seed), random_mask(seed + 50)
    cropped = CroppedMask.of(one)
    np.testing.assert_array_equal(cropped.full(), one)
    assert cropped.area == one.sum()
    assert cropped.iou(CroppedMask.of(other)) == pytest.approx(
        (one & other).sum() / (one | other).sum()
    )
    assert cropped.iou(cropped) == 1
    (apart,) = cropped_masks(np.eye(17, 23, -16, dtype=int)).values()
    assert cropped.iou(apart) == 0


@pytest.mark.parametrize(
    ("at", "touches"),
    [((0, 3), True), ((3, 0), True), ((5, 3), True), ((3, 7), True), ((1, 1), False)],
)
def test_the_edge(at, touches):
    mask = np.zeros((6, 8), bool)
    mask[at] = True
    assert CroppedMask.of(mask).touches_edge is touches


def test_what_others_hold_is_cut_off_tightly():
    labels = np.array([[0, 7, 7, 9], [0, 7, 7, 9], [0, 0, 0, 0]])
    mask = CroppedMask.of(np.array([[1, 1, 1, 1], [1, 1, 1, 1], [0, 0, 0, 1]], bool))
    expected = np.array([[1, 0, 0, 1], [1, 0, 0, 1], [0, 0, 0, 1]], bool)
    np.testing.assert_array_equal(mask.among(labels, 9).full(), expected)
    right = CroppedMask.of(np.array([[0, 1, 1, 1], [0, 0, 0, 0], [0, 0, 0, 0]], bool))
    right = right.among(labels, 9)
    assert (right.corner, right.size) == ((0, 3), (1, 1))
    taken = CroppedMask.of(np.array([[0, 1, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]], bool))
    assert taken.among(labels, 9) is None


def test_all_masks_of_labels():
    labels = np.zeros((9, 9), np.uint32)
    labels[1, 1:4], labels[5:7, 5], labels[8, 8] = 4_000_000_000, 2, 2
    found = cropped_masks(labels)
    assert list(found) == [2, 4_000_000_000]
    for id_, mask in found.items():
        assert mask == CroppedMask.of(labels == id_)
    assert cropped_masks(np.zeros((3, 3), int)) == {}
    assert list(cropped_masks(np.ones((3, 3), int))) == [1]


class TestSlivers:
    def test_what_is_thinner_than_three_pixels_goes_and_three_stay(self):
        whole = np.ones((20, 20), bool)
        for width, stays in ((1, False), (2, False), (3, True)):
            left = np.zeros_like(whole)
            left[:, 5 : 5 + width] = True
            np.testing.assert_array_equal(without_slivers(left, whole), left & stays)

    def test_a_slanting_band_is_measured_across(self):
        rows, columns = np.indices((30, 30))
        whole = np.ones((30, 30), bool)
        for lines, stays in ((4, False), (5, True)):  # 2.8 and 3.5 pixels thick
            left = (rows - columns >= 0) & (rows - columns < lines)
            assert without_slivers(left, whole)[10:20, 10:20].any() == stays

    def test_what_was_thin_before_stays(self):
        whole = np.zeros((20, 20), bool)
        whole[5:15, 5:15] = whole[9, 15:] = True
        left = whole.copy()
        left[5:15, 5:9] = False
        np.testing.assert_array_equal(without_slivers(left, whole), left)

    def test_a_ragged_edge_stays(self):
        """Where two touch, a gap of a pixel here and there would be nobody's."""
        whole = np.ones((20, 20), bool)
        left = whole.copy()
        left[:, :6] = False
        left[::2, 5] = True
        np.testing.assert_array_equal(without_slivers(left, whole), left)
