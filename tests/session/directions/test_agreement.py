"""Sections of several directions: one owner a pixel, whatever somebody does, and undo of all."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sam.planes import spanned
from napari_sam.results import Prediction
from napari_sam.session import drawing
from napari_sam.session.batch import Batch, NewMask
from napari_sam.session.changes import Kind
from napari_sam.session.directions.agreement import Disagreement
from napari_sam.session.disk.folder import SessionFolder, restore
from napari_sam.session.disk.manifest import Manifest
from napari_sam.session.objects import Origin, Source, Status
from napari_sam.session.overlap import Rule
from napari_sam.session.paint import paint
from napari_sam.session.session import Session
from tests.fakes import ArrayTarget
from tests.session.player import MODEL, PICTURE, SHAPE, Player


def index_of(plane):
    return tuple(slice(None) if at is None else at for at in plane)


def size_of(plane):
    return tuple(SHAPE[axis] for axis in spanned(plane))


def pixels_of(held):
    found = np.zeros(SHAPE, bool)
    for plane, section in held.sections.items():
        if section.mask is not None:
            found[index_of(plane)] |= section.mask.full()
    return found


def check(session, labels):
    """All sections of an object agree, no two objects share a pixel, and the labels show them."""
    shown = np.zeros(SHAPE, int)
    for held in session.objects.values():
        pixels = pixels_of(held)
        assert not shown[pixels].any()
        shown[pixels] = held.class_id if session.semantic else held.id
        assert held.pixels == pixels.sum()
        for plane, section in held.sections.items():
            full = section.mask.full() if section.mask is not None else None
            if full is not None or section.is_absent:
                mine = np.zeros(size_of(plane), bool) if full is None else full
                np.testing.assert_array_equal(pixels[index_of(plane)], mine)
    np.testing.assert_array_equal(labels, shown)


class SidePlayer(Player):
    """Somebody who works in all three directions."""

    def plane(self):
        axis = int(self.rng.integers(3))
        at = int(self.rng.integers(SHAPE[axis]))
        return tuple(at if i == axis else None for i in range(3))

    def place(self, plane):
        return tuple(int(self.rng.integers(n)) for n in size_of(plane))

    def answer(self):
        request = self.session.request
        if request is not None:
            self.session.receive(request, request.run(MODEL, size_of(request.plane)))

    def click(self):
        draft = self.session.draft
        plane = draft.plane or self.plane()
        points, labels = [*draft.points, self.place(plane)], [*draft.labels, self.pick([1, 1, 0])]
        drawing.draw(self.session, plane, points, labels, draft.box)
        self.answer()
        drawing.choose(self.session, int(self.rng.integers(3)))

    def accept(self):
        self.answer()
        rules = list(Rule)
        drawing.accept(self.session, self.pick(rules), across=self.pick(rules))

    def paint(self):
        plane = self.plane()
        row, column = self.place(plane)
        height, width = size_of(plane)
        value = self.pick([0, 1, 2] if self.session.semantic else [0, self.some(), 30])
        reach = np.mgrid[row : min(row + 4, height), column : min(column + 4, width)]
        rows, columns = (a.ravel() for a in reach)
        labels = self.labels[index_of(plane)]
        before = labels[rows, columns]
        labels[rows, columns] = value
        paint(self.session, plane, rows, columns, before, np.full_like(before, value))

    def propose(self):
        way = spanned(self.plane())
        with Batch(self.session, Kind.PROPAGATED, self.pick(list(Rule))) as batch:
            for at in range(3):
                plane = tuple(None if axis in way else at for axis in range(3))
                mask = np.zeros(size_of(plane), bool)
                row, column = self.place(plane)
                mask[row : row + 5, column : column + 5] = True
                status = self.pick([Status.PROPOSED, Status.UNCLEAR])
                new = NewMask(
                    mask if self.rng.random() < 0.9 else None,
                    self.pick([None, self.some()]),
                    0.5,
                    Origin(Source.PROPAGATED, plane),
                    status,
                )
                batch.add(plane, [new])


@pytest.mark.parametrize("seed", range(8))
def test_directions_agree_whatever_is_done(seed):
    player = SidePlayer(Session(), seed)
    several = 0
    for _ in range(150):
        player.step()
        check(player.session, player.labels)
        several += len(player.session.objects.directions) > 1
    assert several > 50


@pytest.mark.parametrize("seed", range(8))
def test_undo_and_redo_bring_all_directions_back(seed):
    player = SidePlayer(Session(), seed)
    for _ in range(60):
        player.step()
    session = player.session
    while session.can_redo:
        session.redo()
    there = player.labels.copy()
    while session.can_undo:
        session.undo()
        check(session, player.labels)
    assert not player.labels.any()
    while session.can_redo:
        session.redo()
    np.testing.assert_array_equal(player.labels, there)


def test_directions_are_there_again_when_the_session_is_opened(tmp_path):
    session = Session()
    folder = SessionFolder.create(tmp_path / "mine", Manifest(PICTURE))
    folder.serve(session)
    player = SidePlayer(session, 3)
    for _ in range(80):
        player.step()
    assert len(session.objects.directions) == 3
    folder.close()
    again = restore(tmp_path / "mine")
    assert dict(again.session.objects) == dict(session.objects)
    again.session.labels.write_to(ArrayTarget(np.zeros(SHAPE, np.uint16)))
    check(again.session, again.session.labels.target.data)
    again.folder.close()


def show(session, plane, mask, object_id=None):
    """Let the model have found a mask."""
    if object_id is not None:
        drawing.continue_object(session, object_id)
    drawing.draw(session, plane, [tuple(np.argwhere(mask)[0])], [1])
    logits = np.zeros((1, 8, 8), np.float32)
    session.receive(session.request, Prediction(mask[None], np.float32([0.9]), logits))


def box(shape, top, left, bottom, right):
    mask = np.zeros(shape, bool)
    mask[top:bottom, left:right] = True
    return mask


def upright(session):
    """Accept an object on the side slice y = 10: all of z, and x from 8 to 19."""
    session.labels.write_to(ArrayTarget(np.zeros(SHAPE, np.uint16)))
    show(session, (None, 10, None), box((3, 32), 0, 8, 3, 20))
    drawing.accept(session)


@pytest.mark.parametrize("across", Rule)
def test_a_mask_that_differs_from_a_side_slice_is_kept_or_replaces(across):
    session = Session()
    upright(session)
    show(session, (1, None, None), box((24, 32), 4, 12, 16, 24), 1)
    assert drawing.disagreed(session) == Disagreement(lost=4, gained=4, common=8)
    assert not drawing.disagreed(session).is_small
    drawing.accept(session, across=across)
    labels = session.labels.target.data
    check(session, labels)
    line = np.zeros(32, bool)
    line[slice(8, 20) if across is Rule.KEEP else slice(12, 24)] = True
    np.testing.assert_array_equal(labels[1, 10] == 1, line)
    np.testing.assert_array_equal(labels[1, 9] == 1, np.isin(range(32), range(12, 24)))
    session.undo()
    np.testing.assert_array_equal(labels[1, 10] == 1, np.isin(range(32), range(8, 20)))


def test_what_is_followed_gives_way_to_an_accepted_side_slice():
    session = Session()
    upright(session)
    with Batch(session, Kind.PROPAGATED) as batch:
        batch.add((1, None, None), [NewMask(box((24, 32), 4, 12, 16, 24), 1)])
    check(session, session.labels.target.data)
    assert session.labels.target.data[1, 10].nonzero()[0].tolist() == list(range(8, 20))


def test_another_object_takes_pixels_from_a_side_slice():
    session = Session()
    upright(session)
    show(session, (1, None, None), box((24, 32), 4, 4, 16, 16))
    claim = drawing.claimed(session)
    assert claim.met == {1: 8}
    drawing.accept(session, Rule.REPLACE)
    check(session, session.labels.target.data)
    assert session.objects[1].pixels == 36 - 8


def test_borders_differ_a_little():
    assert Disagreement(2, 1, 20).is_small
    assert Disagreement().is_small
    assert not Disagreement(0, 6, 18).is_small
