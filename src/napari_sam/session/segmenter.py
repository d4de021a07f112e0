"""Protocol of the segmentation model that a session uses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_sam.arrays import ContrastRange, LazyArray
from napari_sam.progress import Pause
from napari_sam.prompts import Prompts
from napari_sam.results import Prediction

__all__ = ["Embedding", "Segmenter"]

Embedding = Any
"""What a model has made of a picture; opaque to the session."""


class Segmenter(Protocol):
    """Segmentation model as the session sees it; an embedding is opaque to the session."""

    def embed(
        self,
        image: LazyArray,
        contrast: ContrastRange | None = None,
        pause: Pause | None = None,
    ) -> Embedding:
        """Compute the embedding of an image of shape (H, W) or (H, W, 3 or 4).

        `pause` is called now and then; an exception that it raises stops the work. Of a large image
        parts may be left to `predict`.
        """

    def contrast(self, pixels: NDArray[np.generic]) -> ContrastRange:
        """Return one contrast range (low, high) for all planes of a stack.

        From pixels all over it, (N,) or (N, 3 or 4).
        """

    def predict(
        self, embedding: Embedding, prompts: Prompts, pause: Pause | None = None
    ) -> Prediction:
        """Predict the masks of one object: three candidates for a single point, else one.

        `pause` is called while anything is embedded for it.
        """

    def predict_batch(
        self, embedding: Embedding, prompts: Sequence[Prompts], pause: Pause | None = None
    ) -> list[Prediction]:
        """Predict many objects of one image, each as `predict` does."""
