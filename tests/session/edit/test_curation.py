"""Objects merged, split, locked, judged, painted; masks from elsewhere; what to look at next."""

from __future__ import annotations

import json

import numpy as np
import pytest

from napari_sam.errors import InputError
from napari_sam.session import drawing
from napari_sam.session import paint as painting
from napari_sam.session.adopt import adopt, object_at
from napari_sam.session.batch import Batch, NewMask
from napari_sam.session.changes import Kind
from napari_sam.session.disk.codec import Codec, InlineMasks
from napari_sam.session.edit import curation
from napari_sam.session.objects import Origin, Source, Status
from napari_sam.session.overlap import Rule
from napari_sam.session.review import by_confidence, next_unsure, weakest_plane
from napari_sam.session.session import Session
from tests.fakes import ArrayTarget, FakeSegmenter

SHAPE = 4, 20, 30


def at(z):
    return z, None, None


def square(row, column, size=4):
    mask = np.zeros(SHAPE[1:], bool)
    mask[row : row + size, column : column + size] = True
    return mask


def add(session, z, *masks, rule=Rule.KEEP, kind=Kind.AUTOMATIC, **options):
    with Batch(session, kind, rule) as batch:
        return batch.add(at(z), [NewMask(mask, **options) for mask in masks])


def accept(session, z, row, column):
    drawing.draw(session, at(z), [(row, column)], [1])
    session.receive(session.request, session.request.run(FakeSegmenter(3), SHAPE[1:]))
    return drawing.accept(session).object_id


def paint(session, labels, z, mask, value):
    rows, columns = np.nonzero(mask)
    before = labels[z, rows, columns]
    labels[z, rows, columns] = value
    painting.paint(session, at(z), rows, columns, before, labels[z, rows, columns])


