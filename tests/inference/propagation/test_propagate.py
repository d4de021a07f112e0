"""Objects are followed both ways, stopped for a reason, and never written over each other."""

from __future__ import annotations

import numpy as np
import pytest

import napari_sam as ns
from napari_sam.errors import InputError
from napari_sam.inference.mask_prompts import PromptRule
from napari_sam.results import End
from tests.inference.moving import DictStore, DiscPredictor, draw

BY_MASK = PromptRule(mask=True, box=True)


def settings(**changes):
    """Return settings under which drawn discs are followed unless a test says otherwise."""
    common = {
        "prompt": BY_MASK, "min_score": 0.4, "min_relative_score": 0.0, "min_overlap": 0.3,
        "max_area_change": 2.0, "sure_score": 0.6, "agreement": 0.7,
    }  # fmt: skip
    return ns.PropagateSettings(**common | changes)


def straight(row, column, radius, first=0, last=99):
    return lambda z: (row, column, radius) if first <= z <= last else None


def drifting(row, column, radius, speed=1):
    return lambda z: (row, column + speed * z, radius)


def at(stack, value, index):
    """Return seeds that hold one disc of the stack on one slice."""
    return {value: {index: stack[index] == value}}


def final(steps, stack):
    """Return the volume that the steps amount to."""
    volume = np.zeros(stack.shape, int)
    for step in steps:
        volume[step.index] = step.labels
    return volume


def test_a_disc_is_followed_forward_then_backward():
    stack = draw({1: drifting(20, 15, 6)})
    steps = list(ns.propagate(DiscPredictor(), stack, at(stack, 1, 4), settings()))
    assert [step.index for step in steps] == [4, 5, 6, 7, 8, 9, 3, 2, 1, 0]
    np.testing.assert_array_equal(final(steps, stack), stack == 1)
    assert steps[0].scores == {}  # it was given
    assert steps[1].scores == {1: pytest.approx(0.9)}
    assert not any(step.stopped or step.unsure for step in steps)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"direction": "forward"}, [4, 5, 6, 7, 8, 9]),
        ({"direction": "backward"}, [4, 3, 2, 1, 0]),
        ({"first": 3, "last": 6}, [4, 5, 6, 3]),
    ],
)
def test_it_goes_where_it_is_told_and_no_further(changes, expected):
    stack = draw({1: drifting(20, 15, 6)})
    steps = list(ns.propagate(DiscPredictor(), stack, at(stack, 1, 4), settings(**changes)))
    assert [step.index for step in steps] == expected


def test_prompts_are_answered_where_they_are_and_followed():
    stack = draw({1: straight(20, 15, 6), 2: straight(20, 40, 6)})
    seeds = {7: {3: ns.Prompts([(20, 15)], [1])}, 9: {5: ns.Prompts(box=(14, 34, 26, 46))}}
    predictor = DiscPredictor()
    steps = list(ns.propagate(predictor, stack, seeds, settings()))
    expected = np.where(stack == 1, 7, np.where(stack == 2, 9, 0))
    np.testing.assert_array_equal(final(steps, stack), expected)
    assert steps[0].scores == {7: pytest.approx(0.9)}
    slices = [z for z, _ in predictor.asked]
    assert slices == [3, 4, 5, 6, 7, 8, 9, 4, 3, 2, 1, 0]  # once a direction: all in one batch
    assert [len(prompts) for _, prompts in predictor.asked[:4]] == [1, 1, 2, 2]


def disc_mask(row, column, radius, shape=(40, 60)):
    rows, columns = np.indices(shape)
    return (rows - row) ** 2 + (columns - column) ** 2 <= radius**2


STOPS = {
    "score": ({"scores": {(6, 1): 0.3}}, {}, "the predicted IoU is only 0.30"),
    "score beside the anchor's": (
        {"scores": {(6, 1): 0.6}},
        {"min_relative_score": 0.8},
        "the predicted IoU falls from 0.90 to 0.60",
    ),
    "overlap": (
        {"masks": {(6, 1): disc_mask(20, 30, 6)}},
        {},
        "the overlap with the slice before is only 0.00",
    ),
    "grown": ({"masks": {(6, 1): disc_mask(20, 15, 10)}}, {}, "the area jumps from 113 to 317"),
    "shrunk": ({"masks": {(6, 1): disc_mask(20, 15, 3)}}, {}, "the area jumps from 113 to 29"),
    "empty": ({"masks": {(6, 1): np.zeros((40, 60), bool)}}, {}, "no mask found"),
}


