"""Masks between others: shape and place."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sam.between import averaged, interpolated
from napari_sam.errors import InputError
from napari_sam.masks import CroppedMask


def disc(row, column, radius, shape=(60, 80)):
    rows, columns = np.indices(shape)
    return CroppedMask.of(np.hypot(rows - row, columns - column) < radius)


def test_discs_grow_and_move_evenly_also_beyond_their_own_width():
    found = interpolated(disc(15, 12, 6), disc(35, 60, 12), 3)
    truth = [disc(20, 24, 7.5), disc(25, 36, 9), disc(30, 48, 10.5)]
    assert [one.iou(true) > 0.85 for one, true in zip(found, truth, strict=True)] == [True] * 3


def test_a_mask_at_the_border_stays_in_the_plane():
    (middle,) = interpolated(disc(0, 0, 8), disc(59, 0, 8), 1)
    assert middle.box[1] == 0
    assert middle.area == pytest.approx(disc(0, 0, 8).area, abs=60)


def test_thin_masks_are_never_lost():
    line, cross = np.zeros((2, 40, 40), bool)
    line[20, 5:35] = True
    cross[5:35, 20] = True
    found = interpolated(CroppedMask.of(line), CroppedMask.of(cross), 4)
    assert all(one.area > 0 for one in found)


def test_planes_of_two_shapes_are_refused():
    with pytest.raises(InputError, match="one shape"):
        interpolated(disc(9, 9, 4), disc(9, 9, 4, (20, 20)), 1)


def test_the_average_of_discs_about_one_centre_has_the_mean_radius():
    discs = [disc(30, 40, 6), disc(30, 40, 14)]
    assert averaged(discs, [1, 1]).iou(disc(30, 40, 10)) > 0.95
    assert averaged(discs, [3, 1]).iou(disc(30, 40, 8)) > 0.95
    assert averaged(discs, [1, 0]) == discs[0]


def test_the_average_of_what_touches_the_border_goes_to_the_border():
    sides = [CroppedMask.of(np.tri(20, 30, k, dtype=bool)) for k in (4, 8)]
    middle = averaged(sides, [1, 1])
    assert middle.box[:3] == (0, 0, 20)
    assert middle.area == pytest.approx(np.tri(20, 30, 6).sum(), abs=20)


def test_nothing_is_left_between_what_lies_far_apart():
    assert averaged([disc(10, 10, 3), disc(50, 70, 3)], [1, 1]) is None
