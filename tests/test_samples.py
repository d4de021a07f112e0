from __future__ import annotations

import numpy as np
import pytest

from napari_sam.samples import SAMPLES, cell_layer, tissue_layer
from tests.truth import truth


@pytest.mark.parametrize("name", SAMPLES)
def test_every_prompt_means_one_outlined_object(name):
    sample = SAMPLES[name]
    picture = sample.read()
    assert picture.dtype == np.uint8
    masks = truth(name, picture.shape[:2])
    assert sum(mask.astype(int) for mask in masks).max() == 1
    for prompts, mask in zip(sample.prompts, masks, strict=True):
        for row, column in prompts.points:
            assert mask[round(row), round(column)]
        if prompts.box is not None:
            rows, columns = np.nonzero(mask)
            tight = rows.min(), columns.min(), rows.max(), columns.max()
            assert np.abs(np.subtract(tight, prompts.box)).max() < 3


@pytest.mark.parametrize("layer", [cell_layer, tissue_layer])
def test_samples_are_layers_with_credit(layer):
    ((picture, about, kind),) = layer()
    assert kind == "image"
    assert about["rgb"] == (picture.ndim == 3)
    assert "scikit-image" in about["metadata"]["credit"]
