"""Masks cleaned by rules of shape, and neighbours that keep their pixels."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.draw import disk

from napari_sam.errors import InputError
from napari_sam.inference.edit.clean import (
    CleanSettings,
    clean_labels,
    clean_mask,
    clean_plane,
)
from napari_sam.masks import CroppedMask


def disc(shape, centre, radius):
    mask = np.zeros(shape, bool)
    mask[disk(centre, radius, shape=shape)] = True
    return mask


def test_holes_and_specks_go_and_the_rest_stays():
    whole = disc((60, 60), (30, 30), 20)
    mask = whole.copy()
    mask[28:31, 28:31] = False
    mask[2:4, 2:4] = True
    np.testing.assert_array_equal(
        clean_mask(mask, CleanSettings(min_part=5, fill_holes=True)), whole
    )
    np.testing.assert_array_equal(clean_mask(mask, CleanSettings(min_part=4)), mask)
    assert not clean_mask(mask, CleanSettings(largest=True))[:5, :5].any()


def test_an_opening_at_the_border_of_the_picture_is_no_hole():
    mask = np.ones((9, 9), bool)
    mask[0:4, 4] = False
    np.testing.assert_array_equal(clean_mask(mask, CleanSettings(fill_holes=True)), mask)


def test_smoothing_takes_spikes_and_notches_narrower_than_the_disc_and_no_more():
    plain = np.zeros((60, 80), bool)
    plain[15:45, 15:65] = True
    rough = plain.copy()
    rough[8:15, 30:32] = True
    rough[15:20, 50:52] = False
    smooth = clean_mask(rough, CleanSettings(smooth=3))
    assert not smooth[8:14].any()
    assert smooth[17:20, 50:52].all()
    assert np.count_nonzero(smooth ^ plain) < 40  # rounded corners


def test_what_touches_the_border_of_the_picture_goes_on_there():
    mask = np.zeros((40, 40), bool)
    mask[10:30, :20] = True
    np.testing.assert_array_equal(
        clean_mask(mask, CleanSettings(smooth=4))[12:28, :15], mask[12:28, :15]
    )
    assert clean_mask(mask, CleanSettings(grow=-3))[15, 0]


def test_what_is_thinner_than_the_rule_stays_as_it_is():
    thin = np.zeros((30, 30), bool)
    thin[10, 5:25] = True
    for settings in (CleanSettings(smooth=3), CleanSettings(grow=-2)):
        np.testing.assert_array_equal(clean_mask(thin, settings), thin)


def test_lengths_follow_the_size_of_a_pixel():
    mask = disc((60, 60), (30, 30), 10)
    grown = clean_mask(mask, CleanSettings(grow=2), (1.0, 0.5))
    rows, columns = np.nonzero(grown)
    assert (rows.max() - rows.min(), columns.max() - columns.min()) == (22, 26)
    back = clean_mask(grown, CleanSettings(grow=-2), (1.0, 0.5))
    assert np.count_nonzero(back ^ mask) < 30


def test_a_convex_object_has_its_hull():
    mask = np.zeros((12, 12), bool)
    mask[2:10, 2:4] = mask[8:10, 2:10] = True
    hull = clean_mask(mask, CleanSettings(convex=True))
    assert hull[6, 5]
    assert not hull[2, 9]


def test_neighbours_share_a_gap_and_keep_what_they_have():
    labels = np.zeros((20, 30), np.uint16)
    labels[5:15, 3:12] = 4
    labels[5:15, 18:27] = 9
    grown = clean_labels(labels, CleanSettings(grow=20))
    assert (grown[labels == 4] == 4).all()
    assert (grown[labels == 9] == 9).all()
    assert (grown[10, :15] == 4).all()
    assert (grown[10, 15:] == 9).all()
    assert grown.dtype == labels.dtype


def test_what_one_gives_away_is_free_for_the_other():
    labels = np.zeros((20, 30), np.int32)
    labels[2:18, 2:28] = 1
    labels[8:10, 8:10] = 2  # a speck of 2 in a hole of 1
    labels[0, 29] = 2
    labels[0, 27:29] = 2
    labels[1, 27:30] = 2
    found = clean_labels(labels, CleanSettings(largest=True, fill_holes=True))
    assert (found[8:10, 8:10] == 1).all()
    assert (found[0, 27:30] == 2).all()


def test_an_object_does_not_reach_over_another_one():
    labels = np.zeros((9, 30), np.int32)
    labels[:, 5:10], labels[:, 10:12] = 1, 2
    masks = {1: CroppedMask.of(labels == 1)}
    found = clean_plane(masks, CleanSettings(grow=8), others=CroppedMask.of(labels == 2))
    assert not found[1].full()[:, 10:].any()
    assert found[1].full()[:, :10].all()


def test_every_slice_of_a_stack_is_cleaned_and_the_input_stays():
    labels = np.zeros((2, 9, 9), np.uint8)
    labels[:, 2:7, 2:7] = 3
    labels[1, 4, 4] = 0
    before = labels.copy()
    found = clean_labels(labels, CleanSettings(fill_holes=True))
    np.testing.assert_array_equal(labels, before)
    np.testing.assert_array_equal(found[1], before[0])


@pytest.mark.parametrize("bad", [{"smooth": -1}, {"grow": np.nan}, {"min_part": np.inf}])
def test_rules_that_make_no_sense_are_refused(bad):
    with pytest.raises(InputError, match=next(iter(bad))):
        CleanSettings(**bad)


def test_a_length_of_another_unit_is_noticed():
    with pytest.raises(InputError, match="2,500 pixels"):
        clean_mask(np.ones((3, 3), bool), CleanSettings(smooth=500), (0.2, 0.2))
