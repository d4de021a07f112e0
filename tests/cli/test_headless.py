"""The shipped model on the demo's own pictures."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt
from skimage.filters import threshold_otsu

from napari_sam import Predictor, Prompts, load_model
from napari_sam.cli.headless import paint, segment
from napari_sam.inference.automatic.presets import presets
from napari_sam.inference.automatic.search import propose_grid
from napari_sam.inference.automatic.selection import proposals_to_labels
from napari_sam.samples import SAMPLES
from tests.truth import nuclei, overlap, truth


@pytest.mark.parametrize("name", ["nuclei", "tissue"])
def test_every_prompt_gives_the_object_it_means(name):
    labels, _ = segment(SAMPLES[name], "cells_tiny", "cpu")
    outlines = truth(name, labels.shape)
    found = [overlap(labels == number, mask) for number, mask in enumerate(outlines, 1)]
    assert min(found) > (0.8 if name == "nuclei" else 0.5), found


def test_nuclei_are_followed_through_the_stack():
    sample = SAMPLES["stack"]
    labels, scores = segment(sample, "cells_tiny", "cpu")
    assert len(scores) == len(sample.prompts)
    stack = sample.read()
    focus = slice(4, 12)  # where all of them are sharp
    bright = stack[focus] > threshold_otsu(np.minimum(stack[focus], 120))
    for number, prompts in enumerate(sample.prompts, 1):
        row, column = np.asarray(prompts.points, int)[0]
        mine = labels[focus] == number
        assert mine[:, row, column].all()
        assert (mine & bright).sum() > 0.8 * mine.sum()


@pytest.mark.slow
def test_one_click_gives_a_right_nucleus_and_a_search_fills_the_picture():
    """What the demo promises with the default model and settings."""
    predictor = Predictor(load_model("cells_tiny", "cpu"))
    picture, labels = SAMPLES["nuclei"].read(), nuclei()
    masks = [labels == number for number in range(1, labels.max() + 1)]
    deepest = [np.unravel_index(distance_transform_edt(m).argmax(), m.shape) for m in masks]
    clicks = [Prompts(points=[place], labels=[1]) for place in deepest]
    answers = predictor.predict_batch(predictor.embed(picture), clicks)
    clicked = [overlap(one.masks[0], m) for one, m in zip(answers, masks, strict=True)]
    assert np.mean(np.array(clicked) > 0.7) > 0.95
    preset = presets()["nuclei"]
    found = proposals_to_labels(
        propose_grid(predictor, picture, preset.grid), preset.selection, picture.shape
    )
    searched = [max(overlap(found == n, m) for n in np.unique(found[m])) for m in masks]
    assert np.mean(np.array(searched) > 0.7) > 0.85


def test_an_object_has_one_colour_in_all_slices_and_covers_its_pixels():
    image, labels = np.full((20, 40), 50, np.uint8), np.zeros((20, 40), np.uint16)
    labels[5:15, 5:15] = 3
    alone = paint(image, labels, 80)
    labels[5:15, 25:35] = 1
    both = paint(image, labels, 80)
    assert both.shape == (40, 80, 3)
    np.testing.assert_array_equal(alone[:, :40], both[:, :40])
    assert (both[20, 60] != both[20, 20]).any()
    assert (both[20, 40] == both[2, 2]).all()
    assert np.ptp(both[20, 20].astype(int)) > 50  # filled, not only outlined
