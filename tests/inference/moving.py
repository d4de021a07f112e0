"""Discs that move through a stack, and a model whose answers a test controls."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import torch

from napari_sam.inference.embedding import Level
from napari_sam.model.sam import Features
from napari_sam.results import Prediction

MARK = 100  # the pixel (0, 0) says which slice it is


def draw(discs, length=10, shape=(40, 60)):
    """Return (Z, Y, X) uint8 of discs: ``{value: (row, column, radius) of a slice}``.

    The function may return None where there is no disc.
    """
    rows, columns = np.indices(shape)
    stack = np.zeros((length, *shape), np.uint8)
    for z in range(length):
        for value, place in discs.items():
            if (at := place(z)) is not None:
                row, column, radius = at
                stack[z][(rows - row) ** 2 + (columns - column) ** 2 <= radius**2] = value
        stack[z, 0, 0] = MARK + z
    return stack


class Drawn:
    """The embedding of a drawn slice: a token a pixel, with a feature for each value."""

    def __init__(self, image):
        self.image = image
        self.shape = image.shape
        kinds = torch.from_numpy(np.stack([image == value for value in range(10)]).astype("f4"))
        self.levels = (Level(image.shape, Features(kinds[None])),)


class DiscPredictor:
    """Answers every prompt with all pixels of the value that the prompt shows most.

    ``scores`` and ``masks`` hold other answers by (slice, value).
    """

    def __init__(self, scores=None, masks=None):
        self.model = SimpleNamespace(entry=SimpleNamespace(intensity="percentile"))
        self.config = SimpleNamespace(stride=1)
        self.scores = scores or {}
        self.masks = masks or {}
        self.embedded = []
        self.asked = []

    def embed(self, image, contrast=None):
        self.embedded.append((int(image[0, 0].max()) - MARK, contrast))
        grey = image if image.ndim == 2 else image[..., 0]
        return Drawn(grey)

    def predict_batch(self, embedding, prompts):
        self.asked.append((int(embedding.image[0, 0]) - MARK, list(prompts)))
        return [self._answer(embedding.image, one) for one in prompts]

    def _answer(self, image, prompts):
        z = int(image[0, 0]) - MARK
        seen = np.zeros(image.shape, bool)
        if prompts.mask is not None:
            seen = prompts.mask
        elif prompts.box is not None:
            y0, x0, y1, x1 = np.round(prompts.box + 0.5).astype(int)
            seen[y0:y1, x0:x1] = True
        else:
            seen[tuple(np.round(prompts.points[0]).astype(int))] = True
        counts = np.bincount(image[seen & (image < MARK)].astype(int), minlength=2)[1:]
        value = int(counts.argmax()) + 1 if counts.any() else 0
        mask = self.masks.get((z, value), (image == value) & (value > 0))
        score = self.scores.get((z, value), 0.9)
        return Prediction(mask[None], np.float32([score]), np.zeros((1, 4, 4), np.float32))


class DictStore:
    """Keeps every embedding by its slice."""

    def __init__(self):
        self.known = {}

    def get(self, predictor, image, contrast):
        key = image[0, 0].tobytes()
        if key not in self.known:
            self.known[key] = predictor.embed(image, contrast)
        return self.known[key]
