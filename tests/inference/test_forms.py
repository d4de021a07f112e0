"""Every door of the public functions takes arrays of any form, and refuses what has no value."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import napari_sam as ns
from napari_sam.errors import InputError
from napari_sam.inference.refinement.refine import refine_stack
from tests.inference.moving import DiscPredictor, draw

STACK = draw({3: lambda z: (15 + z, 12 + z, 5)}, length=2)
LABELS = STACK.astype(np.uint8)


def propagated(stack, seeds):
    return [step.labels for step in ns.propagate(DiscPredictor(), stack, seeds)]


def refined(stack, labels):
    return [step.labels for step in refine_stack(DiscPredictor(), stack, labels)]


def refined_plane(_, labels):
    found = ns.refine(DiscPredictor(), STACK[0], labels[0])
    return [found[3].masks]


def linked(_, labels):
    return list(ns.link_slices(labels))


DOORS = propagated, refined, refined_plane, linked


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    "form",
    [
        lambda array: array.astype(">i4"),
        lambda array: np.asfortranarray(array),
        lambda array: array[:, ::-1].copy()[:, ::-1],
        lambda array: torch.from_numpy(array),
        lambda array: np.ma.array(array),
    ],
)
def test_stacks_and_labels_of_any_form_give_the_same(door, form):
    for plain, other in zip(door(STACK, LABELS), door(form(STACK), form(LABELS)), strict=True):
        np.testing.assert_array_equal(plain, other)


@pytest.mark.parametrize("door", DOORS)
def test_masked_labels_are_refused(door):
    with pytest.raises(InputError, match="masked values"):
        door(STACK, np.ma.masked_equal(LABELS, 3))


@pytest.mark.parametrize("door", [propagated, refined])
def test_masked_stacks_are_refused(door):
    with pytest.raises(InputError, match="masked values"):
        door(np.ma.masked_equal(STACK, 3), LABELS)


def test_a_masked_seed_is_refused_and_named():
    seed = np.ma.masked_equal(LABELS[0] > 0, True)
    with pytest.raises(InputError, match="masked values in object 1 on slice 0"):
        propagated(STACK, {1: {0: seed}})


@pytest.mark.parametrize(
    "seeds", [[20, 30], [20, 30, 3], [("a", "b")], [(True, False)], "20", [[20], [30, 3]]]
)
def test_seeds_of_a_grid_that_are_no_points_are_refused(seeds):
    predictor = ns.Predictor(ns.load_model("cells_tiny", "cpu"))
    with pytest.raises(InputError, match="seeds must"):
        ns.propose_grid(predictor, STACK[0], seeds=seeds)


@pytest.mark.parametrize("shape", [(-1, 3), (2.5, 3), "ab"])
def test_labels_need_a_shape_of_whole_numbers(shape):
    with pytest.raises(InputError, match="two whole numbers"):
        ns.proposals_to_labels([], shape=shape)
