"""Interface of dual encoders: texts and crops to vectors of one embedding space."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from napari_sam.text.crops import ObjectCrop

__all__ = ["Encoder", "Vectors", "shares", "unit"]

Vectors = NDArray[np.float32]


class Encoder(Protocol):
    """Dual encoder: texts and object crops to vectors of one embedding space.

    Attributes
    ----------
    name : str
        Which it is, for reports; a model's weights for text prompts belong to one encoder.
    width : int
        Length D of the vectors.
    side : int
        Pixels a side of the crops it wants.
    threshold : float
        From which similarity on an object fits.
    """

    name: str
    width: int
    side: int
    threshold: float

    def words(self, texts: Sequence[str]) -> Vectors:
        """Return a text vector of length 1 for each text, (N, D)."""
        ...

    def crops(self, crops: Sequence[ObjectCrop]) -> Vectors:
        """Return an image vector of length 1 for each object crop, (N, D)."""
        ...

    def prompts(self, texts: Sequence[str]) -> Vectors:
        """Return the prompt vectors of texts, (N, D): text vectors mapped to the images' region.

        Vectors of words and of pictures keep apart in their common space (the modality gap), and
        the model learned its prompts from pictures.
        """
        ...

    def similarity(self, seen: Vectors, meant: Vectors, others: Vectors) -> Vectors:
        """Return the similarity of each object with each text, (N, K), from 0 to 1.

        Parameters
        ----------
        seen : (N, D) float32
            Of objects.
        meant : (K, D) float32
            Of texts.
        others : (M, D) float32
            Of texts that are not meant, and compete.
        """
        ...

    def against(self, words: Sequence[str]) -> list[str]:
        """Return negative texts to compare these words with."""
        ...

    def familiarity(self, text: str) -> tuple[float, float | None]:
        """Return a text's similarity with the training vocabulary, and the threshold of known ones.

        The threshold is None for encoders with an open vocabulary.
        """
        ...


def unit(vectors: NDArray[np.floating]) -> Vectors:
    """L2-normalise vectors (..., D) (paper, appendix D.5)."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    scaled: Vectors = (vectors / np.maximum(length, 1e-12)).astype(np.float32)
    return scaled


def shares(logits: NDArray[np.floating], count: int) -> Vectors:
    """Return the softmax over each row of (N, K + M), of the first `count` columns."""
    power = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
    shares: Vectors = (power[:, :count] / power.sum(axis=1, keepdims=True)).astype(np.float32)
    return shares
