"""What is left out of what was drawn, and what is said about it."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sam.widgets.drawn import read_prompts

NONE = np.empty((0, 3))
PLANE = (5, None, None)


def corners(y0, x0, y1, x1):
    return np.array([(5, y0, x0), (5, y0, x1), (5, y1, x1), (5, y1, x0)], float)


def test_points_and_box_in_pixels_of_the_plane():
    drawn = read_prompts(
        PLANE,
        (40, 60),
        np.array([(5, 1.5, 2.5), (5, 3, 4)]),
        ["include", "exclude"],
        [corners(20, 30, 10, 5)],
    )
    assert drawn == (PLANE, [(1.5, 2.5), (3, 4)], [1, 0], (10, 5, 20, 30), "")


@pytest.mark.parametrize(
    ("box", "kept", "word"),
    [
        ((-4, 5, 20, 30), (-0.5, 5, 20, 30), "trimmed"),
        ((45, 5, 60, 30), None, "outside"),
        ((10, 10, 11, 11), None, "drag"),
    ],
)
def test_boxes_that_need_a_word(box, kept, word):
    drawn = read_prompts(PLANE, (40, 60), NONE, [], [corners(*box)])
    assert drawn.box == kept
    assert word in drawn.remark


@pytest.mark.parametrize(
    ("point", "polarity", "word"),
    [((5, 41, 3), "include", "outside"), ((5, 4, 3), "perhaps", "perhaps")],
)
def test_points_that_need_a_word(point, polarity, word):
    drawn = read_prompts(PLANE, (40, 60), np.array([point]), [polarity], [])
    assert drawn.points == drawn.labels == []
    assert word in drawn.remark
