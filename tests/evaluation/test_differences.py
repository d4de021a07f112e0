"""Two sets of labels of one image: what differs, and how far they agree."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sam.errors import InputError
from napari_sam.evaluation.differences import Disparity, agreement, find_differences


def boxes(*those, shape=(40, 60)):
    labels = np.zeros(shape, np.int32)
    for number, (r0, c0, r1, c1) in those:
        labels[r0:r1, c0:c1] = number
    return labels


def kinds(mine, theirs, **more):
    return [(one.kind, one.mine, one.theirs) for one in find_differences(mine, theirs, **more)]


CASES = {
    "the same, other numbers": ([(1, (2, 2, 9, 9))], [(7, (2, 2, 9, 9))], []),
    "only theirs": ([], [(7, (2, 2, 9, 9))], [(Disparity.MISSING, (), (7,))]),
    "only mine": ([(5, (2, 2, 9, 9))], [], [(Disparity.EXTRA, (5,), ())]),
    "joined": (
        [(5, (2, 2, 9, 20))],
        [(1, (2, 2, 9, 10)), (2, (2, 10, 9, 20))],
        [(Disparity.JOINED, (5,), (2, 1))],
    ),
    "split": (
        [(1, (2, 2, 9, 10)), (2, (2, 10, 9, 20))],
        [(5, (2, 2, 9, 20))],
        [(Disparity.SPLIT, (2, 1), (5,))],
    ),
    "several on both sides": (
        [(1, (2, 2, 9, 14)), (2, (2, 14, 9, 20))],
        [(3, (2, 2, 9, 7)), (4, (2, 7, 9, 20))],
        [(Disparity.MIXED, (1, 2), (4, 3))],
    ),
    "a border off by three": (
        [(1, (2, 2, 9, 9))],
        [(1, (2, 2, 9, 12))],
        [(Disparity.BORDER, (1,), (1,))],
    ),
    "a border off by two": ([(1, (2, 2, 9, 9))], [(1, (2, 2, 9, 11))], []),
    "under half in common": (
        [(1, (2, 2, 9, 12))],
        [(1, (2, 8, 9, 18))],
        [(Disparity.EXTRA, (1,), ()), (Disparity.MISSING, (), (1,))],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_every_kind_of_difference(case):
    mine, theirs, expected = CASES[case]
    assert kinds(boxes(*mine), boxes(*theirs)) == expected


def test_the_other_way_round_the_kinds_are_mirrored():
    rng = np.random.default_rng(3)
    mine, theirs = (
        boxes(*((n, (r, c, r + rng.integers(3, 9), c + rng.integers(3, 9))) for n, (r, c) in at))
        for at in (enumerate(rng.integers(0, 50, (12, 2)), 1) for _ in range(2))
    )
    mirror = {
        Disparity.MISSING: Disparity.EXTRA,
        Disparity.EXTRA: Disparity.MISSING,
        Disparity.JOINED: Disparity.SPLIT,
        Disparity.SPLIT: Disparity.JOINED,
    }
    there = {(one.kind, one.mine, one.theirs) for one in find_differences(mine, theirs)}
    back = find_differences(theirs, mine)
    assert len(there) > 5
    assert there == {(mirror.get(one.kind, one.kind), one.theirs, one.mine) for one in back}


def test_distance_is_that_of_the_worst_pixel():
    mine, theirs = boxes((1, (2, 2, 12, 12))), boxes((1, (2, 2, 12, 12)), (1, (6, 12, 7, 17)))
    (one,) = find_differences(mine, theirs, distance=4)
    assert (one.distance, one.pixels, one.box) == (5, 5, (2, 2, 12, 17))
    assert find_differences(mine, theirs, distance=5) == []


def test_the_largest_comes_first():
    theirs = boxes((1, (0, 0, 3, 3)), (2, (10, 10, 20, 20)), (3, (30, 0, 34, 4)))
    found = find_differences(boxes(), theirs)
    assert [one.theirs for one in found] == [(2,), (3,), (1,)]
    assert [one.pixels for one in found] == [100, 16, 9]


def test_bad_input_is_named():
    with pytest.raises(InputError, match=r"\(40, 60\) and \(4, 4\)"):
        find_differences(boxes(), np.zeros((4, 4), int))
    with pytest.raises(InputError, match=r"0 pixels or more; got -1"):
        find_differences(boxes(), boxes(), distance=-1)


def test_agreement_of_all_and_by_class():
    mine = boxes((1, (0, 0, 10, 10)), (2, (20, 20, 30, 30)))
    theirs = boxes((8, (0, 0, 10, 10)), (9, (20, 20, 30, 26)))
    found = agreement([(mine, theirs)], ({1: "round", 2: "long"}, {8: "round", 9: "long"}))
    assert list(found) == ["all", "long", "round"]
    assert (found["round"].accuracy, found["round"].f1) == (1, 1)
    assert found["long"].accuracy == pytest.approx(0.3)  # IoU 0.6: three of ten thresholds
    assert found["long"].f1 == 1
    assert (found["all"].mine, found["all"].theirs) == (2, 2)


def test_planes_without_objects_do_not_count():
    empty, full = boxes(), boxes((1, (0, 0, 10, 10)))
    assert agreement([(empty, empty), (full, empty)])["all"].f1 == 0
    assert agreement([(empty, empty)])["all"].f1 == 1
