"""What becomes of an answer that contradicts a click."""

from types import SimpleNamespace

import numpy as np
import pytest

from napari_sam.inference.agreement import agrees
from napari_sam.inference.clicks import CUT, JOINED, settle
from napari_sam.inference.predictor import Predictor
from napari_sam.model.config import CONFIGS
from napari_sam.model.sam import Sam
from napari_sam.prompts import Prompts
from napari_sam.results import Prediction

SHAPE = 40, 60
A, B = (20, 15), (20, 37)
PICTURE = SimpleNamespace(shape=SHAPE, levels=[SimpleNamespace(shape=SHAPE)])
CONFIG = SimpleNamespace(mask_stride=1, mask_threshold=0.0)


def disc(place, radius):
    rows, columns = np.indices(SHAPE)
    return np.hypot(rows - place[0], columns - place[1]) <= radius


TWO = disc(A, 12) | disc(B, 12)


def logits(mask):
    return np.where(mask, 5, -5).astype(np.float32)


def answer(*masks, scores=None):
    scores = np.linspace(0.8, 0.7, len(masks)) if scores is None else scores
    return Prediction(np.stack(masks), np.float32(scores), np.stack([logits(m) for m in masks]))


class Model:
    """Answers as the tests want it, and notes what it was asked."""

    def __init__(self, anew=TWO, others=(), last=()):
        self.anew, self.others, self.last, self.asked = anew, others, last, []

    def look(self, prompts, multimask):
        (one,) = prompts
        self.asked.append((one, multimask))
        if multimask is None:
            return [[(0, answer(self.anew))]]
        masks = self.last if len(one.points) == 1 else self.others
        return [[(k, answer(mask, scores=[score])) for k, (mask, score) in enumerate(masks)]]


def settled(model, found, prompts):
    return settle(prompts, found, PICTURE, CONFIG, model.look)


PAIR = Prompts([A, B], [1, 0], mask=logits(TWO))


@pytest.mark.parametrize(
    "prompts", [Prompts([A], [1]), Prompts(box=(1, 1, 30, 30)), Prompts([A], [1], mask=TWO)]
)
def test_a_single_click_or_box_is_answered_as_ever(prompts):
    model, found = Model(), answer(disc(B, 3))
    assert settled(model, found, prompts) is found
    assert not model.asked


def test_what_agrees_stays_as_it_is():
    model, found = Model(), answer(disc(A, 12))
    assert settled(model, found, PAIR) is found
    assert not model.asked


def test_the_mask_to_correct_is_left_out_first():
    model = Model(anew=disc(A, 11))
    found = settled(model, answer(TWO & ~disc(B, 2)), PAIR)
    assert np.array_equal(found.masks[0], disc(A, 11))
    assert found.remark == ""
    assert [(one.mask, many) for one, many in model.asked] == [(None, None)]


def test_the_best_candidate_of_all_scales_that_agrees_is_taken():
    model = Model(others=[(TWO, 0.9), (disc(A, 9), 0.5)], last=[(disc(A, 10), 0.6)])
    found = settled(model, answer(TWO), PAIR)
    assert np.array_equal(found.masks[0], disc(A, 10))
    assert found.scores.tolist() == [np.float32(0.6)]
    assert found.remark == ""


def test_if_none_agrees_the_mask_is_cut_and_it_is_said():
    found = settled(Model(), answer(TWO), PAIR)
    mask = found.masks[0]
    assert found.remark == CUT
    assert agrees(mask, PAIR, before=TWO)
    iou = np.count_nonzero(mask & TWO) / np.count_nonzero(TWO)
    assert found.scores[0] == pytest.approx(0.8 * iou)
    assert np.array_equal(found.logits[0] > 0, mask)  # the next click goes on from the cut


def test_a_cut_is_made_in_pictures_of_another_grid():
    picture = SimpleNamespace(shape=SHAPE, levels=[SimpleNamespace(shape=(80, 120))])
    config = SimpleNamespace(mask_stride=4, mask_threshold=0.0)
    low = logits(TWO)[::2, ::2]  # two pixels a cell

    def look(prompts, multimask):
        return [[(0, Prediction(TWO[None], np.float32([0.8]), low[None]))]]

    found = settle(Prompts([A, B], [1, 0], mask=low), look(0, 0)[0][0][1], picture, config, look)
    assert found.remark == CUT
    again = np.kron(found.logits[0] > 0, np.ones((2, 2), bool))
    assert np.count_nonzero(again & found.masks[0]) > 0.9 * np.count_nonzero(found.masks[0])


def test_an_include_click_never_makes_the_part_under_an_earlier_one_vanish():
    prompts = Prompts([A, B], [1, 1], mask=logits(disc(A, 8)))
    model = Model(anew=disc(B, 8))
    found = settled(model, answer(disc(B, 8)), prompts)
    assert found.masks[0][A]
    assert found.masks[0][B]
    assert found.remark == JOINED


def test_what_cannot_be_helped_stays_as_the_model_says():
    apart = Prompts([A, (39, 0)], [1, 1])
    model, found = Model(anew=TWO), answer(TWO)
    assert settled(model, found, apart) is found


def test_a_box_with_an_exclude_click_is_settled_too():
    prompts = Prompts([B], [0], box=(5, 2, 35, 52))
    found = settled(Model(), answer(TWO), prompts)
    assert found.masks[0][A]
    assert not found.masks[0][B]
    assert found.remark == CUT


def test_an_exclude_click_on_a_drawn_mask_alone_cuts_that():
    prompts = Prompts([B], [0], mask=TWO)
    found = settled(Model(), answer(TWO), prompts)
    assert not found.masks[0][B]
    assert found.masks[0].any()


class Stubborn(Predictor):
    """Has the same mask for all prompts."""

    def _look(self, embedding, prompts, multimask):
        low = logits(np.zeros(embedding.logits_size, bool))
        return [[(0, Prediction(TWO[None], np.float32([0.8]), low[None]))] for _ in prompts]


def test_the_predictor_obeys_unless_asked_for_what_the_decoder_says():
    predictor = Stubborn(Sam(CONFIGS["cells_tiny"]).eval())
    embedding = predictor.embed(np.zeros(SHAPE))
    prompts = Prompts([A, B], [1, 0])
    assert np.array_equal(predictor.predict(embedding, prompts, multimask=False).masks[0], TWO)
    obeyed = predictor.predict(embedding, prompts)
    assert agrees(obeyed.masks[0], prompts)
    assert obeyed.remark == CUT
