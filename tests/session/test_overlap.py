"""The overlap rules: nothing outside the old and the new mask ever changes."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sam.errors import InputError
from napari_sam.results import Prediction
from napari_sam.session import drawing
from napari_sam.session.batch import Batch, NewMask
from napari_sam.session.changes import Kind
from napari_sam.session.edit import curation
from napari_sam.session.objects import Status
from napari_sam.session.overlap import Rule, overlapped
from napari_sam.session.session import Session
from tests.fakes import ArrayTarget

PLANE = 1, None, None
FLAT = None, None


def show(session, mask, plane=PLANE, score=0.9):
    """Let a model have found a mask."""
    row, column = np.argwhere(mask)[0] if mask.any() else (0, 0)
    drawing.draw(session, plane, [(row, column)], [1])
    logits = np.zeros((1, 8, 8), np.float32)
    session.receive(session.request, Prediction(mask[None], np.float32([score]), logits))


def session_over(labels):
    session = Session()
    session.labels.write_to(ArrayTarget(labels), int(labels.max()))
    return session


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("rule", list(Rule))
def test_only_the_mask_changes_and_undo_gives_all_back(seed, rule):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, (2, 9, 11)).astype(rng.choice([np.uint8, np.int32, np.uint64]))
    mask = rng.random((9, 11)) < 0.3
    before = labels.copy()
    session = session_over(labels)
    show(session, mask)
    accepted = drawing.accept(session, rule, rest=True)
    np.testing.assert_array_equal(labels[0], before[0])
    np.testing.assert_array_equal(labels[1][~mask], before[1][~mask])
    written = mask if rule is Rule.REPLACE else mask & (before[1] == 0)
    np.testing.assert_array_equal(labels[1] == accepted.object_id, written)
    np.testing.assert_array_equal(labels[1][mask & ~written], before[1][mask & ~written])
    assert accepted.pixels == session.objects[accepted.object_id].pixels == written.sum()
    after = labels.copy()
    session.undo()
    np.testing.assert_array_equal(labels, before)
    session.redo()
    np.testing.assert_array_equal(labels, after)


def test_keep_leaves_neighbours_whole():
    labels = np.zeros((10, 10), np.uint8)
    labels[:, :5] = 1
    session = session_over(labels)
    show(session, np.ones((10, 10), bool), FLAT)
    drawing.accept(session, Rule.KEEP)
    assert (labels[:, :5] == 1).all()
    assert (labels[:, 5:] == 2).all()


def test_what_is_replaced_is_an_object_from_then_on():
    labels = np.zeros((10, 10), np.uint8)
    labels[:, :5] = 7
    session = session_over(labels)
    mask = np.zeros((10, 10), bool)
    mask[:, 4:6] = True
    show(session, mask, FLAT)
    drawing.accept(session, Rule.REPLACE)
    assert session.objects[7].pixels == 40
    assert session.objects[8].pixels == 20


def test_a_locked_object_keeps_its_pixels():
    labels = np.zeros((10, 10), np.uint8)
    session = session_over(labels)
    locked = np.tri(10, k=-2, dtype=bool)
    show(session, locked, FLAT)
    drawing.accept(session)
    curation.lock(session, [1])
    show(session, np.ones((10, 10), bool), FLAT)
    drawing.accept(session, Rule.REPLACE)
    np.testing.assert_array_equal(labels, np.where(locked, 1, 2))


def test_nothing_left_to_write_is_refused():
    labels = np.full((4, 4), 5, np.uint8)
    session = session_over(labels)
    show(session, np.eye(4, dtype=bool), FLAT)
    with pytest.raises(InputError, match="All of this mask belongs to object 5; choose to replace"):
        drawing.accept(session, Rule.KEEP)
    assert (labels == 5).all()
    assert session.mask is not None


def test_an_empty_mask_is_refused():
    session = session_over(np.zeros((4, 4), np.uint8))
    show(session, np.zeros((4, 4), bool), FLAT)
    with pytest.raises(InputError, match="mask is empty"):
        drawing.accept(session, Rule.REPLACE)


def test_an_object_that_loses_all_is_gone_and_comes_back():
    labels = np.zeros((6, 6), np.uint8)
    session = session_over(labels)
    show(session, np.eye(6, dtype=bool), FLAT)
    drawing.accept(session)
    show(session, np.ones((6, 6), bool), FLAT)
    drawing.accept(session, Rule.REPLACE)
    assert list(session.objects) == [2]
    session.undo()
    assert list(session.objects) == [1]
    np.testing.assert_array_equal(labels, np.eye(6))


def test_overlapped_counts_no_background():
    assert overlapped(np.array([[0, 1, 1, 2]]), np.array([[1, 1, 0, 1]], bool)) == {1: 1, 2: 1}


ROWS, COLUMNS = np.indices((60, 80))


def disc(row, column, radius):
    return (ROWS - row) ** 2 + (COLUMNS - column) ** 2 <= radius**2


@pytest.fixture
def labels():
    return np.zeros((60, 80), np.uint16)


@pytest.fixture
def session(labels):
    session = Session()
    session.labels.write_to(ArrayTarget(labels))
    return session


def take(session, mask, **how):
    show(session, mask, FLAT)
    return drawing.accept(session, **how)


class TestRemainders:
    """Under half of a mask is not written unasked."""

    def test_a_ring_around_an_object_is_refused_and_nothing_is_lost(self, session, labels):
        take(session, disc(30, 40, 12))
        before, steps = labels.copy(), len(session.history.done)
        show(session, disc(30, 41, 13), FLAT)
        with pytest.raises(InputError, match=r"8[0-9] % of this mask belongs to object 1"):
            drawing.accept(session)
        np.testing.assert_array_equal(labels, before)
        assert len(session.history.done) == steps + 1  # the prompt
        assert session.mask.sum() == disc(30, 41, 13).sum()

    def test_the_rest_is_written_if_that_is_wanted_and_taken_back_as_one_step(
        self, session, labels
    ):
        take(session, disc(30, 40, 12))
        before, small = labels.copy(), disc(30, 60, 7)
        show(session, disc(30, 40, 12) | small, FLAT)
        with pytest.raises(InputError, match="object 1"):
            drawing.accept(session)
        got = drawing.accept(session, rest=True)
        np.testing.assert_array_equal(labels == 2, small & ~disc(30, 40, 12))
        assert (got.object_id, got.pixels) == (2, int(small.sum()))
        session.undo()
        np.testing.assert_array_equal(labels, before)
        assert session.draft.has_prompts

    def test_replaced_there_it_is_whole_and_one_step(self, session, labels):
        take(session, disc(30, 40, 12))
        before, wanted = labels.copy(), disc(30, 44, 11)
        got = take(session, wanted, rule=Rule.REPLACE)
        np.testing.assert_array_equal(labels == 2, wanted)
        assert got.left == {1: (labels == 1).sum()}
        session.undo()
        np.testing.assert_array_equal(labels, before)

    def test_what_is_replaced_but_for_a_ring_is_gone(self, session, labels):
        take(session, disc(30, 40, 12))
        got = take(session, disc(30, 40, 10), rule=Rule.REPLACE)
        assert got.left == {1: 0}
        assert list(session.objects) == [2]
        session.undo()
        np.testing.assert_array_equal(labels, disc(30, 40, 12))

    @pytest.mark.parametrize("rule", list(Rule))
    def test_a_locked_one_counts_under_either_rule(self, session, labels, rule):
        take(session, disc(30, 40, 12))
        curation.lock(session, [1])
        before = labels.copy()
        show(session, disc(30, 41, 13), FLAT)
        assert drawing.claimed(session, rule).is_remainder
        with pytest.raises(InputError, match="object 1"):
            drawing.accept(session, rule)
        np.testing.assert_array_equal(labels, before)

    def test_an_object_that_is_corrected_has_its_own_pixels_free(self, session, labels):
        take(session, disc(30, 40, 12))
        take(session, disc(30, 60, 9))
        drawing.reopen(session, 1, FLAT)
        take(session, disc(30, 41, 13))
        assert session.objects[1].pixels == (labels == 1).sum() > disc(30, 40, 12).sum()

    def test_a_pixel_that_it_had_is_never_too_thin(self, session, labels):
        rest = disc(30, 40, 12) & ~disc(30, 42, 11)
        labels[disc(30, 42, 11)] = 9
        drawing.adopt(session, FLAT, [9])
        show(session, disc(30, 40, 12), FLAT)
        first = drawing.accept(session, rest=True)
        assert 0 < first.pixels < rest.sum()
        labels_before = labels.copy()
        drawing.reopen(session, first.object_id, FLAT)
        drawing.accept(session)
        np.testing.assert_array_equal(labels, labels_before)


class TestSlivers:
    """What an overlap cuts off is left out where it is thinner than three pixels."""

    def test_they_are_left_out_and_counted(self, session, labels):
        take(session, disc(30, 30, 10))
        wanted = disc(30, 30, 11) | disc(30, 52, 12)  # a fat half, and a thin ring around object 1
        got = take(session, wanted)
        mine = labels == 2
        np.testing.assert_array_equal(mine & ~wanted, False)
        assert not mine[30, 19]
        assert mine[disc(30, 52, 11)].all()
        cut = wanted & (labels != 1)
        assert got.thin == cut.sum() - mine.sum() > 20
        assert got.pixels == mine.sum()

    def test_a_mask_that_is_thin_itself_keeps_all_its_free_pixels(self, session, labels):
        take(session, disc(30, 30, 10))
        wanted = np.zeros(labels.shape, bool)
        wanted[30:32] = True  # a fibre that crosses it
        got = take(session, wanted)
        np.testing.assert_array_equal(labels == 2, wanted & ~disc(30, 30, 10))
        assert got.thin == 0

    def test_without_an_overlap_nothing_is_left_out(self, session, labels):
        rng = np.random.default_rng(0)
        wanted = rng.random(labels.shape) < 0.5
        assert take(session, wanted).pixels == wanted.sum()

    def test_only_slivers_left_count_as_nothing(self, session):
        take(session, disc(30, 40, 12))
        show(session, disc(30, 40, 13), FLAT)
        claim = drawing.claimed(session)
        assert claim.mask is None
        assert claim.thin == disc(30, 40, 13).sum() - disc(30, 40, 12).sum()
        with pytest.raises(InputError, match="object 1"):
            drawing.accept(session, rest=True)


class TestBatches:
    """Nobody is asked about each mask of a batch: what lies on others is counted."""

    def put(self, session, *masks, rule=Rule.KEEP, **more):
        with Batch(session, Kind.AUTOMATIC, rule) as batch:
            ids = batch.add(FLAT, [NewMask(mask, **more) for mask in masks])
        return ids, batch.tally

    def test_remainders_are_left_out_and_named(self, session, labels):
        take(session, disc(30, 20, 10))
        take(session, disc(30, 45, 10))
        before = labels.copy()
        ids, tally = self.put(session, disc(30, 21, 11), disc(10, 70, 6), disc(30, 45, 11))
        assert ids == [None, 3, None]
        assert tally.said() == ("2 of 3 lay on other objects and were left out: objects 1 and 2.")
        np.testing.assert_array_equal(labels, before + 3 * disc(10, 70, 6))

    def test_the_first_of_the_same_batch_counts_like_any_other(self, session, labels):
        ids, tally = self.put(session, disc(30, 40, 12), disc(30, 41, 13), rule=Rule.REPLACE)
        assert ids == [1, None]
        assert tally.said() == "1 of 2 lay on other objects and was left out: object 1."
        np.testing.assert_array_equal(labels, disc(30, 40, 12))

    def test_slivers_are_left_out_and_counted(self, session, labels):
        take(session, disc(30, 30, 10))
        wanted = disc(30, 30, 11) | disc(30, 52, 12)
        _, tally = self.put(session, wanted)
        thin = (wanted & (labels == 0)).sum()
        assert tally.said().startswith(f"{thin} pixels were left out")

    def test_one_that_keeps_its_old_mask_keeps_all_of_it(self, session, labels):
        """Others get new masks at the same time, and would take its pixels if it moved."""
        take(session, disc(30, 20, 10))
        take(session, disc(30, 45, 10))
        old = labels.copy()
        with Batch(session, Kind.REFINED) as batch:
            ids = batch.add(
                FLAT,
                [
                    NewMask(disc(30, 28, 14), 1, status=Status.ACCEPTED),
                    NewMask(disc(30, 27, 12), 2, status=Status.ACCEPTED),
                ],
            )
        assert ids == [1, None]
        np.testing.assert_array_equal(labels == 2, old == 2)
        np.testing.assert_array_equal(labels == 1, disc(30, 28, 14) & (old != 2))
        assert batch.tally.on == {1}


class TestCorrect:
    """The object that is in the way is opened, with the prompts of the draft."""

    def test_the_prompts_are_added_to_its_own_as_one_step(self, session):
        take(session, disc(30, 40, 12))
        drawing.draw(session, FLAT, [(31, 44), (30, 60)], [1, 0])
        draft, steps = session.draft, len(session.history.done)
        drawing.correct(session, 1)
        assert session.draft.object_id == 1
        assert session.draft.points == (
            *session.objects[1].sections[FLAT].prompts.points,
            *draft.points,
        )
        assert session.draft.labels == (1, 1, 0)
        np.testing.assert_array_equal(session.request.prompts.mask, disc(30, 40, 12))
        assert len(session.history.done) == steps + 1
        session.undo()
        assert session.draft == draft

    def test_a_label_of_no_object_becomes_one(self, session, labels):
        labels[disc(30, 40, 12)] = 7
        drawing.draw(session, FLAT, [(31, 44)], [1])
        drawing.correct(session, 7)
        assert session.draft.held.area == disc(30, 40, 12).sum()
        assert session.draft.points == ((31, 44),)

    def test_the_correction_of_another_object_does_not_go_along(self, session):
        take(session, disc(30, 40, 12))
        take(session, disc(30, 65, 8))
        drawing.reopen(session, 2, FLAT)
        drawing.draw(session, FLAT, [*session.draft.points, (30, 44)], [1, 1])
        draft = session.draft
        drawing.correct(session, 1)
        assert (session.draft.object_id, session.draft.touched) == (1, False)
        session.undo()
        assert session.draft == draft

    def test_a_locked_one_is_refused(self, session):
        take(session, disc(30, 40, 12))
        curation.lock(session, [1])
        drawing.draw(session, FLAT, [(31, 44)], [1])
        with pytest.raises(InputError, match="locked"):
            drawing.correct(session, 1)
        assert session.draft.object_id is None


def test_remainders_of_a_crowded_field():
    """Each of forty cells is found once more, a little larger, as an impatient search does."""
    rng = np.random.default_rng(1)
    labels = np.zeros((240, 320), np.uint16)
    session = Session()
    session.labels.write_to(ArrayTarget(labels))
    rows, columns = np.indices(labels.shape)
    cells = [
        (rows - 30 * r - 15) ** 2 + (columns - 40 * c - 20) ** 2 <= rng.integers(8, 13) ** 2
        for r in range(8)
        for c in range(5)
    ]
    again = [
        np.roll(cell, tuple(rng.integers(-2, 3, 2)), (0, 1)) | np.roll(cell, 1, 0) for cell in cells
    ]
    with Batch(session, Kind.AUTOMATIC) as batch:
        batch.add(FLAT, [NewMask(cell) for cell in cells])
        ids = batch.add(FLAT, [NewMask(cell) for cell in again])
    # Without the rule all of them were objects, of 19 to 89 pixels.
    assert ids == [None] * 40
    assert len(session.objects) == 40
