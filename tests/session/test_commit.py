"""The overlap rules: nothing outside the new mask ever changes."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sam.errors import InputError
from napari_sam.session.commit import Rule, overlapped, write_object
from tests.fakes import ArrayTarget


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("rule", list(Rule))
def test_only_the_mask_changes_and_undo_gives_all_back(seed, rule):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, (2, 9, 11)).astype(rng.choice([np.uint8, np.int32, np.uint64]))
    mask = rng.random((9, 11)) < 0.4
    before = labels.copy()
    change = write_object(ArrayTarget(labels), 1, mask, 7, rule)
    np.testing.assert_array_equal(labels[0], before[0])
    np.testing.assert_array_equal(labels[1][~mask], before[1][~mask])
    written = mask if rule is Rule.REPLACE else mask & (before[1] == 0)
    np.testing.assert_array_equal(labels[1] == 7, written)
    np.testing.assert_array_equal(labels[1][mask & ~written], before[1][mask & ~written])
    assert change.pixels == written.sum()
    after = labels.copy()
    change.undo()
    np.testing.assert_array_equal(labels, before)
    change.redo()
    np.testing.assert_array_equal(labels, after)


def test_keep_leaves_neighbours_whole():
    labels = np.zeros((10, 10), np.uint8)
    labels[:, :5] = 1
    write_object(ArrayTarget(labels), "2D", np.ones((10, 10), bool), 2, Rule.KEEP)
    assert (labels[:, :5] == 1).all()
    assert (labels[:, 5:] == 2).all()


def test_nothing_left_to_write_is_refused():
    labels = np.full((4, 4), 5, np.uint8)
    with pytest.raises(InputError, match="belongs to object 5; choose to replace"):
        write_object(ArrayTarget(labels), "2D", np.eye(4, dtype=bool), 6, Rule.KEEP)
    assert (labels == 5).all()


def test_an_empty_mask_is_refused():
    with pytest.raises(InputError, match="mask is empty"):
        write_object(
            ArrayTarget(np.zeros((4, 4), np.uint8)), "2D", np.zeros((4, 4), bool), 1, Rule.REPLACE
        )


def test_overlapped_counts_no_background():
    assert overlapped(np.array([[0, 1, 1, 2]]), np.array([[1, 1, 0, 1]], bool)) == {1: 1, 2: 1}