@pytest.mark.parametrize(("answers", "changes", "reason"), STOPS.values(), ids=STOPS)
def test_every_stop_has_its_reason(answers, changes, reason):
    stack = draw({1: straight(20, 15, 6)})
    seeds = {1: {3: ns.Prompts([(20, 15)], [1])}}
    steps = list(ns.propagate(DiscPredictor(**answers), stack, seeds, settings(**changes)))
    assert [step.index for step in steps] == [3, 4, 5, 6, 2, 1, 0]
    assert steps[3].stopped[1].startswith(reason)
    assert not steps[3].labels.any()
    assert not any(step.stopped for step in steps[:3] + steps[4:])


def test_a_score_is_compared_with_the_best_of_the_object_on_all_slices():
    stack = draw({1: straight(20, 15, 6)})
    box = ns.Prompts(box=(13.5, 8.5, 26.5, 21.5))
    predictor = DiscPredictor(scores={(5, 1): 0.6, (6, 1): 0.55})
    alone, both = (
        {s.index: s for s in ns.propagate(predictor, stack, {1: seeds}, changed)}
        for changed in [settings(min_relative_score=0.8, direction="forward")]
        for seeds in ({5: box}, {2: box, 5: box})
    )
    assert not alone[6].stopped
    assert both[6].stopped == {1: "the predicted IoU falls from 0.90 to 0.55"}


@pytest.mark.parametrize("seed", [ns.Prompts([(20, 15)], [1]), disc_mask(20, 15, 6)])
def test_an_object_is_not_taken_for_the_one_that_takes_its_place(seed):
    stack = draw({1: straight(20, 15, 6, last=5), 2: straight(20, 15, 6, first=6)})
    one, loose = (
        {s.index: s for s in ns.propagate(DiscPredictor(), stack, {1: {5: seed}}, changed)}
        for changed in (settings(), settings(min_likeness=0.0))
    )
    assert one[6].stopped == {1: "its place looks different from the slice before (likeness 0.50)"}
    assert not one[6].labels.any()
    assert sorted(one) == [0, 1, 2, 3, 4, 5, 6]
    np.testing.assert_array_equal(loose[9].labels == 1, stack[9] == 2)


def test_an_object_that_leaves_at_the_edge_stops_with_what_is_left_of_it():
    stack = draw({1: drifting(20, 40, 6, speed=3)})
    steps = list(ns.propagate(DiscPredictor(), stack, at(stack, 1, 3), settings()))
    assert [step.index for step in steps] == [3, 4, 5, 6, 7, 2, 1, 0]
    assert steps[4].stopped == {1: "it leaves the picture at its edge"}
    np.testing.assert_array_equal(steps[4].labels, stack[7] == 1)


def test_an_object_at_the_edge_from_the_start_may_shrink_along_it():
    stack = draw({1: lambda z: (20, 56, 9 - z)}, length=7)
    steps = list(ns.propagate(DiscPredictor(), stack, at(stack, 1, 0), settings()))
    assert not any(step.stopped for step in steps)
    np.testing.assert_array_equal(final(steps, stack), stack == 1)


def test_a_weak_mask_is_kept_and_marked():
    stack = draw({1: straight(20, 15, 6)})
    predictor = DiscPredictor(scores={(6, 1): 0.5})
    steps = {s.index: s for s in ns.propagate(predictor, stack, at(stack, 1, 3), settings())}
    assert steps[6].unsure == {1: "the predicted IoU is only 0.50"}
    assert steps[6].labels.any()
    assert not any(step.unsure for index, step in steps.items() if index != 6)


def test_between_anchors_that_agree_nothing_is_unsure():
    stack = draw({1: drifting(20, 15, 6)})
    seeds = {1: {z: stack[z] == 1 for z in (2, 7)}}
    steps = list(ns.propagate(DiscPredictor(), stack, seeds, settings()))
    assert [step.index for step in steps] == [2, 3, 4, 5, 6, 7, 8, 9, 6, 5, 4, 3, 1, 0]
    np.testing.assert_array_equal(final(steps, stack), stack == 1)
    assert steps[1].unsure == {1: "followed from slice 2 only"}  # until the other side is known
    assert not any(step.unsure for step in steps[5:])


