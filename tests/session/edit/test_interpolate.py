"""Masks between two slices: shape, place, and what of them is written."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sam.errors import InputError
from napari_sam.masks import CroppedMask
from napari_sam.session.edit.interpolate import gap_at, interpolate, interpolated
from napari_sam.session.edit.slices import mark_absent
from napari_sam.session.objects import Source, Status
from tests.session.edit.test_curation import SHAPE, add, at, square

LINE = [at(z) for z in range(SHAPE[0])]


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


@pytest.mark.parametrize(("seen", "gap"), [(0, (0, 3)), (1, (0, 3)), (3, (0, 3))])
def test_the_gap_is_that_around_the_slice_in_view(session, seen, gap):
    add(session, 0, square(5, 5), status=Status.ACCEPTED)
    add(session, 3, square(5, 5), object_id=1, status=Status.ACCEPTED)
    assert gap_at(session.objects[1], LINE, seen) == gap


def test_a_gap_is_filled_as_one_step(session, labels):
    add(session, 0, square(4, 4), status=Status.ACCEPTED)
    add(session, 3, square(10, 16), object_id=1, status=Status.ACCEPTED)
    add(session, 2, square(1, 25), object_id=1)  # proposed: it is replaced
    assert interpolate(session, 1, LINE, 1) == [1, 2]
    section = session.objects[1].sections[at(2)]
    assert (section.status, section.origin.source) == (Status.PROPOSED, Source.INTERPOLATED)
    assert section.mask.box == (8, 12, 12, 16)
    session.undo()
    assert not labels[1].any()
    assert labels[2, 1, 25] == 1


def test_what_cannot_be_filled_is_said(session):
    add(session, 0, square(4, 4), status=Status.ACCEPTED)
    with pytest.raises(InputError, match="no gap"):
        interpolate(session, 1, LINE, 1)
    add(session, 2, square(4, 4), object_id=1, status=Status.ACCEPTED)
    mark_absent(session, 1, at(1))
    with pytest.raises(InputError, match="said not to be"):
        interpolate(session, 1, LINE, 1)
