"""Whether a mask does what each click says, and how it is cut or joined."""

import numpy as np
import pytest

from napari_sam.inference.agreement import agrees, can_disagree, cut_between, join
from napari_sam.prompts import Prompts

A, B = (20, 15), (20, 37)
PAIR = Prompts([A, B], [1, 0])


def disc(place, radius, shape=(40, 60)):
    rows, columns = np.indices(shape)
    return np.hypot(rows - place[0], columns - place[1]) <= radius


TWO = disc(A, 12) | disc(B, 12)


@pytest.mark.parametrize(
    ("prompts", "can"),
    [
        (Prompts([A], [1]), False),
        (Prompts(box=(1, 1, 9, 9)), False),
        (Prompts([A], [1], box=(1, 1, 9, 9)), False),
        (Prompts([A, B], [1, 1]), True),
        (Prompts([B], [0], box=(1, 1, 39, 59)), True),
    ],
)
def test_only_several_clicks_or_an_exclude_click_can_be_contradicted(prompts, can):
    assert can_disagree(prompts) is can


@pytest.mark.parametrize(
    ("mask", "right"),
    [
        (TWO, False),  # holds the excluded place
        (TWO & ~disc(B, 2), False),  # lost a speck
        (TWO & ~disc(B, 8), True),  # lost most of what is around it
        (disc(A, 12), True),
        (disc(B, 12) & ~disc(B, 9), False),  # lost what was included
    ],
)
def test_the_surroundings_of_each_click_count(mask, right):
    assert agrees(mask, PAIR) is right


def test_a_click_deep_in_the_mask_before_means_all_of_another_object():
    half_gone = TWO & ~disc(B, 8)
    assert agrees(half_gone, PAIR)
    assert not agrees(half_gone, PAIR, before=TWO)
    assert agrees(disc(A, 12), PAIR, before=TWO)


def test_a_click_at_the_rim_takes_away_a_little():
    wide = disc(A, 12)
    rim = Prompts([A, (20, 26)], [1, 0])
    assert agrees(wide & ~disc((20, 27), 4), rim, before=wide)


def test_without_an_include_click_only_what_is_around_the_exclude_click_counts():
    prompts = Prompts([B], [0], box=(5, 2, 35, 52))
    assert not agrees(TWO, prompts, before=TWO)
    assert agrees(disc(A, 12), prompts, before=TWO)


def test_two_objects_are_cut_where_they_meet():
    kept = cut_between(TWO, np.zeros(TWO.shape), PAIR)
    assert agrees(kept, PAIR, before=TWO)
    iou = np.count_nonzero(kept & disc(A, 12)) / np.count_nonzero(kept | disc(A, 12))
    assert iou > 0.9
    assert not (kept & ~TWO).any()


def test_likely_pixels_draw_the_cut():
    bar = np.zeros((40, 60), bool)
    bar[15:26, 5:50] = True
    logits = np.full(bar.shape, 4.0)
    logits[:, 30] = -1  # the model doubts one column, off the middle between the clicks
    prompts = Prompts([(20, 10), (20, 42)], [1, 0])
    kept = cut_between(bar, logits, prompts)
    assert kept[20, :30].sum() >= 23
    assert not kept[:, 31:].any()


def test_without_an_include_click_the_other_object_stays():
    kept = cut_between(TWO, np.zeros(TWO.shape), Prompts([B], [0], box=(5, 2, 35, 52)))
    assert kept[A]
    assert not kept[B]


def test_a_cut_of_nothing_is_nothing():
    nothing = np.zeros((9, 9), bool)
    assert not cut_between(nothing, np.zeros((9, 9)), Prompts([(1, 1), (7, 7)], [1, 0])).any()


def test_clicks_at_the_outer_rim_are_on_the_outermost_pixels():
    whole = np.ones((8, 20), bool)
    prompts = Prompts([(-0.5, -0.5), (7.5, 19.5)], [1, 0])
    assert not agrees(whole, prompts)
    kept = cut_between(whole, np.zeros(whole.shape), prompts)
    assert kept[0, 0]
    assert not kept[7, 19]


def test_a_part_under_an_earlier_include_click_comes_back():
    both = Prompts([A, B], [1, 1])
    found = join(disc(B, 8), [disc((5, 5), 3), disc(A, 8) | disc((38, 2), 1)], both)
    assert np.array_equal(found, disc(A, 8) | disc(B, 8))
