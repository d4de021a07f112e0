"""Words with the built-in encoder and the built-in model, on a drawn picture of two kinds."""

from __future__ import annotations

import numpy as np
import pytest

import napari_sam as ns
from napari_sam.text.load import load_encoder
from napari_sam.text.ranking import compare, embed_proposals
from napari_sam.text.search import map_words, unknown_words
from tests.text.drawn import PLACES, SHAPE, is_bright, nuclei


@pytest.fixture(scope="module")
def picture():
    return nuclei()


@pytest.fixture(scope="module")
def predictor():
    return ns.Predictor(ns.load_model("cells_tiny", "cpu"))


@pytest.fixture(scope="module")
def encoder():
    return load_encoder()


@pytest.fixture(scope="module")
def objects(picture, encoder, predictor):
    return embed_proposals(encoder, picture, ns.propose_grid(predictor, picture))


def test_two_words_give_two_results(encoder, objects):
    found = compare(encoder, objects, ["bright nuclei", "dim nuclei"])
    labels, kept = found.labels(SHAPE, min_similarity=0.1)
    classes = np.array([0, *(k + 1 for _, k in kept)])[labels]
    right = [classes[row, column] == (1 if is_bright(column) else 2) for row, column in PLACES]
    assert np.mean(right) > 0.8


def test_a_word_that_it_does_not_know_is_told(encoder):
    assert unknown_words(encoder, ["nuclei", "round bacteria"]) == {}
    told = unknown_words(encoder, ["nuclei", "a sunset over the sea"])
    assert list(told) == ["a sunset over the sea"]
    assert "is not among the words that words_tiny knows" in told["a sunset over the sea"]
    similarity, least = encoder.familiarity("a sunset over the sea")
    assert similarity < least < encoder.familiarity("cell nuclei")[0]


def test_an_unknown_word_fits_nothing(encoder, objects):
    found = compare(encoder, objects, ["a sunset over the sea"])
    assert found.proposals
    assert found.similarity.max() < found.threshold


def test_the_vector_of_words_is_a_prompt(encoder):
    vector = ns.text.encode("nuclei", encoder)
    assert vector.shape == (encoder.width,)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    np.testing.assert_array_equal(ns.Prompts(text=vector).text, vector)


def test_the_words_themselves_are_a_prompt(picture, encoder, predictor):
    embedding = predictor.embed(picture)
    right, wrong = (map_words(predictor, encoder, embedding, [w]) for w in ("nuclei", "axons"))
    assert np.mean([right.classes[place] for place in PLACES]) > 0.8
    assert right.classes.mean() < 0.5
    assert right.scores[0] > wrong.scores[0]
    assert not np.array_equal(right.classes, wrong.classes)
