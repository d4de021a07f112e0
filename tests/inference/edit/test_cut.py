"""Objects cut in pieces, by strokes, by clicks, through slices, with a model."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.draw import disk

from napari_sam.errors import InputError
from napari_sam.inference.edit.cut import (
    cut_by_clicks,
    cut_by_strokes,
    cut_prompts,
    cut_stack,
    follow_model,
)

SHAPE = 40, 70


def two(gap=24, shape=SHAPE):
    """Two discs that overlap a little."""
    mask = np.zeros(shape, bool)
    for column in (22, 22 + gap):
        mask[disk((20, column), 14, shape=shape)] = True
    return mask


def counted(pieces):
    return np.bincount(pieces.ravel())[1:].tolist()


def test_a_stroke_cuts_without_gap_or_overlap():
    mask = two()
    pieces = cut_by_strokes(mask, [[(0, 34), (39, 34)]])
    np.testing.assert_array_equal(pieces > 0, mask)
    assert pieces.max() == 2
    assert set(np.unique(pieces[:, :33])) == {0, pieces[20, 10]}
    assert set(np.unique(pieces[:, 36:])) == {0, pieces[20, 50]}


def test_a_stroke_that_ends_inside_goes_on_to_the_border():
    pieces = cut_by_strokes(two(), [[(18, 34), (22, 34)]])
    assert pieces.max() == 2
    assert abs(counted(pieces)[0] - counted(pieces)[1]) < 60


def test_a_stroke_that_bends_away_does_not_go_on_through_other_parts():
    """Beyond the border of the object it ends."""
    mask = np.zeros((40, 60), bool)
    mask[10:30, 5:55] = True
    mask[10:30, 28:32] = False
    mask[26:30, 28:32] = True  # a U
    pieces = cut_by_strokes(mask, [[(27, 30), (28, 30)]])
    assert counted(pieces) == sorted(counted(pieces), reverse=True)
    assert pieces.max() == 2
    assert len(np.unique(pieces[12:24, 5:28])) == 1


def test_several_strokes_cut_in_more_pieces_the_largest_first():
    mask = np.ones((20, 60), bool)
    pieces = cut_by_strokes(mask, [[(-1, 10), (20, 10)], [(-1, 30), (20, 30)]])
    assert pieces.max() == 3
    assert counted(pieces) == sorted(counted(pieces), reverse=True)
    crossing = cut_by_strokes(mask, [[(-1, 30), (20, 30)], [(10, -1), (10, 60)]])
    assert crossing.max() == 4


def test_a_ring_cuts_out_its_inside():
    angle = np.linspace(0, 2 * np.pi, 40)
    ring = np.stack([20 + 6 * np.sin(angle), 22 + 6 * np.cos(angle)], axis=1)
    pieces = cut_by_strokes(two(), [ring])
    assert pieces.max() == 2
    assert pieces[20, 22] == 2


def test_a_burr_of_the_stroke_is_no_piece_and_parts_far_off_stay_with_the_nearest():
    mask = two()
    mask[2:4, 2:4] = True  # a part of its own
    wobbly = [(-1, 34), (18, 34), (20, 36), (20, 33), (22, 35), (39, 34)]
    pieces = cut_by_strokes(mask, [wobbly])
    assert pieces.max() == 2
    assert pieces[2, 2] == pieces[20, 12]


@pytest.mark.parametrize("stroke", [[(0, 0), (39, 0)], [(20, 22)]])
def test_a_stroke_that_divides_nothing_is_refused(stroke):
    with pytest.raises(InputError, match="does not divide"):
        cut_by_strokes(two(), [stroke])


def test_clicks_cut_at_the_neck():
    mask = two()
    pieces = cut_by_clicks(mask, [(20, 20), (20, 48)])
    np.testing.assert_array_equal(pieces > 0, mask)
    neck = np.flatnonzero(pieces[20, :-1] != pieces[20, 1:])
    assert any(31 <= at <= 36 for at in neck)
    with pytest.raises(InputError, match="click once in each part"):
        cut_by_clicks(mask, [(20, 20), (0, 0)])


def test_pieces_keep_their_numbers_through_slices():
    masks = {(z,): two() for z in range(5)}
    masks[(4,)] = np.roll(two(), 3, axis=1)
    masks[(4,)][:, 33:] = False  # the stroke does not reach it any more
    found = dict(cut_stack(masks, (2,), [[(0, 34), (39, 34)]]))
    assert set(found) == set(masks)
    left = found[(2,)][20, 15]
    for z in (0, 1, 3):
        np.testing.assert_array_equal(found[(z,)], found[(2,)])
    assert set(np.unique(found[(4,)])) == {0, left}


def test_clicks_go_on_through_slices_too():
    masks = {(z,): np.roll(two(), z, axis=0) for z in range(3)}
    found = dict(cut_stack(masks, (0,), clicks=[(20, 20), (20, 48)]))
    for z, pieces in found.items():
        np.testing.assert_array_equal(pieces > 0, masks[z])
        assert pieces[20, 20] == found[(0,)][20, 20]


def test_each_piece_excludes_the_others():
    pieces = cut_by_strokes(np.ones((20, 60), bool), [[(-1, 20), (20, 20)], [(-1, 40), (20, 40)]])
    for number, prompts in enumerate(cut_prompts(pieces), 1):
        for point, label in zip(prompts.points.astype(int), prompts.labels, strict=True):
            assert (pieces[tuple(point)] == number) == bool(label)
        assert (prompts.labels == 0).sum() == 2


def test_the_model_moves_the_border_and_where_it_does_not_follow_the_stroke_holds():
    mask = np.ones((20, 60), bool)
    pieces = cut_by_strokes(mask, [[(-1, 26), (20, 26)]])
    true = np.zeros((20, 60), bool)
    true[:, :30] = True
    masks = [~true, true] if pieces[0, 0] == 2 else [true, ~true]
    moved, followed = follow_model(pieces, masks)
    assert followed
    own = moved == pieces[0, 0]
    np.testing.assert_array_equal(
        own[:, :29], true[:, :29]
    )  # from 26; at the rim the stroke counts
    np.testing.assert_array_equal(own[:, 30:], true[:, 30:])
    for others in ([np.ones_like(mask)] * 2, [true, np.zeros_like(mask)]):
        same, _ = follow_model(pieces, others)
        np.testing.assert_array_equal(same, pieces)
    swapped, followed = follow_model(pieces, masks[::-1])
    assert not followed
    np.testing.assert_array_equal(swapped, pieces)
