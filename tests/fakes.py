"""A model that needs no weights, and labels that need no window."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from napari_sam.results import Prediction


@dataclass
class FakeSegmenter:
    """Discs around points, an ellipse in the box; background points cut discs out."""

    radius: float = 5.0
    device: str = "cpu"
    devices: tuple[str, ...] = ("cpu",)
    asked: list = field(default_factory=list)
    embedded: list = field(default_factory=list)
    kept: list = field(default_factory=list)
    has_instances: bool = False

    def work(self, shape):
        return np.array([0.5, 1.0])

    def news(self):
        return ""

    def keep(self, image, contrast=None, pause=None):
        if pause is not None:
            pause()
        self.kept.append((image.copy(), contrast))
        return 1

    def embed(self, image, contrast=None, pause=None):
        self.embedded.append((image[:, :].copy(), contrast))
        return image.shape[:2]

    def contrast(self, pixels):
        return float(pixels.min()), float(pixels.max())

    def predict(self, embedding, prompts, pause=None):
        self.asked.append(prompts)
        rows, columns = np.indices(embedding)

        def disc(point, radius):
            return (rows - point[0]) ** 2 + (columns - point[1]) ** 2 <= radius**2

        radii = [self.radius, 2 * self.radius, 1] if prompts.is_lone_point else [self.radius]
        masks = []
        for radius in radii:
            mask = np.zeros(embedding, bool)
            if prompts.box is not None:
                y0, x0, y1, x1 = prompts.box
                mask |= ((2 * rows - y0 - y1) / (y1 - y0)) ** 2 + (
                    (2 * columns - x0 - x1) / (x1 - x0)
                ) ** 2 <= 1
            for point, label in zip(prompts.points, prompts.labels, strict=True):
                mask = mask | disc(point, radius) if label else mask & ~disc(point, radius)
            masks.append(mask)
        scores = np.linspace(0.9, 0.5, len(masks)).astype(np.float32)
        logits = np.stack([np.full((8, 8), 8 * score, np.float32) for score in scores])
        return Prediction(np.stack(masks), scores, logits)

    def predict_batch(self, embedding, prompts, pause=None):
        return [self.predict(embedding, one, pause) for one in prompts]


@dataclass
class FakeEncoder:
    """Knows "large" and "small" things, beside the others of the picture, and nothing else."""

    name: str = "fake"
    width: int = 3
    side: int = 8
    threshold: float = 0.8
    looks: list = field(default_factory=list)

    def words(self, texts):
        known = np.array([[t == "large", t == "small", False] for t in texts], np.float32)
        known[:, 2] = ~known.any(axis=1)
        return known

    def crops(self, crops):
        self.looks.append(len(crops))
        vectors = np.array([[one.size, 1 / one.size, 0] for one in crops], np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def prompts(self, texts):
        return self.words(texts)

    def similarity(self, seen, meant, others):
        return seen @ meant.T

    def against(self, words):
        return ["background"]

    def familiarity(self, text):
        return float(text in ("large", "small")), 0.5


class ArrayTarget:
    """Labels in a plain array."""

    def __init__(self, data):
        self.data = data

    @property
    def dtype(self):
        return self.data.dtype

    def read(self, plane):
        return self.data[tuple(slice(None) if at is None else at for at in plane)]

    def write(self, plane, rows, columns, values):
        self.read(plane)[rows, columns] = values