def test_between_anchors_that_disagree_the_nearer_mask_is_marked():
    stack = draw({1: straight(20, 15, 6), 2: straight(20, 19, 6)})
    seeds = {5: {0: stack[0] == 1, 9: stack[9] == 2}}
    last = {s.index: s for s in ns.propagate(DiscPredictor(), stack, seeds, settings())}
    for index in range(1, 9):
        nearer = 1 if index <= 4 else 2
        np.testing.assert_array_equal(last[index].labels == 5, stack[index] == nearer)
        assert last[index].unsure[5].startswith("from slice 0 and from slice 9 it looks different")
    assert not last[0].unsure
    assert not last[9].unsure


def test_between_anchors_one_side_can_fill_what_the_other_lost():
    stack = draw({1: straight(20, 15, 6)})
    predictor = DiscPredictor(scores={(6, 1): 0.1})
    seeds = {1: {z: stack[z] == 1 for z in (2, 9)}}
    last = {s.index: s for s in ns.propagate(predictor, stack, seeds, settings())}
    assert last[3].unsure == {1: "followed from slice 2 only"}
    assert last[8].unsure == {1: "followed from slice 9 only"}
    assert last[6].unsure == {1: "lost between slices 2 and 9; drawn between them"}
    low = "the predicted IoU is only 0.10"
    assert last[6].stopped == {1: f"from slice 2 {low}; from slice 9 {low}"}
    np.testing.assert_array_equal(last[6].labels == 1, stack[6] == 1)
    assert last[6].scores == {1: 0.0}


def test_slices_between_that_nobody_reached_are_marked_too():
    stack = draw({1: straight(20, 15, 6)})
    predictor = DiscPredictor(scores={(3, 1): 0.1, (7, 1): 0.1})
    seeds = {1: {z: stack[z] == 1 for z in (1, 9)}}
    steps = list(ns.propagate(predictor, stack, seeds, settings()))
    last = {step.index: step for step in steps}
    lost = "lost between slices 1 and 9; drawn between them"
    assert [z for z in range(10) if last[z].unsure.get(1) == lost] == [*range(3, 8)]
    np.testing.assert_array_equal(final(steps, stack), stack == 1)


def test_what_is_lost_and_drawn_takes_nothing_from_what_is_followed():
    stack = draw({1: straight(20, 15, 6), 2: straight(20, 23, 6)})
    predictor = DiscPredictor(scores={(z, 1): 0.1 for z in range(2, 8)})
    seeds = {1: {z: stack[z] == 1 for z in (1, 8)}, 2: {1: stack[1] == 2}}
    last = {s.index: s for s in ns.propagate(predictor, stack, seeds, settings())}
    np.testing.assert_array_equal(last[5].labels == 2, stack[5] == 2)
    assert "drawn" in last[5].unsure[1]
    assert 2 not in last[5].unsure


def test_two_sides_that_differ_a_little_are_averaged():
    wide, narrow = draw({1: straight(20, 25, 9)}), draw({1: straight(20, 25, 8)})
    stack = np.concatenate([wide[:5], narrow[5:]])
    seeds = {1: {0: stack[0] == 1, 9: stack[9] == 1}}
    last = {s.index: s for s in ns.propagate(DiscPredictor(), stack, seeds, settings())}
    areas = [int((last[z].labels == 1).sum()) for z in range(1, 9)]
    assert areas == sorted(areas, reverse=True)
    assert (stack[9] == 1).sum() <= areas[-1] < areas[0] <= (stack[0] == 1).sum()


def test_an_absence_is_a_wall():
    stack = draw({1: straight(20, 15, 6)})
    seeds = {1: {0: ns.ABSENT, 3: stack[3] == 1, 6: ns.ABSENT, 8: stack[8] == 1}}
    last = {s.index: s for s in ns.propagate(DiscPredictor(), stack, seeds, settings())}
    shown = [index for index, step in sorted(last.items()) if step.labels.any()]
    assert shown == [1, 2, 3, 4, 5, 7, 8, 9]
    assert not any(step.stopped or step.unsure for step in last.values())


