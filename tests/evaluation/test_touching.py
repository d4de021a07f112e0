"""Objects that touch are counted on their own."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sam.errors import InputError
from napari_sam.evaluation.touching import told_apart, touching_pairs


def boxes(*some):
    """Return labels (20, 20) of (id, rows, columns)."""
    labels = np.zeros((20, 20), np.int32)
    for id_, rows, columns in some:
        labels[slice(*rows), slice(*columns)] = id_
    return labels


@pytest.mark.parametrize(
    ("rows", "columns", "touch"),
    [
        ((0, 4), (4, 8), True),  # side by side
        ((0, 4), (5, 8), True),  # a line of one pixel between them
        ((0, 4), (6, 8), False),
        ((4, 8), (4, 8), True),  # at a corner
        ((5, 8), (5, 8), True),
        ((6, 8), (4, 8), False),
        ((4, 8), (0, 4), True),  # below
        ((5, 8), (0, 2), True),
    ],
)
@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("turned", [False, True])
def test_what_touches(rows, columns, touch, mirrored, turned):
    labels = boxes((5, (0, 4), (0, 4)), (2, rows, columns))
    labels = labels[:, ::-1] if mirrored else labels
    labels = labels.T if turned else labels
    assert touching_pairs(labels).tolist() == ([[2, 5]] if touch else [])


def test_each_pair_counts_once_and_all_do():
    labels = boxes((1, (0, 6), (0, 6)), (2, (0, 6), (6, 12)), (3, (6, 12), (0, 12)))
    assert touching_pairs(labels).tolist() == [[1, 2], [1, 3], [2, 3]]
    assert touching_pairs(np.zeros((1, 1), int)).shape == (0, 2)


TRUTH = boxes((4, (0, 10), (0, 5)), (9, (0, 10), (5, 10)), (2, (14, 18), (0, 4)))


def test_one_mask_over_two_objects_tells_none_apart():
    assert told_apart(TRUTH, TRUTH) == (1, 1)
    merged = np.where(TRUTH > 3, 1, 0)
    assert told_apart(TRUTH, merged) == (0, 1)  # though it has an IoU of 0.5 with both
    assert told_apart(TRUTH, np.where(TRUTH == 4, 1, 0)) == (0, 1)
    assert told_apart(TRUTH, np.zeros_like(TRUTH)) == (0, 1)


def test_both_have_to_be_found_well():
    found = TRUTH.copy()
    found[:4, 5:10] = 0  # 0.6 of it is left
    assert told_apart(TRUTH, found) == (1, 1)
    assert told_apart(TRUTH, found, 0.7) == (0, 1)


def test_without_touching_objects_there_is_nothing_to_tell():
    assert told_apart(np.where(TRUTH == 2, 2, 0), TRUTH) == (0, 0)
    with pytest.raises(InputError, match="cannot be compared"):
        told_apart(TRUTH, TRUTH[1:])