class TestProposals:
    def test_a_propagation_arrives_live_and_one_undo_takes_it_back(self, session, labels):
        accept(session, 0, 10, 10)
        first = labels.copy()
        batch = Batch(session, Kind.PROPAGATED)
        origin = Origin(Source.PROPAGATED, at(0))
        for z in (1, 2, 3):
            status = Status.UNCLEAR if z == 3 else Status.PROPOSED
            proposal = NewMask(square(8, 8), 1, 0.9 - 0.1 * z, origin, status)
            assert batch.add(at(z), [proposal]) == [1]
            assert labels[z, 8, 8] == 1
        batch.end()
        assert len(session.history.done) == 3
        held = session.objects[1]
        assert [held.sections[p].status for p in held.planes] == [
            Status.ACCEPTED,
            Status.PROPOSED,
            Status.PROPOSED,
            Status.UNCLEAR,
        ]
        assert held.status is Status.UNCLEAR
        assert held.sections[at(2)].origin == origin
        everything = labels.copy()
        session.undo()
        np.testing.assert_array_equal(labels, first)
        session.redo()
        np.testing.assert_array_equal(labels, everything)

    def test_taken_back_while_it_grows_it_takes_no_more(self, session, labels):
        batch = Batch(session, Kind.PROPAGATED)
        batch.add(at(0), [NewMask(square(1, 1))])
        session.undo()
        assert not batch.is_open
        assert batch.add(at(1), [NewMask(square(1, 1))]) == [None]
        assert not labels.any()

    def test_prompts_drawn_meanwhile_are_steps_of_their_own(self, session, labels):
        batch = Batch(session, Kind.PROPAGATED)
        batch.add(at(0), [NewMask(square(1, 1))])
        drawing.draw(session, at(2), [(5, 5)], [1])
        batch.add(at(1), [NewMask(square(1, 1), 1)])
        session.undo()
        assert session.draft.is_empty
        assert labels[1, 1, 1] == 1
        session.undo()
        assert not labels.any()

    def test_a_later_mask_of_the_same_plane_replaces_the_first(self, session, labels):
        batch = Batch(session, Kind.PROPAGATED)
        batch.add(at(0), [NewMask(square(1, 1))])
        batch.add(at(0), [NewMask(square(3, 3), 1)])
        np.testing.assert_array_equal(labels[0], square(3, 3))
        session.undo()
        assert not labels.any()

    @pytest.mark.parametrize("rule", list(Rule))
    def test_the_rule_holds_against_accepted_ones(self, session, labels, rule):
        accept(session, 0, 10, 10)
        before, new = labels[0] == 1, square(12, 9, 10)
        add(session, 0, new, rule=rule)
        kept = before if rule is Rule.KEEP else before & ~new
        np.testing.assert_array_equal(labels[0] == 1, kept)
        np.testing.assert_array_equal(labels[0] == 2, new & ~kept)

    def test_locked_ones_keep_all(self, session, labels):
        accept(session, 0, 10, 10)
        curation.lock(session, [1])
        before = labels[0] == 1
        add(session, 0, square(8, 8, 8), rule=Rule.REPLACE)
        np.testing.assert_array_equal(labels[0] == 1, before)
        assert add(session, 1, square(1, 1), object_id=1) == [None]

    def test_what_was_accepted_of_the_same_object_stays(self, session, labels):
        accept(session, 0, 10, 10)
        before = labels.copy()
        assert add(session, 0, square(1, 1), object_id=1, rule=Rule.REPLACE) == [None]
        np.testing.assert_array_equal(labels, before)
        assert list(session.objects) == [1]
        add(session, 0, square(1, 1), object_id=1, status=Status.ACCEPTED)  # somebody says so
        np.testing.assert_array_equal(labels[0], square(1, 1))

    def test_the_first_of_two_that_meet_has_the_pixels(self, session, labels):
        assert add(session, 0, square(1, 1, 6), square(4, 4, 7), square(1, 1)) == [1, 2, None]
        assert labels[0, 5, 5] == 1
        assert labels[0, 8, 8] == 2

    def test_a_plane_without_a_mask_is_marked(self, session):
        accept(session, 0, 10, 10)
        assert add(session, 2, None, object_id=1) == [None]
        assert add(session, 2, None, object_id=1, status=Status.UNCLEAR) == [1]
        assert session.objects[1].sections[at(2)].mask is None
        assert next_unsure(session.objects) == (1, at(2))
        curation.discard(session, 1, at(2))
        assert next_unsure(session.objects) is None

    def test_what_an_earlier_batch_brought_can_be_withdrawn(self, session, labels):
        accept(session, 0, 10, 10)
        for z in (1, 2, 3):
            add(session, z, square(1, 1), object_id=1)
        curation.set_status(session, [1], Status.ACCEPTED, at(2))
        with Batch(session, Kind.PROPAGATED) as batch:
            batch.withdraw(1, [at(z) for z in range(4)])
            batch.withdraw(9, [at(0)])
        assert session.objects[1].planes == [at(0), at(2)]
        assert not labels[3].any()
        session.undo()
        assert session.objects[1].planes == [at(z) for z in range(4)]
        add(session, 0, square(1, 20))
        with Batch(session, Kind.PROPAGATED) as batch:
            batch.withdraw(2, [at(0)])
        assert 2 not in session.objects
        session.undo()
        curation.lock(session, [2])
        with Batch(session, Kind.PROPAGATED) as batch:
            batch.withdraw(2, [at(0)])
        assert 2 in session.objects

    def test_what_is_certain_is_accepted_in_one_step(self, session):
        accept(session, 0, 10, 10)
        for z, status in ((1, Status.PROPOSED), (2, Status.UNCLEAR), (3, Status.PROPOSED)):
            add(session, z, square(1, 1), object_id=1, status=status)
        add(session, 0, square(1, 20))
        curation.lock(session, [2])
        places = [(number, at(z)) for number in (1, 2, 3) for z in range(4)]
        assert curation.accept_certain(session, places) == 2
        left = {plane: s.status for plane, s in session.objects[1].sections.items()}
        assert [plane[0] for plane, status in left.items() if status is not Status.ACCEPTED] == [2]
        assert session.objects[2].status is Status.PROPOSED
        assert next_unsure(session.objects, only=Status.UNCLEAR) == (1, at(2))
        session.undo()
        assert session.objects[1].sections[at(3)].status is Status.PROPOSED
        assert next_unsure(session.objects, (1, at(2)), Status.UNCLEAR) == (1, at(2))

    def test_labels_already_there_are_replaced_and_come_back(self, session, labels):
        labels[0, :, :10] = 9
        before = labels.copy()
        assert add(session, 0, square(5, 8), rule=Rule.REPLACE) == [10]
        assert labels[0, 6, 9] == 10
        session.undo()
        np.testing.assert_array_equal(labels, before)


