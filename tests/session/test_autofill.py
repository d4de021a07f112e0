"""What an automatic run has found, in a session: what is there stays, the rest is filled in."""

from __future__ import annotations

import math

import numpy as np
import pytest

from napari_sam.inference.automatic.selection import Selection, in_what_is_left
from napari_sam.results import Proposal
from napari_sam.session.autofill import (
    FillCounts,
    Filling,
    choose,
    fill,
    settled,
    useful_first,
)
from napari_sam.session.batch import Batch, NewMask
from napari_sam.session.changes import Kind
from napari_sam.session.disk.fingerprint import Fingerprint
from napari_sam.session.disk.folder import SessionFolder, read_session
from napari_sam.session.disk.manifest import Manifest
from napari_sam.session.edit import curation
from napari_sam.session.objects import Origin, Source, Status
from napari_sam.session.overlap import Rule
from napari_sam.session.records import Redone, Undone
from napari_sam.session.session import Session
from tests.fakes import ArrayTarget

PLANE = (None, None)
SHAPE = 20, 30


def square(row, column, side=4, score=0.9, width=None):
    mask = np.zeros(SHAPE, bool)
    mask[row : row + side, column : column + (width or side)] = True
    return Proposal.of(mask, np.zeros(SHAPE), score=score, stability=1, point=(row, column))


def accept(session, *found, status=Status.ACCEPTED, source=Source.PROMPTED):
    with Batch(session, Kind.AUTOMATIC) as batch:
        return batch.add(
            PLANE, [NewMask(one.mask, origin=Origin(source), status=status) for one in found]
        )


def held(session, rule=Rule.KEEP, labels=None):
    return settled(session.objects, PLANE, SHAPE, rule, labels)


@pytest.fixture
def session():
    return Session()


A, B, C = square(1, 1), square(1, 11), square(11, 1)


def test_everything_is_proposed_as_one_step(session):
    filled = fill(session, PLANE, choose([A, B, C], Selection()), Rule.KEEP, math.inf)
    assert (filled.accepted, filled.waiting) == (0, 3)
    assert {o.status for o in session.objects.values()} == {Status.PROPOSED}
    section = session.objects[1].sections[PLANE]
    assert section.origin.source is Source.AUTOMATIC
    assert section.score == 0.9
    np.testing.assert_array_equal(section.mask.full(), A.mask)
    session.undo()
    assert not session.objects


class TestWords:
    """Objects whose class is what somebody asked for."""

    def put(self, session, words, rule=Rule.KEEP):
        found = [one for some in words.values() for one in some]
        there = settled(session.objects, PLANE, SHAPE, rule, classes=())
        fill(session, PLANE, choose(found, Selection(), there), rule, math.inf, words)

    def classes(self, session):
        return {n: session.classes[held.class_id] for n, held in session.objects.items()}

    def test_each_gets_its_class_and_one_undo_takes_the_names_back_too(self, session):
        data = np.zeros(SHAPE, np.uint8)
        session.labels.write_to(ArrayTarget(data))
        self.put(session, {"round": [A], "long": [B, C], "blue": []})
        assert self.classes(session) == {1: "round", 2: "long", 3: "long"}
        assert session.classes == {1: "round", 2: "long", 3: "blue"}
        assert data[B.corner] == 2
        session.undo()
        assert session.classes == {1: "object"}
        assert not session.objects
        assert not data.any()
        session.redo()
        assert self.classes(session) == {1: "round", 2: "long", 3: "long"}
        assert data[C.corner] == 3

    def test_a_map_of_classes_shows_their_numbers(self, session):
        data = np.zeros(SHAPE, np.uint8)
        session.labels.write_to(ArrayTarget(data))
        session.configure(semantic=True)
        self.put(session, {"round": [A], "long": [B, C]})
        assert (data[A.corner], data[B.corner], data[C.corner]) == (1, 2, 2)

    def test_other_words_stay_and_the_same_ones_make_room(self, session):
        self.put(session, {"round": [A], "long": [B]})
        self.put(session, {"Long": [C]})
        assert self.classes(session) == {1: "round", 2: "long"}
        np.testing.assert_array_equal(session.objects[2].sections[PLANE].mask.full(), C.mask)
        self.put(session, {"long": []})
        assert self.classes(session) == {1: "round"}

    def test_a_class_with_objects_keeps_its_name(self, session):
        accept(session, A)
        self.put(session, {"long": [B]})
        assert self.classes(session) == {1: "object", 2: "long"}

    def test_it_is_in_the_saved_session(self, tmp_path):
        picture = Manifest(Fingerprint(SHAPE, "|u1", "x"), "cells.tif")
        folder = SessionFolder.create(tmp_path / "saved", picture)
        self.put(Session(log=folder), {"long": [B]})
        folder.append(Undone())
        folder.append(Redone())
        folder.close()
        restored = read_session(tmp_path / "saved")
        assert self.classes(restored) == {1: "long"}
        restored.undo()
        assert restored.classes == {1: "object"}


