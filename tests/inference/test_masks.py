"""Only what the prompts speak of is kept."""

import numpy as np
import pytest

from napari_sam.inference.masks import keep_prompted, without_specks
from napari_sam.prompts import Prompts


@pytest.fixture
def two_parts():
    mask = np.zeros((20, 30), bool)
    mask[2:5, 3:6] = True
    mask[10:18, 12:25] = True
    return mask


def test_the_part_under_the_click_stays(two_parts):
    kept = keep_prompted(two_parts, Prompts([(3, 4), (0, 0)], [1, 0]))
    assert kept.sum() == 9
    assert kept[3, 4]


def test_parts_under_several_clicks_stay(two_parts):
    kept = keep_prompted(two_parts, Prompts([(3, 4), (12, 14)], [1, 1]))
    np.testing.assert_array_equal(kept, two_parts)


def test_a_click_beside_the_mask_changes_nothing(two_parts):
    kept = keep_prompted(two_parts, Prompts([(19.5, 29.5)], [1]))
    np.testing.assert_array_equal(kept, two_parts)


def test_a_box_keeps_the_largest_part(two_parts):
    kept = keep_prompted(two_parts, Prompts(box=(0, 0, 19, 29)))
    assert kept.sum() == 8 * 13


def test_a_mask_prompt_changes_nothing(two_parts):
    kept = keep_prompted(two_parts, Prompts(mask=two_parts))
    np.testing.assert_array_equal(kept, two_parts)


def test_an_empty_mask_stays_empty():
    empty = np.zeros((5, 5), bool)
    assert not keep_prompted(empty, Prompts([(2, 2)], [1])).any()


def test_specks_by_their_share_or_by_their_pixels():
    mask = np.zeros((30, 30), bool)
    mask[2:22, 2:22] = True
    mask[5:8, 5:8] = False  # a hole of 9 pixels
    mask[25:28, 25:28] = True  # an island of 9
    cleaned = without_specks(mask, 10)
    assert cleaned[5:8, 5:8].all()
    assert not cleaned[25:28, 25:28].any()
    np.testing.assert_array_equal(cleaned, without_specks(mask, 0.03))  # 12 of 400 pixels
    np.testing.assert_array_equal(mask, without_specks(mask, 9))
    np.testing.assert_array_equal(mask, without_specks(mask, 0.02))


def test_the_largest_part_stays_and_the_background_is_no_hole():
    mask = np.zeros((9, 9), bool)
    mask[1, 1] = mask[7, 6:8] = True
    cleaned = without_specks(mask, 50)
    assert cleaned.sum() == 2
    assert cleaned[7, 6]
    ring = np.ones((5, 5), bool)
    ring[0, 2] = ring[2, 2] = False  # a notch in the rim is background, however small
    assert without_specks(ring, 5).sum() == 24


def test_pixels_that_touch_at_a_corner_are_one_part():
    mask = np.eye(6, dtype=bool)
    np.testing.assert_array_equal(without_specks(mask, 4), mask)
