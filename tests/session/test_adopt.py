"""Labels that were there become objects, all at once, in one step that changes no pixel."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sam.masks import cropped_masks
from napari_sam.session.adopt import Adoption, adopt
from napari_sam.session.disk.fingerprint import Fingerprint
from napari_sam.session.disk.folder import SessionFolder, restore
from napari_sam.session.disk.manifest import Manifest
from napari_sam.session.edit.curation import delete
from napari_sam.session.objects import Source, Status
from napari_sam.session.session import Session
from tests.fakes import ArrayTarget

PLANES = [(index, None, None) for index in range(3)]


@pytest.fixture
def labels():
    """Two slices of three labels, one of which goes through both, and an empty slice."""
    labels = np.zeros((3, 20, 30), np.uint16)
    labels[0, 2:6, 3:9] = 7
    labels[1, 2:7, 3:9] = 7
    labels[1, 10:14, 20:25] = 300
    labels[0, 12, 12] = 2
    return labels


@pytest.fixture
def session(labels):
    session = Session()
    session.labels.write_to(ArrayTarget(labels), int(labels.max()))
    return session


def take_all(session, labels):
    adoption = Adoption(session)
    return [adoption.add(plane, cropped_masks(labels[plane[0]])) for plane in PLANES]


def test_all_labels_become_objects_with_their_numbers(session, labels):
    before = labels.copy()
    assert take_all(session, labels) == [2, 2, 0]
    assert sorted(session.objects) == [2, 7, 300]
    for number, held in session.objects.items():
        for plane, section in held.sections.items():
            np.testing.assert_array_equal(section.mask.full(), labels[plane[0]] == number)
            assert section.status is Status.ACCEPTED
            assert section.origin.source is Source.IMPORTED
    np.testing.assert_array_equal(labels, before)


def test_one_undo_takes_them_back_and_leaves_the_labels(session, labels):
    before = labels.copy()
    take_all(session, labels)
    delete(session, [7])
    assert not (labels == 7).any()
    session.undo()
    session.undo()
    assert not session.objects
    assert not session.can_undo
    np.testing.assert_array_equal(labels, before)
    session.redo()
    session.redo()
    assert sorted(session.objects) == [2, 300]
    np.testing.assert_array_equal(labels, np.where(before == 7, 0, before))


def test_nothing_is_added_to_a_step_that_was_undone(session, labels):
    adoption = Adoption(session)
    adoption.add(PLANES[0], cropped_masks(labels[0]))
    assert adoption.is_open
    session.undo()
    assert not adoption.is_open
    assert adoption.add(PLANES[1], cropped_masks(labels[1])) == 0
    assert not session.objects


def test_what_is_an_object_already_stays_what_it_is(session, labels):
    adopt(session, PLANES[0], [7])
    known = session.objects[7].sections[PLANES[0]]
    take_all(session, labels)
    assert session.objects[7].sections[PLANES[0]] is known
    assert sorted(session.objects) == [2, 7, 300]
    session.undo()
    assert list(session.objects) == [7]
    assert list(session.objects[7].sections) == [PLANES[0]]


def test_numbers_that_are_classes_become_objects_of_them(session, labels):
    session.configure(semantic=True)
    take_all(session, labels)
    assert {held.class_id for held in session.objects.values()} == {2, 7, 300}
    assert len(session.objects) == 4
    assert session.classes[300] == "class 300"


def test_a_slice_across_the_others_holds_what_they_hold(session, labels):
    take_all(session, labels)
    assert Adoption(session).add((None, 3, None), cropped_masks(labels[:, 3])) == 0


def test_it_is_there_again_when_the_session_is_opened(tmp_path, session, labels):
    picture = Fingerprint.of(labels.shape, np.zeros(labels.shape, np.uint8))
    folder = SessionFolder.create(tmp_path / "mine", Manifest(picture))
    folder.serve(session)
    take_all(session, labels)
    delete(session, [2])
    folder.close()
    again = restore(tmp_path / "mine")
    assert not again.damaged
    assert sorted(again.session.objects) == [7, 300]
    untouched = np.where(labels == 2, 0, labels)
    again.session.labels.write_to(ArrayTarget(labels), 300)
    again.session.undo()
    again.session.undo()
    assert not again.session.objects
    assert (labels[labels != 2] == untouched[labels != 2]).all()
    again.folder.close()
