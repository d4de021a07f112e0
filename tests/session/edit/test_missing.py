"""What is missing on a slice, and what is new there."""

from __future__ import annotations

from napari_sam.session.edit import curation
from napari_sam.session.edit.missing import missing, unclaimed
from napari_sam.session.edit.slices import mark_absent
from napari_sam.session.objects import Status
from tests.session.edit.test_curation import add, at, square


def test_what_was_on_the_last_slice_and_is_not_on_this_one(session):
    add(session, 0, square(2, 2), square(2, 10), square(2, 20), square(12, 2))
    add(session, 1, square(2, 2), object_id=1)
    curation.lock(session, [4])
    assert missing(session.objects, at(0), at(1)) == [2, 3]
    add(session, 1, None, object_id=2, status=Status.UNCLEAR)  # lost, and nobody has looked
    assert missing(session.objects, at(0), at(1)) == [2, 3]
    mark_absent(session, 2, at(1))
    assert missing(session.objects, at(0), at(1)) == [3]
    assert missing(session.objects, at(1), at(0)) == []


def test_what_begins_here_and_nobody_has_claimed(session):
    add(session, 0, square(2, 2))
    add(session, 1, square(2, 2), object_id=1)
    add(session, 1, square(2, 10), square(2, 20))
    add(session, 2, square(2, 20), object_id=3, status=Status.ACCEPTED)
    assert unclaimed(session.objects, at(0), at(1)) == [2]
