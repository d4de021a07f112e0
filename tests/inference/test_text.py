"""Prompts with words: their errors, their forms, and that they do not touch other prompts."""

import numpy as np
import pytest
import torch

from napari_sam.errors import InputError
from napari_sam.inference.predictor import Predictor
from napari_sam.model.config import CONFIGS
from napari_sam.model.sam import Sam
from napari_sam.model.text_decoder import TextDecoder
from napari_sam.prompts import Prompts

WIDTH = 12


@pytest.fixture(scope="module")
def predictor():
    torch.manual_seed(0)
    model = Sam(CONFIGS["cells_tiny"]).eval()
    return Predictor(model, TextDecoder.beside(model, WIDTH).eval())


@pytest.fixture(scope="module")
def embedding(predictor):
    return predictor.embed(np.random.default_rng(0).random((90, 120)))


def vector(seed):
    return np.random.default_rng(seed).normal(size=WIDTH)


def test_words_alone_give_one_mask_of_the_whole_picture(predictor, embedding):
    found = predictor.predict(embedding, Prompts(text=vector(0)))
    assert found.masks.shape == (1, 90, 120)
    assert found.logits.shape == (1, *embedding.logits_size)


def test_other_words_other_logits_and_their_length_does_not_matter(predictor, embedding):
    first, same, other = (
        predictor.predict(embedding, Prompts(text=text)).logits
        for text in (vector(0), 7 * vector(0), vector(1))
    )
    np.testing.assert_allclose(first, same, atol=1e-4)
    assert np.abs(first - other).max() > 1e-3


def test_words_with_a_click_or_a_box_give_one_mask_and_differ_from_those_without(
    predictor, embedding
):
    for place in ({"points": [(40, 50)], "labels": [1]}, {"box": (20, 30, 60, 80)}):
        with_words = predictor.predict(embedding, Prompts(**place, text=vector(0)))
        without = predictor.predict(embedding, Prompts(**place), multimask=False)
        assert with_words.masks.shape == (1, 90, 120)
        assert np.abs(with_words.logits - without.logits).max() > 1e-3


def test_many_are_what_each_is(predictor, embedding):
    asked = [
        Prompts(text=vector(0)),
        Prompts(points=[(40, 50)], labels=[1]),
        Prompts(points=[(40, 50)], labels=[1], text=vector(0)),
        Prompts(points=[(20, 50)], labels=[1], text=vector(1)),
    ]
    for one, many in zip(asked, predictor.predict_batch(embedding, asked), strict=True):
        np.testing.assert_allclose(predictor.predict(embedding, one).logits, many.logits, atol=1e-4)


def test_a_model_that_knows_no_words_says_what_to_do():
    plain = Predictor(Sam(CONFIGS["cells_tiny"]).eval())
    embedding = plain.embed(np.zeros((40, 40)))
    with pytest.raises(InputError, match="take cells_tiny"):
        plain.predict(embedding, Prompts(text=vector(0)))


def test_vectors_of_another_encoder_are_refused(predictor, embedding):
    with pytest.raises(InputError, match="12"):
        predictor.predict(embedding, Prompts(text=np.ones(5)))


@pytest.mark.parametrize("factor", [2.0**-1060, 1e-300, 2.0**-40, 2.0**40, 1e200, 1e307])
@pytest.mark.parametrize("place", [{}, {"points": [(40, 50)], "labels": [1]}])
def test_words_of_any_length_have_the_same_answer(predictor, embedding, factor, place):
    text = vector(0)
    first, scaled = (
        predictor.predict(embedding, Prompts(text=one, **place)) for one in (text, factor * text)
    )
    np.testing.assert_allclose(first.logits, scaled.logits, atol=1e-4)
    assert np.isfinite(scaled.scores).all()
