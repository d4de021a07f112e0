"""More objects like examples in a picture, with the model and the tower that ship."""

from __future__ import annotations

import numpy as np
import pytest

import napari_sam as ns
from napari_sam.errors import InputError
from napari_sam.text.load import load_encoder
from napari_sam.text.similar import iter_similar

SHAPE = 128, 160
BRIGHT = [(20, 24), (20, 70), (66, 24), (108, 120)]
DARK = [(66, 70), (24, 124), (108, 30), (66, 120)]


def disc(place, radius=10):
    rows, columns = np.indices(SHAPE)
    return np.hypot(rows - place[0], columns - place[1]) < radius


@pytest.fixture(scope="module")
def predictor():
    return ns.Predictor(ns.load_model("cells_tiny"))


@pytest.fixture(scope="module")
def image():
    picture = np.full(SHAPE, 110, np.uint8)
    for place in BRIGHT:
        picture[disc(place)] = 230
    for place in DARK:
        picture[disc(place)] = 15
    return picture


def kind_of(one):
    place = np.mean(np.argwhere(one.mask), axis=0)
    return min([(np.hypot(*(place - at)), at in BRIGHT) for at in BRIGHT + DARK])[1]


@pytest.fixture(scope="module")
def found(predictor, image):
    return ns.find_similar(predictor, image, disc(BRIGHT[0]).astype(np.uint8))


def test_the_examples_kind_comes_first_and_the_example_is_left_out(found):
    assert [kind_of(one) for one in found.proposals] == [True] * 3 + [False] * 4
    assert np.all(np.diff(found.similarity) <= 0)
    labels = found.labels(float(found.similarity[2]))
    assert len({labels[at] for at in BRIGHT[1:]} - {0}) == 3
    assert not any(labels[at] for at in [BRIGHT[0], *DARK])
    assert found.count.least <= found.count.likely <= found.count.most


def test_labels_of_nothing_have_the_pictures_shape(found):
    assert found.labels(1.1).shape == SHAPE
    assert not found.labels(1.1).any()


def test_counter_examples_count_less(predictor, image, found):
    examples, against = disc(BRIGHT[0]), disc(DARK[0])
    less = ns.find_similar(predictor, image, examples, against=against)
    dark = [
        value
        for one, value in zip(less.proposals, less.similarity, strict=True)
        if not kind_of(one)
    ]
    assert len(dark) == 3  # it is left out itself
    assert max(dark) < found.similarity[2]


def test_progress_comes_before_the_result(predictor, image):
    steps = list(
        iter_similar(
            *(predictor, load_encoder(), image, disc(BRIGHT[0])), ns.InstanceSettings(refine=True)
        )
    )
    assert [step.result is None for step in steps] == [True] * (len(steps) - 1) + [False]
    assert len(steps) > 1


@pytest.mark.parametrize(
    ("examples", "why"),
    [
        (np.zeros(SHAPE, int), "an example is needed"),
        (np.zeros((4, 4), int), "must have the shape of the picture"),
        (np.full(SHAPE, 0.5), "whole numbers"),
    ],
)
def test_what_is_no_example_is_refused(predictor, image, examples, why):
    with pytest.raises(InputError, match=why):
        ns.find_similar(predictor, image, examples)