class TestRegrouping:
    def test_merge(self, session, labels):
        add(session, 0, square(1, 1), square(1, 10), score=0.9)
        add(session, 1, square(1, 10), object_id=2, score=0.3)
        curation.merge(session, [1, 2])
        assert list(session.objects) == [1]
        np.testing.assert_array_equal(labels[0] == 1, square(1, 1) | square(1, 10))
        assert session.objects[1].confidence == pytest.approx(0.3)
        session.undo()
        assert sorted(session.objects) == [1, 2]
        np.testing.assert_array_equal(labels[0] == 2, square(1, 10))
        with pytest.raises(InputError, match="at least two"):
            curation.merge(session, [1, 1])

    def test_split_off_the_smaller_part(self, session, labels):
        add(session, 0, square(1, 1, 3) | square(1, 10, 5))
        assert curation.split(session, 1) == [2]
        np.testing.assert_array_equal(labels[0], 1 * square(1, 10, 5) + 2 * square(1, 1, 3))
        with pytest.raises(InputError, match="one piece"):
            curation.split(session, 1)
        session.undo()
        assert set(np.unique(labels)) == {0, 1}

    def test_parts_hang_together_across_planes(self, session, labels):
        add(session, 0, square(1, 1) | square(1, 10))
        add(session, 1, square(1, 1), object_id=1)
        add(session, 2, square(1, 1) | square(1, 10), object_id=1)
        assert curation.split(session, 1) == [2, 3]
        assert labels[:, 1, 1].tolist() == [1, 1, 1, 0]
        assert sorted(labels[[0, 2], 1, 10].tolist()) == [2, 3]

    def test_split_in_one_plane(self, session, labels):
        for z in range(2):
            add(session, z, square(1, 1, 3) | square(1, 10, 5), object_id=1)
        curation.split(session, 1, at(1))
        assert set(np.unique(labels[0])) == {0, 1}
        assert set(np.unique(labels[1])) == {0, 1, 2}

    def test_delete(self, session, labels):
        add(session, 0, square(1, 1), square(1, 10))
        curation.delete(session, [1])
        assert set(np.unique(labels)) == {0, 2}
        session.undo()
        assert set(np.unique(labels)) == {0, 1, 2}


@pytest.mark.parametrize(
    "change",
    [
        lambda s: curation.delete(s, [1]),
        lambda s: curation.merge(s, [2, 1]),
        lambda s: curation.split(s, 1),
        lambda s: curation.discard(s, 1),
        lambda s: curation.set_class(s, [1], 1),
        lambda s: curation.set_status(s, [1], Status.UNCLEAR),
    ],
)
def test_a_locked_object_does_not_change(session, labels, change):
    add(session, 0, square(1, 1) | square(1, 20), square(1, 10))
    curation.lock(session, [1])
    before, held = labels.copy(), dict(session.objects)
    with pytest.raises(InputError, match="locked"):
        change(session)
    np.testing.assert_array_equal(labels, before)
    assert dict(session.objects) == held
    curation.lock(session, [1], False)
    change(session)


