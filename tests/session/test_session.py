"""The annotation logic, with a fake model and no window."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sam.errors import InputError
from napari_sam.session import drawing
from napari_sam.session.changed import What
from napari_sam.session.edit import curation
from napari_sam.session.objects import Status
from napari_sam.session.overlap import Rule
from napari_sam.session.session import Session
from tests.fakes import ArrayTarget, FakeSegmenter

PLANE = (None, None)


@pytest.fixture
def labels():
    return np.zeros((40, 60), np.uint16)


@pytest.fixture
def session(labels):
    session = Session()
    session.labels.write_to(ArrayTarget(labels))
    return session


@pytest.fixture
def model():
    return FakeSegmenter()


def answer(session, model, shape=(40, 60)):
    request = session.request
    assert session.receive(request, request.run(model, shape))


def test_a_click_becomes_a_mask_and_the_mask_an_object(session, model, labels):
    drawing.draw(session, PLANE, [(10, 20)], [1])
    answer(session, model)
    expected = session.mask.copy()
    drawing.accept(session)
    np.testing.assert_array_equal(labels, expected * 1)
    assert session.draft.is_empty
    assert session.request is None
    assert session.mask is None


def test_ids_count_up_from_what_is_there(session, model, labels):
    labels[30, 50] = 7
    session.labels.write_to(ArrayTarget(labels), largest_id=7)
    for number, point in enumerate([(10, 10), (10, 40)]):
        drawing.draw(session, PLANE, [point], [1])
        answer(session, model)
        drawing.accept(session)
        assert labels[point] == 8 + number


def test_an_id_painted_by_hand_is_not_given_out_again(session, model, labels):
    labels[30, 50] = 12  # painted in this plane
    drawing.draw(session, PLANE, [(10, 10)], [1])
    answer(session, model)
    assert drawing.accept(session).object_id == 13
    session.labels.note_id(40)  # painted elsewhere
    drawing.draw(session, PLANE, [(10, 40)], [1])
    answer(session, model)
    assert drawing.accept(session).object_id == 41


def test_background_points_alone_ask_nothing(session):
    drawing.draw(session, PLANE, [(10, 10)], [0])
    assert session.request is None
    drawing.draw(session, PLANE, [(10, 10), (20, 20)], [0, 1])
    assert session.request is not None


def test_a_background_point_refines(session, model):
    drawing.draw(session, PLANE, [(10, 10)], [1])
    answer(session, model)
    assert session.mask[10, 14]
    drawing.draw(session, PLANE, [(10, 10), (10, 17)], [1, 0])
    answer(session, model)
    assert session.mask[10, 8]
    assert not session.mask[10, 14]


def test_an_older_answer_is_dropped(session, model):
    drawing.draw(session, PLANE, [(10, 10)], [1])
    old = session.request
    drawing.draw(session, PLANE, [(10, 10), (20, 30)], [1, 1])
    assert not session.receive(old, old.run(model, (40, 60)))
    assert session.mask is None
    answer(session, model)
    assert session.mask[20, 30]


def test_the_same_prompts_again_are_no_step(session, model):
    drawing.draw(session, PLANE, [(10, 10)], [1])
    answer(session, model)
    seen = []
    session.changed.connect(lambda: seen.append(1))
    drawing.draw(session, PLANE, [(10, 10)], [1])
    assert not seen
    assert session.mask is not None


def test_changed_says_what_it_is_about(session, model):
    told = []
    session.changed.connect(told.append)
    drawing.draw(session, PLANE, [(10, 10)], [1])
    answer(session, model)
    drawing.accept(session)
    curation.set_status(session, [1], Status.UNCLEAR)
    session.keep_view({"zoom": 2.0})
    session.configure(new_class=1, classes={1: "cell"})
    session.undo()
    both = What.DRAFT | What.OBJECTS
    assert told == [What.DRAFT, What.DRAFT, both, *[What.OBJECTS] * 3]


class TestSeed:
    """The logits of the mask on show start the next prediction, of the same object only."""

    def test_an_added_point_refines_the_chosen_candidate(self, session, model):
        drawing.draw(session, PLANE, [(10, 10)], [1])
        answer(session, model)
        drawing.choose(session, 1)
        chosen = session.prediction.logits[1]
        drawing.draw(session, PLANE, [(10, 10), (12, 12)], [1, 1])
        answer(session, model)
        np.testing.assert_array_equal(model.asked[-1].mask, chosen)

    def test_an_added_box_refines(self, session, model):
        drawing.draw(session, PLANE, [(10, 10)], [1])
        answer(session, model)
        drawing.draw(session, PLANE, [(10, 10)], [1], (5, 5, 15, 15))
        answer(session, model)
        assert model.asked[-1].mask is not None

    @pytest.mark.parametrize(
        ("points", "polarity", "box"),
        [
            ([(11, 10), (30, 30)], [1, 0], None),
            ([(10, 10)], [1], None),
            ([(30, 30), (10, 10)], [0, 1], None),
            ([(10, 10), (30, 30)], [1, 1], None),
            ([(10, 10), (30, 30), (1, 1)], [0, 0, 1], None),
            ([(10, 10), (30, 30)], [1, 0], (1, 1, 9, 9)),
        ],
        ids=["moved", "removed", "reordered", "polarity", "all changed", "another box"],
    )
    def test_other_changes_start_afresh(self, session, model, points, polarity, box):
        before = (2, 2, 20, 20) if box else None
        drawing.draw(session, PLANE, [(10, 10), (30, 30)], [1, 0], before)
        answer(session, model)
        drawing.draw(session, PLANE, points, polarity, box)
        answer(session, model)
        assert model.asked[-1].mask is None

    @pytest.mark.parametrize("leave", ["accept", "reject"])
    def test_no_other_objects_logits(self, session, model, leave):
        drawing.draw(session, PLANE, [(10, 10)], [1])
        answer(session, model)
        getattr(drawing, leave)(session)
        drawing.draw(session, PLANE, [(10, 40)], [1])
        answer(session, model)
        shown = session.prediction.logits[0]
        drawing.draw(session, PLANE, [(10, 40), (12, 40)], [1, 1])
        answer(session, model)
        assert [prompts.mask is None for prompts in model.asked] == [True, True, False]
        np.testing.assert_array_equal(model.asked[-1].mask, shown)

    def test_two_quick_clicks_keep_the_seed_of_the_mask_before(self, session, model):
        drawing.draw(session, PLANE, [(10, 10)], [1])
        answer(session, model)
        drawing.draw(session, PLANE, [(10, 10), (11, 11)], [1, 1])
        drawing.draw(session, PLANE, [(10, 10), (11, 11), (12, 12)], [1, 1, 1])
        answer(session, model)
        assert model.asked[-1].mask is not None

    def test_undo_asks_exactly_what_was_asked_before(self, session, model):
        drawing.draw(session, PLANE, [(10, 10)], [1])
        answer(session, model)
        drawing.draw(session, PLANE, [(10, 10), (12, 12)], [1, 1])
        answer(session, model)
        drawing.draw(session, PLANE, [(10, 10), (12, 12), (20, 20)], [1, 1, 0])
        answer(session, model)
        session.undo()
        answer(session, model)
        np.testing.assert_array_equal(model.asked[-1].points, model.asked[1].points)
        np.testing.assert_array_equal(model.asked[-1].mask, model.asked[1].mask)
        session.undo()
        answer(session, model)
        assert model.asked[-1].mask is None


class TestCandidates:
    def test_cycle_goes_round(self, session, model):
        drawing.draw(session, PLANE, [(20, 20)], [1])
        answer(session, model)
        areas = []
        for _ in range(4):
            areas.append(int(session.mask.sum()))
            drawing.cycle(session)
        assert areas[0] == areas[3]
        assert len(set(areas)) == 3

    def test_choosing_keeps_the_answer_and_is_one_step(self, session, model):
        drawing.draw(session, PLANE, [(20, 20)], [1])
        answer(session, model)
        first = session.mask.copy()
        drawing.cycle(session)
        drawing.cycle(session)
        assert session.choice == 2
        assert session.score == pytest.approx(0.5)
        session.undo()
        np.testing.assert_array_equal(session.mask, first)
        session.redo()
        assert session.choice == 2
        session.undo()
        session.undo()
        assert session.draft.is_empty

    def test_the_chosen_one_is_accepted(self, session, model, labels):
        drawing.draw(session, PLANE, [(20, 20)], [1])
        answer(session, model)
        drawing.choose(session, 2)
        drawing.accept(session)
        assert labels.sum() == session.objects[1].pixels == 5

    def test_nothing_to_cycle(self, session):
        drawing.cycle(session)
        assert not session.can_undo


class TestUndo:
    def test_prompts_one_by_one(self, session):
        drawing.draw(session, PLANE, [(1, 1)], [1])
        drawing.draw(session, PLANE, [(1, 1), (2, 2)], [1, 0])
        session.undo()
        assert session.draft.points == ((1, 1),)
        session.undo()
        assert session.draft.is_empty
        assert not session.can_undo
        session.redo()
        session.redo()
        assert session.draft.labels == (1, 0)
        assert not session.can_redo

    def test_a_new_step_forgets_the_undone_ones(self, session):
        drawing.draw(session, PLANE, [(1, 1)], [1])
        session.undo()
        drawing.draw(session, PLANE, [(5, 5)], [1])
        assert not session.can_redo

    def test_reject_can_be_undone(self, session, model):
        drawing.draw(session, PLANE, [(9, 9)], [1])
        answer(session, model)
        drawing.reject(session)
        assert session.draft.is_empty
        assert session.mask is None
        session.undo()
        answer(session, model)
        assert session.mask[9, 9]

    def test_an_accepted_object_is_reopened(self, session, model, labels):
        labels[20:30, 20:30] = 3
        before = labels.copy()
        drawing.draw(session, PLANE, [(20, 20)], [1])
        answer(session, model)
        drawing.accept(session, Rule.REPLACE)
        after = labels.copy()
        session.undo()
        np.testing.assert_array_equal(labels, before)
        assert session.draft.points == ((20, 20),)
        session.redo()
        np.testing.assert_array_equal(labels, after)
        assert session.draft.is_empty

    def test_hand_edits_since_are_left_alone(self, session, model, labels):
        drawing.draw(session, PLANE, [(20, 20)], [1])
        answer(session, model)
        drawing.accept(session)
        labels[20, 20] = 9  # painted over the object
        labels[0, 0] = 9
        session.undo()
        assert labels[20, 20] == 9
        assert labels[0, 0] == 9
        assert labels.sum() == 18
        session.redo()
        assert labels[20, 20] == 9
        assert labels[20, 21] == 1

    def test_an_undone_id_is_used_again(self, session, model):
        drawing.draw(session, PLANE, [(20, 20)], [1])
        answer(session, model)
        drawing.accept(session)
        session.undo()
        drawing.draw(session, PLANE, [(20, 20), (22, 22)], [1, 1])
        answer(session, model)
        assert drawing.accept(session).object_id == 1


class TestRefusals:
    def test_no_mask(self, session):
        with pytest.raises(InputError, match="no mask"):
            drawing.accept(session)

    def test_no_target(self, model):
        session = Session()
        drawing.draw(session, PLANE, [(20, 20)], [1])
        answer(session, model)
        with pytest.raises(InputError, match="no Labels layer"):
            drawing.accept(session)
        assert session.mask is not None

    def test_another_slice_while_drawing(self, session):
        drawing.draw(session, (3, None, None), [(1, 1)], [1])
        with pytest.raises(InputError, match="another slice"):
            drawing.draw(session, (4, None, None), [(2, 2)], [1])
        assert session.draft.points == ((1, 1),)
        drawing.reject(session)
        drawing.draw(session, (4, None, None), [(2, 2)], [1])

    def test_an_id_beyond_the_dtype(self, model):
        labels = np.zeros((40, 60), np.uint8)
        labels[0, 0] = 255
        session = Session()
        session.labels.write_to(ArrayTarget(labels), 255)
        drawing.draw(session, PLANE, [(20, 20)], [1])
        answer(session, model)
        before = labels.copy()
        with pytest.raises(InputError, match=r"object 256 .* uint8 .* new Labels layer"):
            drawing.accept(session)
        np.testing.assert_array_equal(labels, before)
        assert session.mask is not None


def test_overlap_names_whom_the_mask_meets(session, model, labels):
    assert drawing.claimed(session) is None
    labels[20, 20:22] = 4
    drawing.draw(session, PLANE, [(20, 20)], [1])
    answer(session, model)
    assert drawing.claimed(session).met == {4: 2}


def test_every_change_is_announced(session, model):
    seen = []
    session.changed.connect(lambda: seen.append(session.draft.points))
    drawing.draw(session, PLANE, [(20, 20)], [1])
    answer(session, model)
    drawing.accept(session)
    session.undo()
    assert seen == [((20, 20),), ((20, 20),), (), ((20, 20),)]
