"""A cut as one step of a session, on one plane and on all, written down like everything else."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sam.errors import InputError
from napari_sam.session.batch import Batch, NewMask
from napari_sam.session.changes import Kind
from napari_sam.session.disk.folder import SessionFolder, read_session
from napari_sam.session.edit import curation
from napari_sam.session.edit.cut import CutTask, cut
from napari_sam.session.objects import Status
from napari_sam.session.session import Session
from tests.fakes import ArrayTarget, FakeSegmenter
from tests.session.disk.damage import PICTURE

STROKE = ((0.0, 15.0), (19.0, 15.0))


def at(z):
    return z, None, None


@pytest.fixture
def bar(session):
    """An object on three slices, as wide as the picture but for some pixels, and a neighbour."""
    mask = np.zeros((20, 30), bool)
    mask[6:14, 2:27] = True
    beside = np.zeros((20, 30), bool)
    beside[14:16, 2:27] = True
    with Batch(session, Kind.AUTOMATIC) as batch:
        for z in range(3):
            batch.add(at(z), [NewMask(mask, 1, 0.9, status=Status.ACCEPTED), NewMask(beside, 2)])
    return session


def pieces_of(session, through=False, **drawn):
    task = CutTask.of(
        session.objects, 1, at(1), **(drawn or {"strokes": [STROKE]}), through=through
    )
    return task, dict(task.pieces())


def test_one_slice_is_cut_and_one_undo_makes_it_whole(bar, labels):
    before = labels.copy()
    assert cut(bar, *pieces_of(bar)) == [3]
    assert set(np.unique(labels[1])) == {0, 1, 2, 3}
    np.testing.assert_array_equal(labels[[0, 2]], before[[0, 2]])
    np.testing.assert_array_equal(labels[1] > 0, before[1] > 0)
    assert bar.objects[3].planes == [at(1)]
    assert bar.objects[3].status is Status.ACCEPTED
    bar.undo()
    np.testing.assert_array_equal(labels, before)
    bar.redo()
    assert bar.objects[3].pixels > 0


def test_all_slices_are_cut_and_the_pieces_are_the_same_objects(bar, labels):
    two = STROKE, ((0.0, 8.0), (19.0, 8.0))
    assert cut(bar, *pieces_of(bar, True, strokes=two)) == [3, 4]
    for z in range(3):
        np.testing.assert_array_equal(labels[z], labels[1])
    assert bar.objects[3].planes == bar.objects[4].planes == [at(0), at(1), at(2)]
    assert len(bar.history.done) == 2


def test_the_model_is_asked_in_pixels_of_the_plane(bar):
    task, found = pieces_of(bar, clicks=[(10, 5), (10, 24)])
    pieces = found[at(1)]
    prompts = task.prompts(pieces)
    mask = task.masks[at(1)].full()
    assert all(mask[tuple(point)] for one in prompts for point in one.points.astype(int))
    answers = FakeSegmenter(4).predict_batch((20, 30), prompts)
    moved, followed = task.moved(pieces, answers)
    np.testing.assert_array_equal(moved > 0, pieces > 0)
    assert followed
    assert (task.shown(moved) > 0).sum() == mask.sum()


def test_a_locked_object_or_one_that_has_changed_is_not_cut(bar, labels):
    task, found = pieces_of(bar)
    curation.lock(bar, [1])
    with pytest.raises(InputError, match="locked"):
        cut(bar, task, found)
    with pytest.raises(InputError, match="locked"):
        pieces_of(bar)
    curation.lock(bar, [1], False)
    cut(bar, task, found)
    with pytest.raises(InputError, match="has changed since"):
        cut(bar, task, found)


def test_a_cut_is_in_the_journal(tmp_path):
    session = Session()
    session.labels.write_to(ArrayTarget(np.zeros((2, 20, 30), np.uint16)))
    folder = SessionFolder.create(tmp_path / "mine", PICTURE)
    folder.serve(session)
    mask = np.zeros((20, 30), bool)
    mask[6:14, 2:27] = True
    with Batch(session, Kind.AUTOMATIC) as batch:
        batch.add(at(1), [NewMask(mask)])
    cut(session, *pieces_of(session))
    folder.close()
    again = read_session(tmp_path / "mine")
    assert {n: held.pixels for n, held in again.objects.items()} == {
        n: held.pixels for n, held in session.objects.items()
    }
    assert len(again.objects) == 2