def test_what_is_certain_is_accepted_and_the_rest_is_unclear_most_useful_first(session):
    found = [square(1, 1, 4, 0.5), square(1, 11, 4, 0.7), square(11, 1, 2, 0.8), B, C]
    found[3:] = [square(11, 11, 4, 0.95)]
    filled = fill(session, PLANE, choose(found, Selection()), Rule.KEEP, 0.9)
    assert (filled.accepted, filled.waiting) == (1, 3)
    statuses = [session.objects[n].status for n in sorted(session.objects)]
    assert statuses == [Status.ACCEPTED, *[Status.UNCLEAR] * 3]
    scores = [session.objects[n].confidence for n in sorted(session.objects)]
    assert scores == pytest.approx([0.95, 0.7, 0.5, 0.8])  # the last one is the small one


def test_a_blob_of_background_does_not_come_first():
    blob = square(0, 0, 20, 0.4, width=14)
    chosen = choose([blob, square(1, 16, 4, 0.7), square(8, 16, 4, 0.6)], Selection())
    assert [one.score for one, _ in useful_first(chosen.objects())] == [0.7, 0.6, 0.4]


def test_what_is_settled_is_not_found_again(session):
    accept(session, A)
    again, around, beside = square(2, 1), square(0, 0, 8), square(1, 4)
    left = in_what_is_left([again, around, beside, B], held(session))
    assert left == [beside, B]


def test_settled_pixels_stay_under_either_rule(session):
    accept(session, A)
    before = session.objects[1].sections[PLANE]
    beside = square(1, 4)  # shares a column with A
    for rule in Rule:
        there = held(session, rule)
        fill(session, PLANE, choose([beside], Selection(), there), rule, 0)
        assert session.objects[1].sections[PLANE] is before
        assert session.objects[2].pixels == 12
        session.undo()


def test_a_second_run_takes_the_place_of_what_nobody_judged(session):
    fill(session, PLANE, choose([A, B, C], Selection()), Rule.KEEP, math.inf)
    curation.set_status(session, [1], Status.ACCEPTED)
    curation.lock(session, [2])
    there = held(session)
    assert np.unique(there).tolist() == [0, 1, 2]
    new = in_what_is_left([A, B, square(11, 1, 6)], there)
    fill(session, PLANE, choose(new, Selection(), there), Rule.KEEP, math.inf)
    assert sorted(o.pixels for o in session.objects.values()) == [16, 16, 36]
    session.undo()
    assert sorted(o.pixels for o in session.objects.values()) == [16, 16, 16]


def test_under_replace_only_what_is_accepted_stays(session):
    accept(session, A, status=Status.PROPOSED)
    accept(session, B)
    np.testing.assert_array_equal(held(session) != 0, A.mask | B.mask)
    np.testing.assert_array_equal(held(session, Rule.REPLACE) != 0, B.mask)


def test_labels_of_no_object_stay(session):
    data = np.zeros(SHAPE, np.uint16)
    data[A.mask] = 1
    session.labels.write_to(ArrayTarget(data), 1)
    accept(session, B)
    there = held(session, Rule.REPLACE, data)
    assert np.count_nonzero(there) == 32
    assert in_what_is_left([A, B, C], there) == [C]
    fill(session, PLANE, choose([C], Selection(), there), Rule.REPLACE, 0)
    assert len(np.unique(data)) == 4