@pytest.mark.parametrize(("score", "winner"), [(0.8, 1), (0.95, 2)])
def test_overlapping_pixels_go_to_the_better_score(score, winner):
    stack = draw({1: straight(20, 15, 6), 2: straight(20, 32, 6)})
    wide = disc_mask(20, 19, 7), disc_mask(20, 29, 7)
    predictor = DiscPredictor(
        masks={(5, 1): wide[0], (5, 2): wide[1]}, scores={(5, 1): 0.9, (5, 2): score}
    )
    seeds = {value: {4: stack[4] == value} for value in (1, 2)}
    steps = list(ns.propagate(predictor, stack, seeds, settings(direction="forward")))
    both = wide[0] & wide[1]
    assert both.any()
    assert (steps[1].labels[both] == winner).all()
    np.testing.assert_array_equal(steps[1].labels > 0, wide[0] | wide[1])


def test_given_labels_are_never_written_over():
    stack = draw({1: straight(20, 15, 6), 2: straight(20, 27, 6)})
    seeds = np.zeros(stack.shape, np.uint8)
    seeds[3][stack[3] == 1] = 1
    seeds[5][stack[5] == 2] = 2
    predictor = DiscPredictor(masks={(5, 1): disc_mask(20, 18, 8)}, scores={(5, 1): 1.0})
    volume = final(ns.propagate(predictor, stack, seeds, settings()), stack)
    np.testing.assert_array_equal(volume[5] == 2, stack[5] == 2)
    assert (volume[seeds > 0] == seeds[seeds > 0]).all()
    np.testing.assert_array_equal(volume[5] == 1, disc_mask(20, 18, 8) & (stack[5] != 2))


def test_only_the_chosen_are_followed_and_the_others_stay():
    stack = draw({1: straight(20, 15, 6), 2: straight(20, 27, 6)})
    seeds = np.zeros(stack.shape, np.uint8)
    seeds[3][stack[3] == 1] = 1
    seeds[[2, 5, 9]] += np.where(stack[[2, 5, 9]] == 2, 2, 0).astype(np.uint8)
    predictor = DiscPredictor(masks={(5, 1): disc_mask(20, 18, 8)}, scores={(5, 1): 1.0})
    steps = list(ns.propagate(predictor, stack, seeds, settings(only=[1])))
    assert [step.index for step in steps] == [3, 4, 5, 6, 7, 8, 9, 2, 1, 0]
    volume = final(steps, stack)
    for index in range(10):
        np.testing.assert_array_equal(volume[index] == 2, seeds[index] == 2)
        assert (volume[index] == 1).any()
    with pytest.raises(InputError, match="among the seeds"):
        ns.propagate(predictor, stack, seeds, settings(only=[7]))


def test_an_object_whose_place_is_taken_stops():
    stack = draw({1: straight(20, 15, 6), 2: straight(20, 40, 6)})
    predictor = DiscPredictor(masks={(5, 1): disc_mask(20, 34, 5)})
    seeds = {value: {4: stack[4] == value} for value in (1, 2)}
    loose = settings(min_overlap=0.0, direction="forward")
    stack[5][stack[5] == 1] = 0
    stack[5][disc_mask(20, 15, 2)] = 1
    predictor.masks = {(5, 1): disc_mask(20, 39, 6)}
    predictor.scores = {(5, 1): 0.8}
    steps = list(ns.propagate(predictor, stack, seeds, loose))
    assert steps[1].stopped[1].endswith("the rest is another object's")
    assert steps[1].ends == {1: End.TAKEN}
    np.testing.assert_array_equal(steps[1].labels == 2, stack[5] == 2)
    assert not (steps[1].labels == 1).any()


def test_closing_cancels_and_what_was_yielded_stands():
    stack = draw({1: straight(20, 15, 6)})
    predictor = DiscPredictor()
    walk = ns.propagate(predictor, stack, at(stack, 1, 4), settings())
    taken = [next(walk) for _ in range(3)]
    before = [step.labels.copy() for step in taken]
    walk.close()
    assert list(walk) == []
    assert [z for z, _ in predictor.asked] == [5, 6]
    for step, labels in zip(taken, before, strict=True):
        np.testing.assert_array_equal(step.labels, labels)


