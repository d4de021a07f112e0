"""What a mask says, and what its neighbours say."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sam.errors import InputError
from napari_sam.inference.mask_prompts import PromptRule, prompts_from
from napari_sam.masks import CroppedMask

SHAPE = (40, 50)


@pytest.fixture
def labels():
    labels = np.zeros(SHAPE, int)
    labels[10:21, 10:31] = 1  # deepest along row 15
    labels[10:21, 33:40] = 2
    labels[25:32, 12:19] = 3
    labels[36:, 45:] = 4
    return labels


def told(labels, **rule):
    nothing = {"mask": False, "box": False}
    patch = CroppedMask.of(labels == 1)
    return prompts_from(patch, PromptRule(**nothing | rule), labels, 1)


def test_mask_and_box(labels):
    prompts = told(labels, mask=True, box=True)
    np.testing.assert_array_equal(prompts.mask, labels == 1)
    assert prompts.box.tolist() == [9.5, 9.5, 20.5, 30.5]
    assert len(prompts.points) == 0


def test_points_inside_lie_apart(labels):
    prompts = told(labels, inside=2)
    assert prompts.labels.tolist() == [1, 1]
    assert prompts.points[:, 0].tolist() == [15, 15]
    assert abs(np.diff(prompts.points[:, 1])) >= 6


def test_a_single_pixel_gives_one_point_however_many_are_wanted():
    labels = np.zeros(SHAPE, int)
    labels[0, 49] = 1
    assert told(labels, inside=3).points.tolist() == [[0, 49]]


def test_points_outside_lie_in_the_nearest_neighbours(labels):
    prompts = told(labels, box=True, outside=2)
    assert prompts.labels.tolist() == [0, 0]
    assert [labels[int(row), int(column)] for row, column in prompts.points] == [2, 3]
    assert len(told(labels, box=True, outside=9).points) == 2  # the fourth is far away


def test_without_neighbours_there_are_no_points_outside(labels):
    alone = np.where(labels == 1, 1, 0)
    assert len(told(alone, box=True, outside=2).points) == 0


@pytest.mark.parametrize("rule", [{"mask": False, "box": False}, {"inside": -1}])
def test_a_rule_must_say_something(rule):
    with pytest.raises(InputError):
        PromptRule(**rule)
