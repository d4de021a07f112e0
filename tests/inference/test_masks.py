"""Only what the prompts speak of is kept."""

import numpy as np
import pytest

from napari_sam.inference.masks import keep_prompted
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
