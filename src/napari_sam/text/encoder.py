"""Interface of dual encoders: words and crops to vectors of one space."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from napari_sam.text.crops import ObjectCrop

__all__ = ["Encoder", "Vectors", "shares", "unit"]

Vectors = NDArray[np.float32]


class Encoder(Protocol):
    """Dual encoder: words and objects to vectors of one space.

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
        """Return a vector of length 1 for each text, (N, D)."""
        ...

    def crops(self, crops: Sequence[ObjectCrop]) -> Vectors:
        """Return a vector of length 1 for each object, (N, D)."""
        ...

    def prompts(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors that text prompts carry, (N, D): words mapped to where images lie.

        Vectors of words and of pictures keep apart in their common space (the modality gap), and
        the model learned its prompts from pictures.
        """
        ...

    def similarity(self, seen: Vectors, meant: Vectors, others: Vectors) -> Vectors:
        """Return from 0 to 1 how well each object fits each text, (N, K).

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
        """Return texts of what is not meant by these words, to compare with."""
        ...

    def familiarity(self, text: str) -> tuple[float, float | None]:
        """Return how near a text is to what the encoder was taught, and the least that is known.

        Encoders with an open vocabulary know no least, None.
        """
        ...


def unit(vectors: NDArray[np.floating]) -> Vectors:
    """Scale vectors (..., D) to length 1 (paper, appendix D.5: l2-normalised)."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    scaled: Vectors = (vectors / np.maximum(length, 1e-12)).astype(np.float32)
    return scaled


def shares(logits: NDArray[np.floating], count: int) -> Vectors:
    """Return the softmax over each row of (N, K + M), of the first `count` columns."""
    power = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
    shares: Vectors = (power[:, :count] / power.sum(axis=1, keepdims=True)).astype(np.float32)
    return shares
