import numpy as np
import pytest
import torch

from napari_sam.inference.predictor import Predictor
from napari_sam.inference.sliding import SlidingWindow, sliding_windows
from napari_sam.inference.windows import View
from napari_sam.model.config import CONFIGS
from napari_sam.model.sam import Sam


@pytest.fixture(scope="module")
def predictor():
    torch.manual_seed(0)
    return Predictor(Sam(CONFIGS["cells_tiny"]).eval())


@pytest.mark.parametrize("shape", [(60, 40), (256, 256), (300, 700)])
def test_windows_that_draw_the_same_picture_join_to_it(predictor, shape):
    """Each window answers with its part of a wave; together they are the whole of it."""
    embedding = predictor.embed(np.random.default_rng(0).random(shape))
    windows = sliding_windows(embedding, predictor.config)
    joined = SlidingWindow(embedding, predictor.config)

    def wave(rows, columns):
        return np.sin(rows / 9)[:, None] + np.cos(columns / 7)

    for window in windows:
        view = View(embedding, predictor.config, window)
        scale = np.array(view.shape) / shape
        places = [
            ((np.arange(n) + 0.5) * predictor.config.mask_stride + corner) / s - 0.5
            for n, corner, s in zip(view.size, view.corner, scale, strict=True)
        ]
        joined.add(view, torch.from_numpy(wave(*places)).float()[None], 0.5)
    found = joined.prediction()
    truth = wave(np.arange(shape[0]), np.arange(shape[1]))
    sure = np.abs(truth) > 0.2
    assert (found.masks[0] == (truth > 0))[sure].all()
    assert found.scores == pytest.approx([0.5])
    assert found.logits.shape == (1, *embedding.logits_size)


def test_all_of_a_large_picture_is_covered(predictor):
    embedding = predictor.embed(np.zeros((300, 700)))
    seen = np.zeros((300, 700), bool)
    for window in sliding_windows(embedding, predictor.config):
        top, left, bottom, right = View(embedding, predictor.config, window).seen
        seen[top:bottom, left:right] = True
    assert seen.all()