def test_a_store_changes_nothing_but_the_work():
    stack = draw({1: drifting(20, 15, 6)})
    seeds = {1: {z: stack[z] == 1 for z in (2, 7)}}
    without, with_store = DiscPredictor(), DiscPredictor()
    plain = list(ns.propagate(without, stack, seeds, settings()))
    stored = list(ns.propagate(with_store, stack, seeds, settings(), store=DictStore()))
    for one, other in zip(plain, stored, strict=True):
        np.testing.assert_array_equal(one.labels, other.labels)
        assert (one.index, one.scores, one.unsure) == (other.index, other.scores, other.unsure)
    assert len(without.embedded) == 14  # those between the anchors twice
    assert sorted(z for z, _ in with_store.embedded) == list(range(10))


def test_one_contrast_serves_the_whole_stack():
    stack = draw({1: straight(20, 15, 6)}).astype(np.float32)
    stack[8] *= 50
    predictor = DiscPredictor()
    list(ns.propagate(predictor, stack, at(stack, 1, 1), settings(last=7)))
    (contrast,) = {contrast for _, contrast in predictor.embedded}
    assert contrast == pytest.approx((0, 50), abs=1)
    predictor = DiscPredictor()
    list(ns.propagate(predictor, stack, at(stack, 1, 1), settings(last=7), contrast=(3, 4)))
    assert {contrast for _, contrast in predictor.embedded} == {(3, 4)}


def test_a_min_max_model_gets_one_range_of_all_slices_for_each_colour():
    stack = draw({1: straight(20, 15, 6)})
    colours = np.stack([stack, stack // 2, stack * 0 + 7], axis=-1)
    predictor = DiscPredictor()
    predictor.model.entry.intensity = "min_max"
    list(ns.propagate(predictor, colours, at(stack, 1, 4), settings()))
    low, high = predictor.embedded[0][1]
    assert low.tolist() == [0, 0, 7]
    assert high.tolist() == [109, 54, 7]


class Lazy:
    """An array that can be read slice by slice only."""

    def __init__(self, data):
        self.data = data
        self.shape = data.shape
        self.dtype = data.dtype
        self.read = []

    def __getitem__(self, index):
        assert isinstance(index, int)
        self.read.append(index)
        return self.data[index]

    def __array__(self, *args, **kwargs):
        raise AssertionError("the whole stack was loaded")


def test_stack_and_seeds_are_read_slice_by_slice():
    stack = draw({1: straight(20, 15, 6)})
    seeds = np.zeros(stack.shape, np.uint16)
    seeds[4] = stack[4] == 1
    lazy = Lazy(stack), Lazy(seeds)
    walk = ns.propagate(DiscPredictor(), *lazy, settings(direction="forward"), contrast=(0, 255))
    np.testing.assert_array_equal(final(walk, stack)[4:], stack[4:] == 1)
    assert lazy[0].read == [4, 5, 6, 7, 8, 9]


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64])
def test_labels_keep_the_type_of_the_seeds(dtype):
    stack = draw({1: straight(20, 15, 6)})
    seeds = np.zeros(stack.shape, dtype)
    seeds[4] = stack[4] == 1
    step = next(ns.propagate(DiscPredictor(), stack, seeds, settings()))
    assert step.labels.dtype == (np.uint8 if dtype is bool else dtype)


def test_large_ids_fit():
    stack = draw({1: straight(20, 15, 6)})
    seeds = {2**40: {4: stack[4] == 1}}
    assert next(ns.propagate(DiscPredictor(), stack, seeds)).labels.max() == 2**40


GOOD = np.ones((40, 60), bool)


