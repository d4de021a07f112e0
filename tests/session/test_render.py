"""Objects of a session that writes into labels on disk."""

from __future__ import annotations

import errno
import tracemalloc

import numpy as np
import pytest

from napari_sam.io.label_stores.levels import LabelLevels
from napari_sam.io.label_stores.opening import new_store
from napari_sam.io.spacing import Spacing
from napari_sam.masks import CroppedMask
from napari_sam.session.adopt import object_at
from napari_sam.session.batch import Batch, NewMask
from napari_sam.session.changes import Kind
from napari_sam.session.edit.curation import delete, merge
from napari_sam.session.overlap import Rule
from napari_sam.session.paint import absorb, paint
from napari_sam.session.session import Session

SIDE = 100_000
PLANE = (None, None)


class StoredTarget:
    """Labels of 100,000 x 100,000 pixels on disk."""

    def __init__(self, folder):
        self.levels = new_store(
            folder / "labels.ome.zarr", (SIDE, SIDE), np.dtype("u4"), Spacing.usual(2)
        )
        self.dtype = np.dtype("u4")
        self.full = False

    def read(self, plane):
        return LabelLevels(self.levels).plane(plane)

    def write(self, plane, rows, columns, values):
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device", "labels.ome.zarr")
        LabelLevels(self.levels).write(plane, rows, columns, values)

    def at(self, row, column):
        return int(self.levels[0][row, column])


@pytest.fixture
def target(tmp_path):
    return StoredTarget(tmp_path)


@pytest.fixture
def session(target):
    session = Session()
    session.labels.write_to(target)
    return session


def square(row, column, side=60):
    mask = CroppedMask.of(np.ones((side, side), bool), (row, column), (SIDE, SIDE))
    assert mask is not None
    return mask


def add(session, *masks, rule=Rule.KEEP):
    with Batch(session, Kind.AUTOMATIC, rule) as batch:
        return batch.add(PLANE, [NewMask(mask) for mask in masks])


def test_objects_all_over_a_huge_plane_take_the_memory_of_their_pixels(session, target):
    places = [(50, 70), (99_900, 99_900), (50_000, 20), (2040, 2040)]
    add(session, square(7, 7))
    tracemalloc.start()
    for row, column in places:
        add(session, square(row, column))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 30e6
    assert [target.at(row + 30, column + 30) for row, column in places] == [2, 3, 4, 5]
    coarse = target.levels[3]
    assert coarse[(50 + 30) // 8, (70 + 30) // 8] == 2
    session.undo()
    assert target.at(2070, 2070) == 0
    assert not target.levels[1][1020:1050, 1020:1050].any()
    session.redo()
    assert target.at(2070, 2070) == 5
    delete(session, [3])
    assert target.at(99_930, 99_930) == 0


def test_what_takes_pixels_from_others_gives_them_back(session, target):
    add(session, square(2000, 2000))
    before = target.levels[0][1900:2200, 1900:2200]
    add(session, square(2000, 2030, 90), rule=Rule.REPLACE)
    assert (target.at(2010, 2020), target.at(2010, 2070)) == (1, 2)
    merge(session, [1, 2])
    assert target.at(2010, 2070) == 1
    for _ in range(2):
        session.undo()
    np.testing.assert_array_equal(target.levels[0][1900:2200, 1900:2200], before)


def test_labels_of_others_become_objects_where_they_are_needed(session, target):
    rows, columns = (at.ravel() for at in np.mgrid[4000:4700, 300:2500])
    target.write(PLANE, rows, columns, np.full(len(rows), 77))
    session.labels.note_id(77)
    assert object_at(session, PLANE, 4350, 2490) == 77
    assert session.objects[77].pixels == 700 * 2200
    add(session, square(4680, 400))  # a third of it lies on them
    assert session.objects[78].pixels == 40 * 60
    assert target.at(4699, 430) == 77


def test_what_is_painted_becomes_an_object(session, target):
    add(session, square(500, 500))
    rows, columns = (at.ravel() for at in np.mgrid[480:520, 540:580])
    before = target.levels[0][480:520, 540:580].ravel()
    target.write(PLANE, rows, columns, np.full(1600, 9))
    paint(session, PLANE, rows, columns, before, np.full(1600, 9))
    assert session.objects[9].pixels == 1600
    assert session.objects[1].pixels == 3600 - 20 * 20
    session.undo()
    assert session.objects[1].pixels == 3600
    assert target.at(510, 550) == 1


def test_only_the_window_that_was_painted_is_compared(session, target):
    add(session, square(500, 500))
    target.write(PLANE, np.array([510, 9000]), np.array([510, 9000]), np.array([0, 5]))
    absorb(session, PLANE)
    assert session.objects[1].pixels == 3600
    absorb(session, PLANE, (400, 400, 700, 700))
    assert session.objects[1].pixels == 3599
    assert 5 not in session.objects


def test_a_full_disk_is_said_and_loses_nothing(session, target):
    said = []
    session.remarked.connect(said.append)
    add(session, square(500, 500))
    target.full = True
    add(session, square(800, 800))
    add(session, square(1100, 1100))
    session.undo()
    assert list(session.objects) == [1, 2]
    assert "disk" in said[0]
    assert "Nothing is lost" in said[0]
    assert target.at(830, 830) == 0
    target.full = False
    said.clear()
    add(session, square(1400, 1400))
    assert not said
    assert [target.at(at, at) for at in (530, 830, 1130, 1430)] == [1, 2, 0, 3]


def test_labels_without_the_last_step_are_known_as_torn(session, target):
    for at in (500, 3000):
        add(session, square(at, at))
    labels = session.labels
    assert labels.shown_in(target)
    target.write(PLANE, np.array([3001]), np.array([3001]), np.array([0]))
    assert not labels.shown_in(target)
    assert not labels.fits(target)
    assert labels.shown_but_last(target)
    target.write(PLANE, np.array([501]), np.array([501]), np.array([0]))
    assert not labels.shown_but_last(target)
