"""What is enlarged around an object is what the whole picture would be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_sam.inference.automatic.sweep import Enlarger
from napari_sam.inference.embedding import Embedding, Level
from napari_sam.inference.windows import View
from napari_sam.model.config import CONFIGS
from napari_sam.model.sam import Features

SAM = replace(CONFIGS["vit_b"], frame=256)
CELLS = CONFIGS["cells_tiny"]


def make_view(config, picture, shape, window=(0, 0, 0)):
    tokens = [config.grid] * 2 if not config.dense else [-(-n // 32) * 4 for n in shape]
    features = Features(torch.zeros(1, 1, *tokens))
    return View(Embedding(picture, (0, 1), (Level(shape, features),)), config, window)


VIEWS = [
    make_view(SAM, (256, 256), (256, 256)),
    make_view(SAM, (100, 150), (171, 256)),  # enlarged, padded below
    make_view(SAM, (700, 400), (256, 146)),  # shrunk, padded at the right
    make_view(SAM, (1, 40), (6, 256)),
    make_view(CELLS, (300, 350), (600, 700), (0, 16, 40)),
    make_view(CELLS, (300, 350), (600, 700), (0, 44, 56)),  # the lower right corner
    make_view(CELLS, (900, 800), (450, 400), (0, 8, 0)),
    make_view(CELLS, (20, 30), (120, 180)),
]


def blobs(view, seed):
    """Logits with a few bumps, not only where the picture is."""
    rng = np.random.default_rng(seed)
    y, x = np.indices(view.size)
    logits = np.full(view.size, -6.0)
    for _ in range(rng.integers(1, 4)):
        row, column, width = rng.uniform(0, view.size[0]), rng.uniform(0, view.size[1]), 2.5
        logits += 12 * np.exp(-((y - row) ** 2 + (x - column) ** 2) / (2 * width**2))
    return torch.from_numpy(logits).float()


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("view", VIEWS)
def test_masks_are_those_of_the_view(view, seed):
    logits = blobs(view, seed)
    whole = view.masks(logits[None])[0]
    found = Enlarger(view, logits).around(logits, above=0.0)
    if found is None:
        assert not whole.any()
        return
    values, (top, left) = found
    mask = np.zeros_like(whole)
    mask[top : top + values.shape[0], left : left + values.shape[1]] = (values > 0).numpy()
    assert np.count_nonzero(mask != whole) <= 1  # a logit may round to the other side of 0


def test_only_the_surroundings_are_enlarged():
    view = VIEWS[0]
    logits = torch.full(view.size, -6.0)
    logits[20:24, 30:36] = 6
    values, (top, left) = Enlarger(view, logits).around(logits, above=-1.0)
    (height, width), cell = values.shape, 4
    assert 18 * cell <= top <= 20 * cell
    assert 24 * cell <= top + height <= 26 * cell
    assert 28 * cell <= left <= 30 * cell
    assert 36 * cell <= left + width <= 38 * cell


@pytest.mark.parametrize("view", VIEWS)
def test_padding_counts_for_nothing(view):
    logits = torch.full(view.size, -6.0)
    rows, columns = Enlarger(view, logits).cells
    logits[rows:] = 9
    logits[:, columns:] = 9
    assert not view.masks(logits[None]).any()
    assert Enlarger(view, logits).around(logits, above=0.0) is None
