"""Similarity by examples and counter-examples, counts, classes by example."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sam.errors import InputError
from napari_sam.inference.similar.features import Described
from napari_sam.inference.similar.rating import Classes, Likeness, count

WIDE = 384


@pytest.fixture
def kinds():
    """Ten objects of each of three kinds, in the space of crops."""
    rng = np.random.default_rng(0)
    centres = rng.normal(0, 0.06, (3, WIDE))
    vectors = np.repeat(centres, 10, axis=0) + rng.normal(0, 0.02, (30, WIDE))
    return Described({"crop": vectors})


@pytest.mark.parametrize("examples", [1, 3, 8])
def test_the_same_kind_comes_first(kinds, examples):
    rated = Likeness(kinds, kinds.only(range(examples))).rate(kinds)
    assert rated[:10].min() > 0.5 > rated[10:].max()
    assert np.all((rated >= 0) & (rated <= 1))


def test_counter_examples_take_away_and_never_add(kinds):
    plain = Likeness(kinds, kinds.only([0])).rate(kinds)
    against = Likeness(kinds, kinds.only([0]), kinds.only([10, 11])).rate(kinds)
    assert against[10:20].max() < 0.05
    assert np.all(against[:10] > 0.5)
    assert np.all(against <= plain + 1e-12) or against[:10].mean() > 0.5


def test_no_examples_are_refused(kinds):
    with pytest.raises(InputError, match="an example is needed"):
        Likeness(kinds, kinds.only([]))


def test_nothing_is_rated_as_nothing(kinds):
    assert len(Likeness(kinds, kinds.only([0])).rate(kinds.only([]))) == 0


def test_the_mean_of_a_single_object_is_no_trouble(kinds):
    one = kinds.only([0])
    assert np.isfinite(Likeness(one, one).rate(kinds)).all()


def test_of_a_few_like_objects_all_are_alike():
    some = Described({"crop": np.full((3, WIDE), 0.1)})
    assert Likeness(some, some.only([0])).rate(some).min() > 0.9


def test_counts_have_ends():
    counted = count(np.array([0.9, 0.8, 0.7, 0.6, 0.4, 0.3, 0.1]))
    assert counted == (4, 2, 6)
    assert str(count([0.9, 0.1])) == "1"
    assert count([]) == (0, 0, 0)


class TestClasses:
    def test_each_gets_the_class_of_what_it_is_like(self, kinds):
        given = Classes.by_example(kinds, {4: [0, 1], 7: [10], 9: [20, 21, 22]})
        assert given.numbers.tolist() == [4] * 10 + [7] * 10 + [9] * 10
        assert given.certainty.min() > 0.8

    def test_what_lies_between_is_least_certain(self, kinds):
        vectors = kinds.groups["crop"]
        between = (vectors[0] + vectors[10]) / 2
        more = Described({"crop": np.vstack([vectors, between])})
        given = Classes.by_example(more, {4: [0], 7: [10]})
        assert given.certainty[:20].min() > given.certainty[30] >= 0.5

    def test_one_class_is_none(self, kinds):
        with pytest.raises(InputError, match="two classes"):
            Classes.by_example(kinds, {4: [0], 7: []})
