"""Labels go in as masks and come back as predictions, never lost."""

from __future__ import annotations

import numpy as np
import pytest

import napari_sam as ns
from napari_sam.errors import InputError
from napari_sam.inference.mask_prompts import PromptRule
from napari_sam.inference.refinement.refine import refine_stack, settled
from napari_sam.inference.refinement.two_pass import Refined
from napari_sam.masks import CroppedMask
from tests.inference.moving import DiscPredictor, draw

MASK_AND_BOX = PromptRule()


@pytest.fixture
def stack():
    return draw({1: lambda z: (20, 15, 6), 2: lambda z: (20, 40, 6)}, length=3)


def rough(stack):
    """Return labels 7 and 300: the discs of 1 and 2, shifted."""
    labels = np.zeros(stack.shape, np.uint16)
    labels[np.roll(stack == 1, 2, axis=2)] = 7
    labels[np.roll(stack == 2, 2, axis=1)] = 300
    return labels


def test_every_object_of_a_picture_is_predicted_in_one_batch_and_again_as_what_came_back(stack):
    predictor = DiscPredictor(scores={(0, 2): 0.7})
    found = ns.refine(predictor, stack[0], rough(stack)[0], MASK_AND_BOX)
    assert list(found) == [7, 300]
    np.testing.assert_array_equal(found[7].masks[0], stack[0] == 1)
    assert found[300].scores[0] == pytest.approx(0.7)
    (_, first), (_, prompts) = predictor.asked
    np.testing.assert_array_equal(first[0].mask, rough(stack)[0] == 7)
    assert [one.box for one in first] == [None, None]
    np.testing.assert_array_equal(prompts[0].mask, stack[0] == 1)
    assert prompts[1].box is not None


def test_without_the_mask_it_is_asked_once(stack):
    predictor = DiscPredictor()
    ns.refine(predictor, stack[0], rough(stack)[0], PromptRule(mask=False))
    ((_, prompts),) = predictor.asked
    assert [one.mask for one in prompts] == [None, None]
    assert prompts[1].box is not None


def test_a_stack_is_refined_slice_by_slice(stack):
    labels = rough(stack)
    labels[1] = 0
    steps = list(refine_stack(DiscPredictor(), stack, labels, MASK_AND_BOX))
    assert [step.index for step in steps] == [0, 2]
    expected = np.where(stack[2] == 1, 7, np.where(stack[2] == 2, 300, 0))
    np.testing.assert_array_equal(steps[1].labels, expected)
    assert steps[1].labels.dtype == np.uint16
    assert steps[1].scores == {7: pytest.approx(0.9), 300: pytest.approx(0.9)}
    assert not steps[1].unsure


@pytest.mark.parametrize("answer", ["empty", "elsewhere"])
def test_an_answer_that_is_another_object_leaves_the_old_mask(stack, answer):
    labels = rough(stack)
    other = np.zeros(stack.shape[1:], bool)
    if answer == "elsewhere":
        other[30:38, 10:30] = True
    predictor = DiscPredictor(masks={(1, 1): other})
    step = list(refine_stack(predictor, stack, labels, MASK_AND_BOX))[1]
    np.testing.assert_array_equal(step.labels == 7, labels[1] == 7)
    assert step.unsure == {7: "the new mask is too different (IoU 0.00); the old one stays"}


def test_an_old_mask_that_stays_is_not_written_over(stack):
    labels = rough(stack)
    wide = labels[1] == 7
    wide[15:26, 24:46] = True
    predictor = DiscPredictor(masks={(1, 1): np.zeros_like(wide), (1, 2): wide})
    labels[1][labels[1] == 300] = 0
    labels[1][15:26, 24:46] = 300
    step = list(refine_stack(predictor, stack, labels, MASK_AND_BOX))[1]
    np.testing.assert_array_equal(step.labels == 7, labels[1] == 7)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (np.zeros((40, 60), int), "no object"),
        (np.ones((40, 60)), "whole numbers"),
        (np.full((40, 60), -2), "negative"),
        (np.ones((40, 61), int), "the picture's shape"),
    ],
)
def test_labels_that_do_not_fit_are_refused(stack, labels, words):
    with pytest.raises(InputError, match=words):
        ns.refine(DiscPredictor(), stack[0], labels)


def test_a_stack_of_labels_must_have_the_stacks_shape(stack):
    with pytest.raises(InputError, match="the stack's shape"):
        refine_stack(DiscPredictor(), stack, np.ones((2, 40, 60), int))


def test_an_object_whose_new_mask_is_mostly_another_ones_keeps_its_old_one():
    """Never lost: even if the other one grew over its old pixels."""

    def square(row, column, side):
        mask = np.zeros((40, 40), bool)
        mask[row : row + side, column : column + side] = True
        return CroppedMask.of(mask)

    got = {
        1: Refined(square(0, 0, 10), square(0, 0, 16), 0.9),
        2: Refined(square(12, 0, 10), square(2, 0, 16), 0.8),
        3: Refined(square(30, 30, 8), square(30, 30, 8), 0.7),
    }
    labels, covered = settled(got, (40, 40), np.uint16)
    assert covered == {2}
    np.testing.assert_array_equal(labels == 2, got[2].before.full())
    np.testing.assert_array_equal(labels == 1, got[1].after.full() & ~got[2].before.full())
    assert (labels == 3).sum() == 64