@pytest.mark.parametrize(
    ("stack", "seeds", "changes", "words"),
    [
        (np.zeros((40, 60)), {}, {}, r"must have shape \(Z, Y, X\)"),
        (None, np.zeros((3, 40, 60), int), {}, "the stack's shape"),
        (None, np.zeros((10, 40, 60), int), {}, "no object to follow"),
        (None, np.zeros((10, 40, 60)), {}, "whole numbers"),
        (None, np.full((10, 40, 60), -1), {}, "negative"),
        (None, {}, {}, "no object to follow"),
        (None, {1: {3: ns.ABSENT}}, {}, "no object to follow"),
        (None, {1: {3: GOOD}}, {"first": 5}, "no object to follow"),
        (None, {0: {3: GOOD}}, {}, "whole numbers from 1"),
        (None, {1: {12: GOOD}}, {}, "has 10 slices"),
        (None, {1: {"3": GOOD}}, {}, "slice '3'"),
        (None, {1: GOOD}, {}, "given by slice"),
        (None, {1: {3: ~GOOD}}, {}, "say ABSENT"),
        (None, {1: {3: GOOD[:9]}}, {}, r"boolean mask of shape \(40, 60\)"),
        (None, {1: {3: 5}}, {}, "or ABSENT"),
        (None, {1: {3: GOOD}}, {"last": 10}, "0 to 9"),
        (None, {1: {3: GOOD}}, {"first": 6, "last": 5}, "not after the last"),
    ],
)
def test_bad_input_is_refused_before_the_first_step(stack, seeds, changes, words):
    stack = draw({}) if stack is None else stack
    with pytest.raises(InputError, match=words):
        ns.propagate(DiscPredictor(), stack, seeds, settings(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"direction": "up"},
        {"min_score": 2},
        {"max_area_change": 0.5},
        {"agreement": -1},
        {"min_likeness": 1.5},
    ],
)
def test_settings_out_of_range_are_refused(changes):
    with pytest.raises(InputError, match=next(iter(changes))):
        ns.PropagateSettings(**changes)


def test_a_slice_without_a_number_is_named():
    stack = draw({1: straight(20, 15, 6)}).astype(float)
    stack[6] = np.nan
    walk = ns.propagate(DiscPredictor(), stack, at(stack, 1, 5), settings(), contrast=(0, 9))
    next(walk)
    with pytest.raises(InputError, match="slice 6: no pixel"):
        next(walk)


def test_the_model_that_ships_follows_drawn_discs():
    drawn = draw({1: drifting(20, 15, 9, speed=2), 2: straight(22, 46, 8, 1, 4)}, length=6)
    drawn[:, 0, 0] = 0
    noise = np.random.default_rng(0).integers(0, 50, drawn.shape)
    stack = ((drawn > 0) * 150 + noise).astype(np.uint8)
    seeds = {
        1: {0: ns.Prompts(box=(10.5, 5.5, 29.5, 24.5))},
        2: {2: ns.Prompts(box=(13.5, 37.5, 30.5, 54.5))},
    }
    predictor = ns.Predictor(ns.load_model("cells_tiny", "cpu"))
    volume = final(ns.propagate(predictor, stack, seeds), stack)
    for id_ in (1, 2):
        found, truth = volume == id_, drawn == id_
        assert (found & truth).sum() / (found | truth).sum() > 0.7
    assert not (volume[[0, 5]] == 2).any()


def test_an_end_says_whether_the_object_is_gone_or_elsewhere():
    """One ends, one jumps further than its width, one grows, one leaves at the edge."""
    stack = draw(
        {
            1: straight(10, 10, 4, last=5),
            2: lambda z: (10, 28, 4) if z < 6 else (24, 28, 4),
            3: lambda z: (32, 48, 3 if z < 6 else 7),
            4: lambda z: (30, 8 - 3 * (z - 4), 5),
        }
    )
    seeds = {value: {4: stack[4] == value} for value in (1, 2, 3, 4)}
    steps = list(ns.propagate(DiscPredictor(), stack, seeds, settings(direction="forward")))
    ends = {id_: (step.index, end) for step in steps for id_, end in step.ends.items()}
    assert ends[1] == (6, End.GONE)
    assert ends[2] == (6, End.MOVED)
    assert ends[3] == (6, End.GROWN)
    assert ends[4][1] is End.EDGE
    assert all(step.ends.keys() == step.stopped.keys() for step in steps)


def test_beside_a_jump_to_the_next_anchor_one_side_is_enough():
    """Who marks an object where it jumped to need not look at what led there."""
    stack = draw({1: lambda z: (10, 28, 4) if z < 6 else (24, 28, 4)})
    seeds = {1: {2: stack[2] == 1, 6: stack[6] == 1}}
    last = {step.index: step for step in ns.propagate(DiscPredictor(), stack, seeds, settings())}
    assert not any(step.unsure for step in last.values())
    np.testing.assert_array_equal(final(last.values(), stack), stack == 1)
    low = DiscPredictor(scores={(4, 1): 0.55})
    last = {step.index: step for step in ns.propagate(low, stack, seeds, settings())}
    assert [z for z, step in sorted(last.items()) if step.unsure] == [4]
