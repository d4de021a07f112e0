"""An object opened again, continued in other planes, or left as it was."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sam.errors import InputError
from napari_sam.masks import CroppedMask
from napari_sam.session import drawing
from napari_sam.session.adopt import object_at
from napari_sam.session.batch import Batch, NewMask
from napari_sam.session.changes import Kind
from napari_sam.session.edit import curation
from napari_sam.session.objects import Origin, Source, Status
from napari_sam.session.overlap import Rule
from napari_sam.session.paint import paint
from napari_sam.session.session import Session
from tests.fakes import ArrayTarget, FakeSegmenter

SHAPE = 5, 40, 60


def at(z):
    return z, None, None


@pytest.fixture
def labels():
    return np.zeros(SHAPE, np.uint16)


@pytest.fixture
def session(labels):
    session = Session()
    session.labels.write_to(ArrayTarget(labels))
    return session


@pytest.fixture
def model():
    return FakeSegmenter()


@pytest.fixture
def answer(session, model):
    def answer():
        request = session.request
        assert session.receive(request, request.run(model, SHAPE[1:]))

    return answer


@pytest.fixture
def accepted(session, answer):
    """Object 1 on slice 2: two clicks and the second candidate of the first."""
    drawing.draw(session, at(2), [(10, 20)], [1])
    answer()
    drawing.draw(session, at(2), [(10, 20), (14, 20)], [1, 1])
    answer()
    drawing.accept(session)


def test_prompts_and_mask_come_back(session, accepted, labels):
    before = labels.copy()
    drawing.reopen(session, 1, at(2))
    assert session.draft.points == ((10, 20), (14, 20))
    assert session.draft.labels == (1, 1)
    np.testing.assert_array_equal(session.mask, labels[2] == 1)
    assert session.score == pytest.approx(0.9)
    assert session.request is None
    np.testing.assert_array_equal(labels, before)


def test_accepting_it_unchanged_changes_nothing(session, accepted, labels):
    before, held = labels.copy(), session.objects[1]
    drawing.reopen(session, 1, at(2))
    drawing.accept(session)
    np.testing.assert_array_equal(labels, before)
    assert session.objects[1] == held
    assert session.draft.is_empty


def test_rejecting_leaves_it_as_it_was(session, accepted, answer, labels):
    before, held = labels.copy(), session.objects[1]
    drawing.reopen(session, 1, at(2))
    drawing.draw(session, at(2), [(10, 20), (14, 20), (30, 50)], [1, 1, 1])
    answer()
    drawing.reject(session)
    np.testing.assert_array_equal(labels, before)
    assert session.objects[1] == held


def test_a_changed_prompt_replaces_the_mask_there_only(session, accepted, answer, labels):
    labels[2, 30:, :] = 9  # somebody else's
    labels[1] = 8
    before = labels.copy()
    drawing.reopen(session, 1, at(2))
    drawing.draw(session, at(2), [(10, 20)], [1])  # the second point is taken away
    answer()
    new = session.mask.copy()
    drawing.accept(session)
    np.testing.assert_array_equal(labels[2] == 1, new)
    assert (labels[2][(before[2] == 1) & ~new] == 0).all()
    untouched = (before[2] != 1) & ~new
    np.testing.assert_array_equal(labels[2][untouched], before[2][untouched])
    np.testing.assert_array_equal(np.delete(labels, 2, axis=0), np.delete(before, 2, axis=0))
    assert session.objects[1].sections[at(2)].prompts.points == ((10, 20),)
    session.undo()
    session.undo()
    session.undo()
    np.testing.assert_array_equal(labels, before)


def test_an_added_point_refines_what_the_object_holds(session, accepted, answer, model, labels):
    held = labels[2] == 1
    drawing.reopen(session, 1, at(2))
    drawing.draw(session, at(2), [(10, 20), (14, 20), (18, 20)], [1, 1, 1])
    answer()
    np.testing.assert_array_equal(model.asked[-1].mask, held)
    drawing.draw(session, at(2), [(10, 20), (14, 20), (18, 20), (22, 20)], [1, 1, 1, 1])
    answer()
    assert model.asked[-1].mask.dtype == np.float32


def test_without_prompts_its_own_mask_says_where(session, answer, model):
    mask = np.zeros(SHAPE[1:], bool)
    mask[5:15, 5:15] = True
    with Batch(session, Kind.PROPAGATED) as batch:
        batch.add(at(3), [NewMask(mask, origin=Origin(Source.PROPAGATED, at(2)), score=0.4)])
    drawing.reopen(session, 1, at(3))
    assert not drawing.draw(session, at(3))
    drawing.draw(session, at(3), [(14, 14)], [0])
    np.testing.assert_array_equal(model.asked[-1].mask if model.asked else mask, mask)
    answer()
    np.testing.assert_array_equal(model.asked[-1].mask, mask)
    drawing.draw(session, at(3), [(13, 13)], [0])  # moved: from the object's mask anew
    answer()
    np.testing.assert_array_equal(model.asked[-1].mask, mask)
    drawing.draw(session, at(3))
    np.testing.assert_array_equal(session.mask, mask)
    drawing.accept(session)
    section = session.objects[1].sections[at(3)]
    assert section.status is Status.ACCEPTED
    assert section.origin == Origin(Source.PROPAGATED, at(2))


def test_continued_on_other_planes(session, accepted, answer, labels):
    drawing.continue_object(session, 1)
    assert session.mask is None
    drawing.draw(session, at(4), [(12, 22)], [1])
    answer()
    assert drawing.accept(session).object_id == 1
    assert session.objects[1].planes == [at(2), at(4)]
    assert set(np.unique(labels)) == {0, 1}
    assert labels[4, 12, 22] == labels[2, 10, 20] == 1
    drawing.continue_object(session, 1)
    drawing.draw(session, at(2), [(30, 50)], [1])  # where it has something: that is refined
    answer()
    drawing.accept(session)
    assert labels[2, 30, 50] == 1
    drawing.continue_object(session, 1)
    drawing.reject(session)
    assert session.draft.is_empty
    drawing.draw(session, at(0), [(5, 5)], [1])
    answer()
    assert drawing.accept(session).object_id == 2


def test_neighbours_keep_what_is_theirs(session, accepted, answer, labels):
    drawing.draw(session, at(2), [(10, 30)], [1])
    answer()
    drawing.accept(session)
    before = labels.copy()
    drawing.reopen(session, 1, at(2))
    drawing.draw(session, at(2), [(10, 20), (14, 20), (10, 28)], [1, 1, 1])
    answer()
    drawing.accept(session, Rule.KEEP)
    np.testing.assert_array_equal(labels[2] == 2, before[2] == 2)
    assert (labels[2] == 1).sum() > (before[2] == 1).sum()


def test_painting_while_it_is_open_is_kept(session, accepted, labels):
    drawing.reopen(session, 1, at(2))
    rows, columns = np.array([10, 10]), np.array([20, 50])
    before = labels[2, rows, columns]
    labels[2, rows, columns] = 0, 1
    paint(session, at(2), rows, columns, before, labels[2, rows, columns])
    drawing.accept(session)
    assert labels[2, 10, 20] == 0
    assert labels[2, 10, 50] == 1


def test_refusals(session, accepted):
    with pytest.raises(InputError, match="no object 5"):
        drawing.reopen(session, 5, at(2))
    with pytest.raises(InputError, match="nothing on this slice"):
        drawing.reopen(session, 1, at(3))
    curation.lock(session, [1])
    with pytest.raises(InputError, match="locked"):
        drawing.reopen(session, 1, at(2))
    with pytest.raises(InputError, match="locked"):
        drawing.continue_object(session, 1)


def test_an_object_goes_on_in_a_plane_across(session, accepted, model):
    across = None, 7, None
    drawing.continue_object(session, 1)
    drawing.draw(session, across, [(2, 20)], [1])
    session.receive(session.request, session.request.run(model, (5, 60)))
    assert drawing.accept(session).object_id == 1
    assert session.objects[1].planes == [across, at(2)]
    row = session.objects[1].sections[at(2)].mask.within((7, 0, 8, 60))
    np.testing.assert_array_equal(session.objects[1].sections[across].mask.full()[2:3], row)


def test_a_rough_mask_is_refined(session, answer, model):
    rough = np.zeros(SHAPE[1:], bool)
    rough[5:15, 5:15] = True
    drawing.draw(session, at(1), mask=CroppedMask.of(rough), box=(4, 4, 15, 15))
    answer()
    np.testing.assert_array_equal(model.asked[-1].mask, rough)
    drawing.accept(session)
    assert session.objects[1].sections[at(1)].prompts.mask == CroppedMask.of(rough)


def test_a_label_under_the_mouse_becomes_an_object(session, labels):
    labels[3, 5:10, 5:10] = 17
    assert object_at(session, at(3), 0, 0) is None
    assert object_at(session, at(3), 6, 6) == 17
    drawing.reopen(session, 17, at(3))
    np.testing.assert_array_equal(session.mask, labels[3] == 17)
    assert session.objects[17].sections[at(3)].origin == Origin(Source.IMPORTED)
