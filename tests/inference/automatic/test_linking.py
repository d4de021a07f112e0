"""Objects of slices become objects of the stack, on stacks drawn by hand."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from napari_sam.errors import InputError
from napari_sam.inference.automatic import linking
from napari_sam.inference.automatic.linking import link_slices
from tests.inference.moving import draw


def boxes(*objects, shape=(8, 40)):
    """Return one slice of boxes: (id, first column, end column), over rows 2 to 6."""
    labels = np.zeros(shape, np.uint16)
    for id_, first, end in objects:
        labels[2:6, first:end] = id_
    return labels


def link(slices, **settings):
    return np.stack(list(link_slices(slices, **settings)))


def ids(labels):
    return np.unique(labels[labels > 0]).tolist()


def shuffled(stack, seed=0):
    """Give the objects of each slice random ids of their own."""
    rng = np.random.default_rng(seed)
    table = np.stack([np.append(0, rng.permutation(60000)[: stack.max()] + 1) for _ in stack])
    return np.stack([row[labels] for row, labels in zip(table, stack, strict=True)])


def same_objects(a, b):
    """Tell whether two stacks hold the same objects under any ids."""
    pairs = np.unique(np.stack([a.ravel(), b.ravel()]), axis=1)
    return pairs.shape[1] == len(np.unique(a)) == len(np.unique(b))


def test_objects_that_move_and_begin_and_end_keep_their_ids():
    truth = draw(
        {
            1: lambda z: (12, 10 + 3 * z, 7),
            2: lambda z: (28, 50 - 4 * z, 8) if z < 6 else None,
            3: lambda z: (30, 50, 6) if z > 4 else None,
        }
    )
    truth[:, 0, 0] = 0
    linked = link(shuffled(truth))
    assert linked.dtype == np.int32
    assert same_objects(linked, truth)
    assert ids(linked[0]) == [1, 2]
    assert ids(linked) == [1, 2, 3]


def test_of_a_split_the_larger_part_goes_on_and_the_other_is_new():
    whole, parts = boxes((5, 4, 24)), boxes((1, 4, 10), (2, 11, 24))
    linked = link([whole, parts, whole])
    assert linked[1, 3, 20] == linked[0, 3, 20] == linked[2, 3, 20] == 1
    assert linked[1, 3, 5] == 2
    assert ids(linked) == [1, 2]


def test_touching_objects_stay_apart():
    slices = [boxes((1, 4, 12 + z), (2, 12 + z, 22)) for z in range(4)]
    linked = link(shuffled(np.stack(slices)))
    assert same_objects(linked, np.stack(slices))


def test_where_two_become_one_the_larger_goes_on():
    linked = link([boxes((1, 0, 10), (2, 10, 16)), boxes((1, 0, 16)), boxes((1, 0, 16))])
    assert ids(linked[1]) == ids(linked[2]) == [linked[0, 3, 5]]
    assert ids(linked) == [1, 2]


def test_rivals_are_weighed_together():
    # The IoU of a and x is 0.5, of a and y 0.4, of b and x 0.22. The best pair first would leave
    # b and y alone.
    a, b, x, y = (1, 0, 20), (2, 20, 26), (7, 8, 24), (8, 0, 8)
    linked = link([boxes(a, b), boxes(x, y)])
    assert linked[1, 3, 2] == linked[0, 3, 2] == 1
    assert linked[1, 3, 22] == linked[0, 3, 22] == 2


@pytest.mark.parametrize("seed", range(5))
def test_pairs_are_the_best_of_all(seed):
    rng = np.random.default_rng(seed)
    weights = rng.random((12, 15)) * (rng.random((12, 15)) < 0.2)
    rows, columns = np.nonzero(weights)
    chosen = linking._one_to_one(3 * rows + 1, 7 * columns, weights[rows, columns])
    assert len(set(rows[chosen])) == len(set(columns[chosen])) == len(chosen)
    best = weights[linear_sum_assignment(weights, maximize=True)].sum()
    assert weights[rows[chosen], columns[chosen]].sum() == pytest.approx(best)


def test_an_object_missed_on_a_slice_goes_on_if_the_gap_allows():
    there, empty = boxes((1, 4, 14), (2, 20, 30)), boxes((1, 4, 14))
    for gap, missed, expected in [(0, 1, 3), (1, 1, 2), (1, 2, 3), (2, 2, 2), (2, 3, 3)]:
        linked = link([there, *[empty] * missed, there], gap=gap)
        assert ids(linked) == list(range(1, expected + 1))
        assert (linked[:, 3, 5] == 1).all()
        assert not linked[1:-1, :, 20:].any()  # nothing is filled in
        assert linked[-1, 3, 25] == expected


def test_an_object_is_looked_for_where_it_was_last():
    slices = [boxes((1, 4 * z, 4 * z + 10)) for z in range(8)]
    assert ids(link(slices, gap=3)) == [1]
    # Back where it was at first, it is another one: the one that moved is still here.
    slices[7] = boxes((1, 28, 38), (2, 0, 10))
    linked = link(slices, gap=8)
    assert linked[7, 3, 35] == 1
    assert linked[7, 3, 5] == 2


def test_more_overlap_is_asked_for_across_a_missed_slice():
    # They share 4 of 16 columns, an IoU of 0.25.
    before, after, nothing = boxes((1, 0, 10)), boxes((1, 6, 16)), boxes()
    assert ids(link([before, after])) == [1]
    assert ids(link([before, nothing, after])) == [1, 2]
    assert ids(link([before, nothing, after], overlap=0.16)) == [1]


def test_less_overlap_is_asked_for_where_slices_lie_far_apart():
    # They share 2 of 14 columns, an IoU of 0.14.
    slices = [boxes((1, 0, 8)), boxes((1, 6, 14))]
    assert ids(link(slices)) == [1, 2]
    assert ids(link(slices, anisotropy=2)) == [1]
    assert ids(link(slices, overlap=0.1)) == [1]
    # Slices closer than a pixel are not asked for more.
    assert ids(link([boxes((1, 0, 10)), boxes((1, 6, 16))], anisotropy=0.1)) == [1]


def test_neighbours_without_overlap_are_not_linked():
    assert ids(link([boxes((1, 0, 8)), boxes((1, 8, 16))], overlap=1e-9)) == [1, 2]


def test_an_object_may_lie_in_pieces():
    fork = boxes((3, 4, 8), (3, 14, 18))
    assert ids(link([boxes((1, 4, 18)), fork, fork])) == [1]


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int64, np.uint64])
def test_labels_of_any_whole_numbers(dtype):
    highest = np.iinfo(dtype).max
    slices = np.stack([boxes((1, 4, 14)), boxes((1, 5, 15))]).astype(dtype)
    slices[slices > 0] = highest
    assert ids(link(slices)) == [1]
    full = np.full((2, 3, 4), highest, dtype)  # no background anywhere
    assert (link(full) == 1).all()


def test_more_objects_than_small_numbers_hold():
    every_pixel = np.arange(1, 301, dtype=np.uint16).reshape(1, 15, 20)
    stack = np.concatenate([every_pixel, every_pixel[:, ::-1]])
    linked = link(stack, gap=0)
    assert ids(linked[1]) == list(range(1, 301))
    many = link([np.arange(1, 70001).reshape(250, 280), np.zeros((250, 280), int)])
    assert many.max() == 70000


def test_slices_come_as_they_are_taken_and_may_be_changed_then():
    taken = []

    def slices():
        for z in range(6):
            taken.append(z)
            yield boxes((1 + z, 4, 14))

    linked = link_slices(slices(), gap=2)
    assert taken == []
    for z, labels in enumerate(linked):
        assert taken[-1] == z
        assert ids(labels) == [1]
        labels[:] = 99


def test_memory_does_not_grow_with_the_stack(monkeypatch):
    number, given, numbered = linking._LinkedSlice.of, [], weakref.WeakSet()

    def remember(labels, index):
        one = number(labels, index)
        numbered.add(one)
        return one

    def slices():
        for z in range(8):
            one = boxes((z, 4, 14))
            given.append(weakref.ref(one))
            yield one
            del one

    monkeypatch.setattr(linking._LinkedSlice, "of", remember)
    held = []
    for _ in link_slices(slices(), gap=3):
        gc.collect()
        held.append((sum(one() is not None for one in given), len(numbered)))
    assert held == [(1, min(z + 1, 4)) for z in range(8)]


def test_nothing_at_all():
    assert list(link_slices([])) == []
    assert not link(np.zeros((3, 4, 5), int)).any()
    assert link(np.zeros((2, 0, 5), int)).shape == (2, 0, 5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"overlap": 0}, "overlap must be above 0 and at most 1; got 0"),
        ({"overlap": 1.1}, "overlap must be above 0"),
        ({"overlap": float("nan")}, "overlap must be above 0"),
        ({"gap": -1}, "gap must be a number of slices, 0 or more; got -1"),
        ({"anisotropy": 0}, "anisotropy must be a finite number above 0; got 0"),
        ({"anisotropy": float("inf")}, "anisotropy must be a finite number"),
    ],
)
def test_settings_that_make_no_sense(settings, message):
    with pytest.raises(InputError, match=message):
        link_slices([], **settings)


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (np.zeros((8, 40)), "slice 1 must be labels .* got float64 of shape"),
        (np.zeros((1, 8, 40), int), "slice 1 must be labels .* got int64 of shape"),
        (np.zeros((8, 40), bool), "slice 1 must be labels .* got bool"),
        (np.full((8, 40), -3), "slice 1 holds -3"),
        (np.zeros((8, 41), int), "slice 1 has the shape .8, 41., those before have .8, 40."),
    ],
)
def test_slices_that_cannot_be_linked_are_named(second, message):
    linked = link_slices([boxes((1, 4, 14)), second])
    next(linked)
    with pytest.raises(InputError, match=message):
        next(linked)


def test_more_objects_than_ids_are_refused(monkeypatch):
    monkeypatch.setattr(linking, "MAX_ID", 2)
    with pytest.raises(InputError, match="slice 1: there are more than 2 objects"):
        link([boxes((1, 0, 4), (2, 6, 10)), boxes((1, 20, 24))])
