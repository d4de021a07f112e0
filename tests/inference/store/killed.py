"""Fills a store with large embeddings until it is killed: ``python killed.py FOLDER COUNT``."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
import zarr  # noqa: F401  (else most of the time would go into importing it)

from napari_sam.inference.embedding import Embedding, Level
from napari_sam.inference.store.disk import DiskStore
from napari_sam.inference.store.memory import MemoryStore
from napari_sam.inference.store.store import EmbeddingStore
from napari_sam.model.sam import Features
from napari_sam.serving.precompute import embed_stack
from napari_sam.zoo.catalogue import Entry


class Copying:
    """Embeds in no time: what counts is the writing."""

    def __init__(self):
        self.model = self
        self.config = self.device = torch.device("cpu")
        self.entry = Entry("any", "any", sha256="ab" * 32)

    def embed(self, image, contrast=None, pause=None, *, sizes=None, compact=False):
        pixels = torch.from_numpy(image.astype(np.float16))[None, None]
        skips = (pixels.repeat(1, 8, 1, 1), pixels + 1)
        return Embedding(image.shape, (0.0, 1.0), (Level(image.shape, Features(pixels, skips)),))


def read(plane):
    """Return a plane's pixels: 256 x 256 noise of its own."""
    return np.random.default_rng(plane[0]).integers(0, 999, (256, 256), dtype=np.uint16)


def steps(folder, count):
    """Return the store, the predictor and the steps of embedding them all."""
    store = EmbeddingStore(MemoryStore(0), DiskStore(Path(folder), 10**10))
    predictor = Copying()
    planes = [(z,) for z in range(count)]
    return (
        store,
        predictor,
        embed_stack(lambda pixels: store.keep(predictor, pixels), read, planes, lambda: None),
    )


if __name__ == "__main__":
    for step in steps(sys.argv[1], int(sys.argv[2]))[2]:
        print(step.done, flush=True)  # noqa: T201
