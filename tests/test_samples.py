from __future__ import annotations

from importlib.resources import files

import numpy as np
import pytest

import napari_sam.samples as module
from napari_sam.samples import SAMPLES, sample_layer
from tests.truth import truth

SHAPES = {
    "nuclei": (520, 696),
    "tissue": (256, 256, 3),
    "stack": (16, 256, 256),
    "movie": (10, 240, 240),
}


@pytest.mark.parametrize("name", ["nuclei", "tissue"])
def test_every_prompt_means_one_outlined_object(name):
    sample = SAMPLES[name]
    picture = sample.read()
    masks = truth(name, picture.shape[:2])
    assert sum(mask.astype(int) for mask in masks).max() == 1
    for prompts, mask in zip(sample.prompts, masks, strict=True):
        for row, column in prompts.points:
            assert mask[round(row), round(column)]
        if prompts.box is not None:
            rows, columns = np.nonzero(mask)
            tight = rows.min(), columns.min(), rows.max(), columns.max()
            assert np.abs(np.subtract(tight, prompts.box)).max() < 3


def test_samples_are_layers_with_credit_axes_and_contrast():
    assert {*SAMPLES} == {*SHAPES}
    for name, shape in SHAPES.items():
        ((picture, about, kind),) = getattr(module, f"{name}_layer")()
        assert kind == "image"
        assert picture.dtype == np.uint8
        assert picture.shape == shape
        assert about["rgb"] == (name == "tissue")
        assert len(about["axis_labels"]) == len(shape) - about["rgb"]
        assert about["metadata"]["credit"] == SAMPLES[name].credit
        if not about["rgb"]:  # or it is dark: a few pixels are much brighter than all others
            low, high = about["contrast_limits"]
            assert low < np.median(picture) < high <= int(picture.max()) + 1
    assert sample_layer("stack")[1]["scale"] == (0.58, 0.26, 0.26)


def test_the_pictures_are_small_and_credited():
    folder = files("napari_sam") / "pictures"
    shipped = {path.name: len(path.read_bytes()) for path in folder.iterdir()}
    assert sum(shipped.values()) < 2_000_000
    assert {f"{name}_small.png" for name in SAMPLES} < {*shipped}
    credits = (folder / "CREDITS.md").read_text()
    for name in shipped:
        assert name in credits or name.endswith(("_small.png", ".md"))


def test_a_stack_and_a_movie_change_from_plane_to_plane():
    for name in ("stack", "movie"):
        planes = SAMPLES[name].read().astype(int)
        middle = planes[len(planes) // 2]
        near = np.abs(planes[len(planes) // 2 + 1] - middle).mean()
        assert 0 < near < np.abs(planes[0] - middle).mean()