class TestClasses:
    def test_labels_hold_classes_or_ids(self, session, labels):
        session.configure(classes={1: "cell", 5: "debris"})
        add(session, 0, square(1, 1), square(1, 10))
        curation.set_class(session, [2], 5)
        assert set(np.unique(labels)) == {0, 1, 2}
        session.configure(semantic=True)
        np.testing.assert_array_equal(labels[0], 1 * square(1, 1) + 5 * square(1, 10))
        curation.set_class(session, [1], 5)
        assert set(np.unique(labels)) == {0, 5}
        session.undo()
        assert labels[0, 1, 1] == 1
        session.configure(semantic=False)
        np.testing.assert_array_equal(labels[0], 1 * square(1, 1) + 2 * square(1, 10))

    def test_new_objects_have_the_chosen_class(self, session, labels):
        session.configure(semantic=True, classes={1: "cell", 3: "nucleus"}, new_class=3)
        accept(session, 0, 10, 10)
        accept(session, 0, 10, 20)
        assert set(np.unique(labels)) == {0, 3}
        assert sorted(session.objects) == [1, 2]

    def test_a_class_in_use_needs_a_name(self, session):
        add(session, 0, square(1, 1))
        with pytest.raises(InputError, match="class 1 is in use"):
            session.configure(classes={2: "other"}, new_class=2)
        with pytest.raises(InputError, match="begin at 1"):
            session.configure(classes={0: "none", 1: "cell"})
        with pytest.raises(InputError, match="no class 7"):
            curation.set_class(session, [1], 7)

    def test_setting_them_up_is_a_step(self, session, labels):
        add(session, 0, square(1, 1), square(1, 10))
        session.configure(classes={1: "cell", 2: "nucleus"}, new_class=2)
        curation.set_class(session, [2], 2)
        before = labels.copy()
        session.configure(semantic=True)
        swapped = labels.copy()
        session.undo()
        assert not session.semantic
        np.testing.assert_array_equal(labels, before)
        session.redo()
        assert session.semantic
        np.testing.assert_array_equal(labels, swapped)
        for _ in range(3):
            session.undo()
        assert (session.classes, session.new_class) == ({1: "object"}, 1)
        for _ in range(3):
            session.redo()
        assert session.semantic
        assert (session.classes, session.new_class) == ({1: "cell", 2: "nucleus"}, 2)
        np.testing.assert_array_equal(labels, swapped)

    def test_it_is_written_down_and_read_again(self, session):
        session.configure(classes={1: "cell", 2: "nucleus"}, semantic=True, new_class=2)
        codec, (change,) = Codec(InlineMasks()), session.history.done
        assert codec.read_change(json.loads(json.dumps(codec.change(change)))) == change

    def test_setting_up_what_is_so_already_is_no_step(self, session):
        session.configure(semantic=False, classes={1: "object"}, new_class=1)
        assert not session.can_undo

    def test_pixels_that_somebody_else_changed_stay_when_it_is_taken_back(self, session, labels):
        session.configure(classes={1: "cell", 2: "nucleus"})
        add(session, 0, square(1, 1), square(1, 10))
        curation.set_class(session, [2], 2)
        session.configure(semantic=True)
        labels[0, 1, 1] = 77
        session.undo()
        assert labels[0, 1, 1] == 77
        assert labels[0, 2, 2] == 1

    def test_a_class_that_labels_brought_along_keeps_its_name(self, session, labels):
        session.configure(semantic=True)
        labels[0, 10:14, 20:24] = 5
        assert object_at(session, (0, None, None), 11, 21) is not None
        assert session.classes == {1: "object", 5: "class 5"}
        session.undo()
        assert not session.semantic
        assert session.classes == {1: "object", 5: "class 5"}
        session.configure(semantic=True)

    def test_painting_a_class_joins_the_object_it_touches(self, session, labels):
        session.configure(semantic=True, classes={1: "cell", 2: "nucleus"})
        add(session, 0, square(1, 1), square(10, 10))
        paint(session, labels, 0, square(1, 5), 1)
        assert session.objects[1].pixels == 32
        paint(session, labels, 0, square(1, 20), 2)
        assert session.objects[3].class_id == 2


