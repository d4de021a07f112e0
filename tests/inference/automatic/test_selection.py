"""Sliders keep what lies in their ranges; where objects overlap, one rule says who is on top."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sam.errors import InputError
from napari_sam.inference.automatic.selection import Selection, arrange, proposals_to_labels, select
from napari_sam.results import Proposal

IMAGE = np.tile(np.arange(20.0), (10, 1))


def block(top, left, height, width, score=0.9, stability=0.9):
    mask = np.ones((height, width), bool)
    about = {"score": score, "stability": stability, "point": (top, left)}
    return Proposal.of(mask, IMAGE, **about, corner=(top, left))


SMALL = block(1, 1, 2, 2, score=0.7, stability=0.99)  # intensity 1.5
LONG = block(5, 2, 1, 16, score=0.8)  # 9.5
CORNER = block(6, 16, 4, 4, score=0.95, stability=0.5)  # 17.5
ALL = [SMALL, LONG, CORNER]


@pytest.mark.parametrize(
    ("selection", "kept"),
    [
        (Selection(), {0, 1, 2}),
        (Selection(score=(0.75, None)), {1, 2}),
        (Selection(score=(0.8, 0.9)), {1}),
        (Selection(stability=(None, 0.95)), {1, 2}),
        (Selection(area=(5, 16)), {1, 2}),
        (Selection(area=(4, 4)), {0}),
        (Selection(roundness=(0.5, None)), {0, 2}),
        (Selection(intensity=(5, 17)), {1}),
        (Selection(no_edge=True), {0, 1}),
        (Selection(no_edge=True, score=(0.75, None)), {1}),
    ],
)
def test_ranges(selection, kept):
    assert set(select(ALL, selection)) == kept


def test_who_is_on_top():
    assert select(ALL, Selection()) == [2, 1, 0]
    assert select(ALL, Selection(overlap="smaller")) == [0, 2, 1]  # of two alike, the better score
    assert select(ALL, Selection(overlap="larger")) == [2, 1, 0]
    with pytest.raises(InputError, match="'best', 'smaller' or 'larger'; got 'first'"):
        Selection(overlap="first")


def test_labels_are_unbroken_and_nobody_writes_over_the_one_on_top():
    cell, nucleus = block(0, 0, 9, 9, score=0.9), block(3, 3, 3, 3, score=0.8)
    labels = proposals_to_labels([nucleus, cell], Selection(overlap="smaller"))
    assert labels.dtype == np.int32
    assert np.bincount(labels.ravel()).tolist() == [200 - 81, 9, 72]
    # under the cell nothing is left of the nucleus: its number goes to the next
    other = block(0, 10, 2, 2, score=0.5)
    labels = proposals_to_labels([nucleus, other, cell])
    assert np.bincount(labels.ravel()).tolist() == [200 - 85, 81, 4]


def test_the_rest_of_a_covered_object_is_none():
    top = block(0, 0, 4, 10, score=0.9)
    half, less = block(1, 0, 6, 6, score=0.8), block(1, 5, 4, 4, score=0.8)
    labels = proposals_to_labels([top, half, less])
    assert np.bincount(labels.ravel()).tolist() == [200 - 58, 40, 18]


def test_no_proposals():
    assert proposals_to_labels([], shape=(3, 4)).tolist() == np.zeros((3, 4), int).tolist()
    with pytest.raises(InputError, match="no proposals"):
        proposals_to_labels([])
    with pytest.raises(InputError, match=r"\(3, 4\), \(10, 20\)"):
        proposals_to_labels(ALL, shape=(3, 4))
    nothing = proposals_to_labels(ALL, Selection(score=(1, None)))
    assert nothing.shape == (10, 20)
    assert not nothing.any()


def test_each_id_knows_its_proposal():
    top, under, other = (
        block(0, 0, 4, 10, score=0.9),
        block(1, 1, 2, 2, score=0.8),
        block(6, 0, 2, 2, score=0.7),
    )
    found = arrange([other, under, top])
    assert found.shown == [2, 0]
    assert (found.labels == proposals_to_labels([other, under, top])).all()


def test_a_rest_that_is_too_thin_is_left_out_and_counted():
    top, under = block(2, 0, 5, 9, score=0.9), block(0, 0, 7, 19, score=0.8)
    found = arrange([top, under])
    assert found.thin == 2 * 9 - 2  # the two rows above the one on top, but for a pixel beside
    assert np.bincount(found.labels.ravel()).tolist() == [200 - 45 - 72, 45, 72]


def test_what_is_there_already_stays_and_counts():
    there = np.zeros((10, 20), np.int32)
    there[:, :8] = -1
    free, covered = block(0, 6, 6, 8, score=0.9), block(6, 2, 4, 9, score=0.8)
    found = arrange([free, covered], out=there.copy())
    assert found.shown == [0]
    assert (found.labels[:, :8] == -1).all()
    assert (found.labels == 1).sum() == 36
    assert arrange([covered], out=there.copy(), rests=True).shown == [0]
