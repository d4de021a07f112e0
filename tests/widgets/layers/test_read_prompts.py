"""What is left out of what was drawn, and what is said about it."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sam.widgets.layers.read_prompts import AreaPrompt, Shape, read_prompts
from tests.widgets.conftest import rectangle

NONE = np.empty((0, 3)), []
PLANE = (5, None, None)


def corners(y0, x0, y1, x1):
    return Shape("rectangle", np.insert(rectangle(y0, x0, y1, x1), 0, 5, axis=1))


def test_points_and_box_in_pixels_of_the_plane():
    drawn = read_prompts(
        PLANE,
        (40, 60),
        (np.array([(5, 1.5, 2.5), (5, 3, 4)]), ["include", "exclude"]),
        AreaPrompt(None),
        [corners(20, 30, 10, 5)],
    )
    box = AreaPrompt((10, 5, 20, 30))
    assert drawn == (PLANE, [(1.5, 2.5), (3, 4)], [1, 0], box, [], "")


@pytest.mark.parametrize(
    ("box", "kept", "word"),
    [
        ((-4, 5, 20, 30), (-0.5, 5, 20, 30), "trimmed"),
        ((45, 5, 60, 30), None, "outside"),
        ((10, 10, 11, 11), None, "drag"),
    ],
)
def test_boxes_that_need_a_word(box, kept, word):
    drawn = read_prompts(PLANE, (40, 60), NONE, AreaPrompt(None), [corners(*box)])
    assert drawn.area.box == kept
    assert word in drawn.remark


@pytest.mark.parametrize(
    ("point", "polarity", "word"),
    [((5, 41, 3), "include", "outside"), ((5, 4, 3), "perhaps", "perhaps")],
)
def test_points_that_need_a_word(point, polarity, word):
    drawn = read_prompts(PLANE, (40, 60), (np.array([point]), [polarity]), AreaPrompt(None), [])
    assert drawn.points == drawn.labels == []
    assert word in drawn.remark


def test_an_outline_is_a_box_and_a_mask():
    diamond = Shape(
        "polygon", np.array([(5, 10, 20), (5, 20, 30), (5, 30, 20), (5, 20, 10)], float)
    )
    area = read_prompts(PLANE, (40, 60), NONE, AreaPrompt(None), [diamond]).area
    mask = area.mask.full()
    assert mask[20, 20]
    assert mask[20, 12]
    assert not mask[11, 11]
    rows, columns = np.nonzero(mask)
    assert area.box == (
        rows.min() - 0.5,
        columns.min() - 0.5,
        rows.max() + 0.5,
        columns.max() + 0.5,
    )
    assert mask.sum() == pytest.approx(200, abs=25)


@pytest.mark.parametrize("turned", [0, 1])
def test_an_ellipse_fills_its_corners(turned):
    corners = np.roll([(5, 10, 10), (5, 10, 40), (5, 20, 40), (5, 20, 10)], turned, axis=0)
    mask = read_prompts(
        PLANE, (40, 60), NONE, AreaPrompt(None), [Shape("ellipse", corners.astype(float))]
    ).area.mask.full()
    assert mask.sum() == pytest.approx(np.pi * 5 * 15, rel=0.06)
    assert mask[15, 12]
    assert not mask[11, 12]


@pytest.mark.parametrize(
    ("kind", "vertices", "word"),
    [
        ("polygon", [(-5, 10), (15, 30), (30, 10)], "trimmed"),
        ("ellipse", rectangle(60, 10, 70, 20), "outside"),
        ("polygon", [(10, 10), (10.4, 10.4), (10, 10.8)], "drag"),
        ("polygon", [(10.2, 10.4), (13.2, 13.4), (13.3, 13.6)], "no pixel"),
    ],
)
def test_outlines_that_need_a_word(kind, vertices, word):
    full = np.array([(5, *at) for at in vertices], float)
    drawn = read_prompts(PLANE, (40, 60), NONE, AreaPrompt(None), [Shape(kind, full)])
    assert word in drawn.remark
    assert (drawn.area.mask is None) == (word != "trimmed")


def test_a_scribble_is_a_few_points_of_its_polarity():
    line = Shape("path", np.array([(5, 10, 5), (5, 10, 25), (5, 30, 25)], float))
    drawn = read_prompts(PLANE, (40, 60), NONE, AreaPrompt(None), [line], "exclude")
    assert 2 <= len(drawn.points) <= 6
    assert set(drawn.labels) == {0}
    assert all(row == 10 or column == 25 for row, column in drawn.points)
    assert drawn.area == (None, None, None)


def test_the_new_area_takes_the_place_of_the_old_one_unless_there_are_several():
    held = AreaPrompt((1, 1, 9, 9))
    new = [corners(10, 10, 20, 20), corners(20, 30, 30, 40)]
    one = read_prompts(PLANE, (40, 60), NONE, held, new[:1])
    assert one.area.box == (10, 10, 20, 20)
    assert "took the place" in one.remark
    both = read_prompts(PLANE, (40, 60), NONE, held, new)
    assert both.area is held
    assert [area.box for area in both.separate] == [(10, 10, 20, 20), (20, 30, 30, 40)]
    alone = read_prompts(PLANE, (40, 60), NONE, held, new[:1], each=True)
    assert alone.area is held
    assert [area.box for area in alone.separate] == [(10, 10, 20, 20)]