def test_an_object_that_settled_ones_cover_is_left_out():
    there = np.zeros(SHAPE, np.int64)
    there[A.mask] = 7
    chosen = choose([A, B], Selection(), there)
    assert [one for one, _ in chosen.objects()] == [B]
    assert (chosen.labels[A.mask] == 0).all()


def test_nothing_found_takes_earlier_ones_away(session):
    fill(session, PLANE, choose([A], Selection()), Rule.KEEP, math.inf)
    nothing = choose([A], Selection(score=(1, None)))
    filled = fill(session, PLANE, nothing, Rule.KEEP, 0.5)
    assert (filled.accepted, filled.waiting) == (0, 0)
    assert not session.objects


class TestFilling:
    def filling(self, session, certain=math.inf):
        return Filling(session, Rule.KEEP, certain)

    def put(self, filling, z, *found, links=(7, 8, 9)):
        chosen = choose(found, Selection(), np.zeros(SHAPE, int))
        filling.put((z, None, None), chosen, dict(zip(found, links, strict=False)))

    def test_what_has_one_link_is_one_object_and_all_is_one_step(self, session):
        filling = self.filling(session)
        for z in range(3):
            self.put(filling, z, square(1, 1), square(1, 11))
        assert [len(one.sections) for one in session.objects.values()] == [3, 3]
        assert filling.filled == FillCounts(0, 2, session.history.done[-1].number)
        session.undo()
        assert not session.objects
        assert not filling.is_open
        self.put(filling, 3, A)
        assert not session.objects

    def test_an_object_waits_if_it_does_on_one_plane(self, session):
        filling = self.filling(session, 0.8)
        self.put(filling, 0, square(1, 1, score=0.9), square(1, 11, score=0.9))
        self.put(filling, 1, square(1, 1, score=0.7), square(1, 11, score=0.9))
        assert (filling.filled.accepted, filling.filled.waiting) == (1, 1)

    def test_objects_deleted_or_locked_meanwhile_stay_so(self, session):
        filling = self.filling(session)
        self.put(filling, 0, square(1, 1), square(1, 11))
        curation.delete(session, [1])
        curation.lock(session, [2])
        self.put(filling, 1, square(1, 1), square(1, 11))
        assert list(session.objects[2].sections) == [(0, None, None)]
        assert [len(one.sections) for one in session.objects.values()] == [1, 1, 1]

    def test_a_plane_on_which_nothing_was_found(self, session):
        fill(session, (0, None, None), choose([A], Selection()), Rule.KEEP, math.inf)
        filling = self.filling(session)
        self.put(filling, 0)
        assert not session.objects


class TestOverlaps:
    """What others leave is written only if it is an object still."""

    def test_what_lies_on_a_settled_one_and_another_find_is_left_out_and_counted(self, session):
        there = np.zeros(SHAPE, np.int64)
        there[:, :4] = 1
        best, covered = square(0, 8, 12, 0.9), square(0, 1, 11, 0.8)  # 40 of its 121 are free
        chosen = choose([best, covered], Selection(), there)
        assert chosen.kept == [best]
        assert chosen.covered == 1
        done = fill(session, PLANE, chosen, Rule.KEEP, 0)
        assert (done.accepted, done.covered, done.thin) == (1, 1, 0)
        assert len(session.objects) == 1

    def test_slivers_are_in_neither_preview_nor_labels_and_counted(self, session):
        below = square(0, 0, 12, 0.8, width=20)
        top = square(2, 0, 10, 0.9, width=9)
        chosen = choose([top, below], Selection())
        assert not chosen.labels[:2, :8].any()
        assert chosen.thin == 16
        done = fill(session, PLANE, chosen, Rule.KEEP, 0)
        assert (done.accepted, done.thin) == (2, 16)
        assert sorted(o.pixels for o in session.objects.values()) == [90, 240 - 90 - 16]

    def test_of_an_area_of_many_only_what_is_there_is_cut_out(self):
        there = np.zeros(SHAPE, np.int64)
        there[:, :8] = 1
        area = square(0, 0, 10, width=12)
        assert choose([area], Selection(), there).kept == []
        chosen = choose([area], Selection(), there, areas=True)
        assert (chosen.labels == 1).sum() == 40
        assert chosen.covered == 0
