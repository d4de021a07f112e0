"""The overlap rules: nothing outside the old and the new mask ever changes."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sam.errors import InputError
from napari_sam.results import Prediction
from napari_sam.session import curation, drawing
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
    mask = rng.random((9, 11)) < 0.4
    before = labels.copy()
    session = session_over(labels)
    show(session, mask)
    accepted = drawing.accept(session, rule)
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
    show(session, np.tri(10, dtype=bool), FLAT)
    drawing.accept(session)
    curation.lock(session, [1])
    show(session, np.ones((10, 10), bool), FLAT)
    drawing.accept(session, Rule.REPLACE)
    np.testing.assert_array_equal(labels, np.where(np.tri(10, dtype=bool), 1, 2))


def test_nothing_left_to_write_is_refused():
    labels = np.full((4, 4), 5, np.uint8)
    session = session_over(labels)
    show(session, np.eye(4, dtype=bool), FLAT)
    with pytest.raises(InputError, match="belongs to object 5; choose to replace"):
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
