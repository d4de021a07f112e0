"""No source on both sides, the same sides every time, and something held out of little data."""

import numpy as np
import pytest

from napari_sam.data.samples import labelled_image
from napari_sam.data.split import hold_out, split
from napari_sam.evaluation.leakage import look_alikes
from napari_sam.training.balance import sampling_weights


def picture(source="a/one", dataset=None, plane=0, shape=(40, 100), objects=2, side=8, grey=0):
    """Squares in a row, 20 pixels apart; the first begins at column 6."""
    labels = np.zeros(shape, np.int32)
    for i in range(objects):
        labels[10 : 10 + side, 6 + 20 * i : 6 + 20 * i + side] = i + 1
    rgb = np.repeat(((labels > 0) * 150 + grey).astype(np.uint8)[..., None], 3, axis=2)
    dataset = dataset or source.partition("/")[0]
    return labelled_image(dataset, source, rgb, labels, plane=plane)


def test_planes_of_one_source_stay_together_and_one_in_ten_is_held_out():
    pictures = [picture(f"a/{i}", plane=z) for i in range(100) for z in range(2)]
    training, held = split(pictures)
    assert {p.source for p in training}.isdisjoint(p.source for p in held)
    assert len(training) + len(held) == 200
    assert 4 < len({p.source for p in held}) < 18
    assert [p.source for p in split(pictures[::-1])[1]] == [p.source for p in held[::-1]]
    assert {p.source for p in split(pictures, seed=1)[1]} != {p.source for p in held}


def test_the_shipped_weights_were_not_trained_on_what_is_held_out():
    names = [f"usiigaci_phase/set{i:02}" for i in range(1, 29)]
    held = {p.source.rpartition("/")[2] for p in split([picture(name) for name in names])[1]}
    assert held == {"set04", "set15", "set27"}  # two by their names, one to make it one in ten


def test_of_every_stratum_something_is_held_out():
    strata = {"dsb2018_train, grey": "g", "dsb2018_train, stained": "s"}
    pictures = [
        picture(f"dsb2018_train/{letter}{i}", dataset)
        for dataset, letter in strata.items()
        for i in range(16)
    ]
    training, held = split(pictures)
    for dataset in strata:
        assert sum(p.dataset == dataset for p in held) >= 2
    assert len(training) + len(held) == len(pictures)


def test_of_two_sources_one_is_held_out_and_a_lone_one_is_trained_on():
    pair = split([picture("a/1"), picture("a/2")])
    assert [len(part) for part in pair] == [1, 1]
    assert [len(part) for part in split([picture("b/1")])] == [1, 0]


def test_what_is_known_to_be_unfit_is_never_scored():
    # The first two would be held out by their names alone.
    unfit = ["omnipose_samples/caulo_15", "baby_yeast/evolve_testG_tp3", "codex_tissue/any"]
    training, held = split([picture(source) for source in unfit])
    assert (len(training), len(held)) == (3, 0)


def test_a_known_volume_is_split_in_blocks_with_a_gap():
    volume = [picture("neuroproof_fib25_em3d/sample", plane=z) for z in range(0, 250, 30)]
    training, held = split(volume)
    assert [p.plane for p in training] == [0, 30, 60, 90, 120]
    assert [p.plane for p in held] == [180, 210, 240]


@pytest.mark.parametrize(("sources", "expected"), [(2, 1), (9, 1), (20, 2), (39, 3)])
def test_of_few_sources_at_least_one_is_held_out(sources, expected):
    pictures = [picture(str(i), plane=z) for i in range(sources) for z in range(2)]
    training, held = hold_out(pictures)
    assert len({p.source for p in held}) == expected
    assert len({p.source for p in training}) == sources - expected
    assert [p.source for p in hold_out(pictures)[1]] == [p.source for p in held]


def test_of_a_single_stack_the_last_planes_are_held_out_after_a_gap():
    training, held = hold_out([picture(plane=z) for z in range(10)])
    assert [p.plane for p in training] == [0, 1, 2, 3, 4, 5, 6]
    assert [p.plane for p in held] == [8, 9]


def test_a_single_picture_is_cut_in_two_with_a_gap():
    # 100 columns: objects at 6, 26, 46, 66 and 86; the cut takes columns 60 to 69 away.
    (first,), (second,) = hold_out([picture(objects=5)])
    assert first.labels.shape == (40, 60)
    assert second.labels.shape == (40, 30)
    assert len(first.ids) == 3
    assert second.centres.tolist() == [[13.5, 1.5], [13.5, 19.5]]  # of the first a half is left
    assert second.rgb.shape == (40, 30, 3)


def test_a_picture_that_cannot_be_cut_is_trained_on_whole():
    training, held = hold_out([picture(objects=2)])
    assert [p.labels.shape for p in training] == [(40, 100)]
    assert held == []


def test_a_look_alike_has_shape_colours_and_object_size_in_common():
    mine = [picture("a/mine")]
    same = picture("b/same", objects=3)
    others = [
        picture("b/smaller", shape=(40, 99)),
        picture("b/larger objects", side=12),
        picture("b/brighter", grey=40),
    ]
    assert look_alikes(mine, [same, *others]) == {"b/same"}


def test_data_sets_are_drawn_by_the_cube_root_of_their_objects():
    # 5 sets with 150, 150 (3 counts as 150), 150, 150 and 3 * 400 = 8 * 150 objects
    many = {"a": 150, "b": 3, "c": 150, "d": 150}
    pictures = [counted(name, n) for name, n in many.items()] + [counted("e", 400)] * 3
    chance = sampling_weights(pictures)
    assert chance.sum() == pytest.approx(1)
    np.testing.assert_allclose(chance[:4], 0.75 / 4)  # the largest set meets the cap of a quarter
    np.testing.assert_allclose(chance[4:], 0.25 / 3)


def test_below_the_cap_the_share_is_the_root_itself():
    pictures = [counted(str(i), 150) for i in range(18)] + [counted("many", 8 * 150)]
    chance = sampling_weights(pictures)
    assert chance[-1] / chance[0] == pytest.approx(2)


def test_two_data_sets_can_share_no_less_than_half():
    np.testing.assert_allclose(sampling_weights([counted("a", 1), counted("b", 9999)]), 0.5)


def counted(dataset, n):
    """A picture that says it has `n` objects."""
    blank = picture(dataset=dataset)
    return type(blank)(
        dataset, dataset, blank.rgb, blank.labels, np.arange(n), np.zeros((n, 2)), np.ones(n)
    )
