"""An object slice by slice: copied, ended, said not to be there; each one step of undo."""

from __future__ import annotations

import pytest

from napari_sam.errors import InputError
from napari_sam.session.changes import Kind
from napari_sam.session.edit import curation
from napari_sam.session.edit.slices import copy_to, end_at, mark_absent
from napari_sam.session.objects import Source, Status
from tests.session.edit.test_curation import SHAPE, add, at, square

LINE = [at(z) for z in range(SHAPE[0])]


@pytest.fixture
def followed(session):
    """Object 1 on slices 0 to 3, accepted on the first, proposed on the others."""
    add(session, 0, square(5, 5), status=Status.ACCEPTED)
    for z in (1, 2, 3):
        add(session, z, square(5, 5), object_id=1)
    return session


def states(session, number=1):
    """By slice: the status, and whether there is a mask."""
    sections = session.objects[number].sections
    return {plane[0]: (one.status.value, one.mask is not None) for plane, one in sections.items()}


def test_a_mask_is_copied_and_one_undo_takes_it_back(session, labels):
    add(session, 1, square(5, 5), status=Status.ACCEPTED)
    copy_to(session, 1, at(1), at(2))
    section = session.objects[1].sections[at(2)]
    assert (section.status, section.origin.source) == (Status.PROPOSED, Source.COPIED)
    assert section.origin.plane == at(1)
    assert (labels[2] == labels[1]).all()
    assert session.history.done[-1].kind is Kind.COPIED
    session.undo()
    assert not labels[2].any()


def test_a_copy_writes_over_nothing_that_was_accepted(session):
    add(session, 0, square(5, 5), square(12, 12), status=Status.ACCEPTED)
    add(session, 1, square(6, 6), object_id=1, status=Status.ACCEPTED)
    with pytest.raises(InputError, match="accepted on that slice"):
        copy_to(session, 1, at(0), at(1))
    add(session, 1, square(11, 12), object_id=1, status=Status.ACCEPTED)
    with pytest.raises(InputError, match="lay on other objects"):
        copy_to(session, 2, at(0), at(1))
    mark_absent(session, 2, at(2))
    with pytest.raises(InputError, match="said not to be"):
        copy_to(session, 2, at(0), at(2))
    with pytest.raises(InputError, match="no mask"):
        copy_to(session, 2, at(3), at(1))


def test_not_on_this_slice(followed, labels):
    mark_absent(followed, 1, at(2))
    assert states(followed)[2] == ("accepted", False)
    assert followed.objects[1].sections[at(2)].is_absent
    assert not labels[2].any()
    followed.undo()
    assert labels[2].any()


def test_an_object_stays_on_one_slice_at_least(session):
    add(session, 1, square(5, 5))
    with pytest.raises(InputError, match="delete it"):
        mark_absent(session, 1, at(1))
    curation.lock(session, [1])
    with pytest.raises(InputError, match="locked"):
        mark_absent(session, 1, at(2))


def test_the_last_slice_is_where_its_mask_is(followed, labels):
    assert end_at(followed, 1, LINE, 1) == 2
    assert states(followed) == {
        0: ("accepted", True),
        1: ("proposed", True),
        2: ("accepted", False),
    }
    assert not labels[2:].any()
    followed.undo()
    assert labels.any(axis=(1, 2)).all()


def test_without_a_mask_here_it_ended_before(session):
    add(session, 0, square(5, 5), status=Status.ACCEPTED)
    assert end_at(session, 1, LINE, 1) == 1
    assert states(session) == {0: ("accepted", True), 1: ("accepted", False)}
    steps = len(session.history.done)
    end_at(session, 1, LINE, 1)  # known already
    assert len(session.history.done) == steps


def test_an_end_lies_away_from_what_was_accepted(session):
    add(session, 2, square(5, 5), status=Status.ACCEPTED)
    add(session, 1, square(5, 5), object_id=1)
    assert end_at(session, 1, LINE, 1) == 0  # backward
    assert end_at(session, 1, LINE, 2) == 3  # as the person goes, where nothing tells
    assert end_at(session, 1, LINE, 2, way=-1) == 1
    add(session, 0, square(12, 12), status=Status.ACCEPTED)
    assert end_at(session, 2, LINE, 0, way=-1) is None
    add(session, 3, square(12, 12), object_id=2, status=Status.ACCEPTED)
    with pytest.raises(InputError, match="before and behind"):
        end_at(session, 2, LINE, 1)