class TestReview:
    @pytest.fixture
    def reviewed(self, session):
        for number, scores in enumerate([(0.9, 0.8), (0.7, 0.2), (0.95,)], start=1):
            for z, score in enumerate(scores):
                add(session, z, square(1, 8 * number), object_id=number, score=score)
        accept(session, 3, 10, 10)
        return session

    def test_least_sure_first(self, reviewed):
        paint(reviewed, reviewed.labels.target.data, 3, square(1, 1), 9)
        assert [held.id for held in by_confidence(reviewed.objects.values())] == [2, 1, 4, 3, 9]

    def test_the_weakest_plane(self, reviewed):
        assert weakest_plane(reviewed.objects[2]) == at(1)
        curation.set_status(reviewed, [2], Status.UNCLEAR, at(0))
        assert weakest_plane(reviewed.objects[2]) == at(0)
        curation.set_status(reviewed, [2], Status.ACCEPTED)
        assert weakest_plane(reviewed.objects[2]) == at(1)

    def test_next_goes_round(self, reviewed):
        seen, here = [], None
        for _ in range(6):
            here = next_unsure(reviewed.objects, here)
            seen.append(here)
        assert seen[:5] == [(1, at(0)), (1, at(1)), (2, at(0)), (2, at(1)), (3, at(0))]
        assert seen[5] == seen[0]
        curation.set_status(reviewed, [1, 2, 3], Status.ACCEPTED)
        assert next_unsure(reviewed.objects) is None

    def test_discard_leaves_what_was_accepted(self, reviewed):
        curation.set_status(reviewed, [1], Status.ACCEPTED, at(0))
        curation.discard(reviewed, 1)
        assert reviewed.objects[1].planes == [at(0)]
        curation.discard(reviewed, 2)
        assert 2 not in reviewed.objects
        reviewed.undo()
        assert reviewed.objects[2].planes == [at(0), at(1)]

    def test_who_changed_is_told(self, reviewed):
        told = []
        reviewed.objects_changed.connect(told.append)
        curation.set_status(reviewed, [1, 2], Status.ACCEPTED)
        reviewed.undo()
        drawing.draw(reviewed, at(0), [(1, 1)], [1])
        assert told == [{1, 2}, {1, 2}]


def test_a_new_target_shows_all_objects(session, labels):
    add(session, 0, square(1, 1))
    add(session, 1, square(1, 1), object_id=1)
    again = np.zeros(SHAPE, np.uint8)
    session.labels.write_to(ArrayTarget(again))
    np.testing.assert_array_equal(again, labels)
    session.undo()
    assert not again[1].any()
    assert labels[1].any()


def test_a_target_too_small_for_the_ids_is_refused(session, labels):
    add(session, 0, square(1, 1), object_id=300)
    with pytest.raises(InputError, match=r"object 300 .* uint8"):
        session.labels.write_to(ArrayTarget(np.zeros(SHAPE, np.uint8)))
    session.undo()
    assert not labels.any()


def test_the_oldest_steps_are_dropped_and_it_is_said_once():
    session, said = Session(history_bytes=20_000), []
    session.remarked.connect(said.append)
    for i in range(200):
        drawing.draw(session, (None, None), [(i, i)], [1])
    assert len(said) == 1
    assert "oldest steps" in said[0]
    assert session.history.nbytes <= 20_000
    assert 10 < len(session.history.done) < 100
    while session.can_undo:
        session.undo()
    assert session.draft.points[0][0] > 90


@pytest.mark.parametrize(
    ("kind", "number", "why"),
    [
        (np.uint64, 2**63, "numbers up to 9223372036854775807"),
        (np.uint64, 2**64 - 1, "numbers up to 9223372036854775807"),
        (np.int32, -1, "must not be negative"),
    ],
)
def test_labels_that_no_object_can_have_are_refused_in_words(kind, number, why):
    session, labels = Session(), np.zeros(SHAPE, kind)
    labels[0, 2:6, 2:6] = number
    before = labels.copy()
    session.labels.write_to(ArrayTarget(labels))
    with pytest.raises(InputError, match=why):
        adopt(session, at(0))
    with (
        pytest.raises(InputError, match=f"{why}|does not fit"),
        Batch(session, Kind.AUTOMATIC, Rule.REPLACE) as batch,
    ):
        batch.add(at(0), [NewMask(square(1, 1), score=0.8)])
    assert not session.objects
    np.testing.assert_array_equal(labels, before)


def test_labels_of_large_numbers_become_objects():
    session, labels = Session(), np.zeros(SHAPE, np.uint64)
    labels[0, 2:6, 2:6] = 2**63 - 1
    labels[0, 10:12, 2:6] = 4_000_000_000
    session.labels.write_to(ArrayTarget(labels))
    adopt(session, at(0))
    assert {number: held.pixels for number, held in session.objects.items()} == {
        2**63 - 1: 16,
        4_000_000_000: 8,
    }
