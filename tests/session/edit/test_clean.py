"""Objects of a session cleaned as one step; what is locked and what is beside stays."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sam.inference.edit.clean import CleanSettings
from napari_sam.session.batch import Batch, NewMask
from napari_sam.session.changes import Kind
from napari_sam.session.disk.folder import SessionFolder, read_session
from napari_sam.session.edit import curation
from napari_sam.session.edit.clean import clean_tasks, planes_of, write_cleaned
from tests.session.disk.damage import PICTURE

HOLES = CleanSettings(fill_holes=True)


def at(z):
    return z, None, None


def with_hole(row, column, size=6):
    mask = np.zeros((20, 30), bool)
    mask[row : row + size, column : column + size] = True
    mask[row + 2 : row + 4, column + 2 : column + 4] = False
    return mask


@pytest.fixture
def holes(session):
    """Three objects with holes on two slices."""
    with Batch(session, Kind.AUTOMATIC) as batch:
        for z in (0, 1):
            masks = with_hole(2, 2), with_hole(2, 12), with_hole(12, 2)
            batch.add(at(z), [NewMask(mask, n) for n, mask in enumerate(masks, 1)])
    return session


def clean(session, settings=HOLES, ids=None, planes=None):
    planes = planes_of(session, ids) if planes is None else planes
    tasks = clean_tasks(session, planes, settings, ids=ids)
    return write_cleaned(session, [(task, task.run()) for task in tasks])


def test_all_objects_are_cleaned_in_one_step(holes, labels):
    before = labels.copy()
    assert clean(holes) == {1, 2, 3}
    assert (labels[:2, 4:6, 4:6] == 1).all()
    assert [one.kind for one in holes.history.done][-1] is Kind.CLEANED
    holes.undo()
    np.testing.assert_array_equal(labels, before)


def test_only_those_that_are_meant_and_not_the_locked_ones(holes, labels):
    curation.lock(holes, [1])
    assert clean(holes, ids=[1, 2]) == {2}
    assert clean(holes, planes=[at(0)]) == {3}
    assert (labels[1, 14:16, 4:6] == 0).all()
    assert planes_of(holes, [1]) == []


def test_neighbours_and_labels_of_nobody_keep_their_pixels(holes, labels):
    labels[0, 4, 4] = 77  # painted by somebody else, and no object
    clean(holes, ids=[1])
    assert labels[0, 4, 4] == 77
    assert (labels[0, 5, 4:6] == 1).all()
    clean(holes, CleanSettings(grow=30), ids=[3])
    assert (labels[0, 2:8, 2:8] != 3).all()
    assert (labels[0, 2:8, 12:18][with_hole(0, 0)[:6, :6]] == 2).all()


def test_what_has_changed_meanwhile_stays(holes, labels):
    tasks = list(clean_tasks(holes, [at(0)], HOLES))
    found = [(task, task.run()) for task in tasks]
    curation.delete(holes, [2])
    curation.lock(holes, [3])
    assert write_cleaned(holes, found) == {1}
    assert 2 not in holes.objects


def test_a_clean_up_is_in_the_journal(holes, tmp_path):
    folder = SessionFolder.create(tmp_path / "mine", PICTURE)
    folder.serve(holes)
    clean(holes)
    folder.close()
    again = read_session(tmp_path / "mine")
    assert [held.pixels for held in again.objects.values()] == [72, 72, 72]
    assert again.history.done[-1].kind is Kind.CLEANED
