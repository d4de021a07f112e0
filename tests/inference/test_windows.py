"""Candidates of several scales, drawn by hand on a row of ten pixels."""

import numpy as np

from napari_sam.inference.windows import merge
from napari_sam.results import Prediction


def answer(scores, lengths):
    masks = np.arange(10)[None, None] < np.array(lengths)[:, None, None]
    logits = np.array(lengths, np.float32)[:, None, None]
    return Prediction(masks, np.array(scores, np.float32), logits)


def test_one_answer_stays_as_it_is():
    one = answer([0.9, 0.5], [3, 9])
    assert merge([(0, one)]) is one


def test_near_duplicates_make_room_for_others():
    fine = answer([0.9, 0.7, 0.2], [5, 6, 1])
    coarse = answer([0.95, 0.8, 0.6], [5, 2, 9])  # 0.92, 0.77 and 0.57 after the deduction
    found = merge([(0, fine), (1, coarse)])
    np.testing.assert_allclose(found.scores, [0.92, 0.77, 0.57], atol=1e-6)  # 6 is too like 5
    assert found.masks.sum(axis=(1, 2)).tolist() == [5, 2, 9]
    assert found.logits[:, 0, 0].tolist() == [5, 2, 9]


def test_duplicates_fill_up_where_nothing_else_was_found():
    found = merge([(0, answer([0.9, 0.8], [5, 5])), (2, answer([0.7, 0.6], [5, 5]))])
    np.testing.assert_allclose(found.scores, [0.9, 0.8])


def test_empty_masks_are_one_choice():
    found = merge([(0, answer([0.9, 0.8], [0, 4])), (1, answer([0.88, 0.1], [0, 1]))])
    assert found.masks.sum(axis=(1, 2)).tolist() == [0, 4]
