"""Gaps between two slices: where they are, and what of the masks between is written."""

from __future__ import annotations

import pytest

from napari_sam.errors import InputError
from napari_sam.session.edit.interpolate import gap_at, interpolate
from napari_sam.session.edit.slices import mark_absent
from napari_sam.session.objects import Source, Status
from tests.session.edit.test_curation import SHAPE, add, at, square

LINE = [at(z) for z in range(SHAPE[0])]


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
