"""Built-in dual encoder: a frozen sentence encoder and a small image tower."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from napari_sam.text.crops import ObjectCrop
from napari_sam.text.encoder import shares, unit
from napari_sam.text.image_tower import SIDE, ImageTower, as_tensors
from napari_sam.text.sentences import SentenceEncoder
from napari_sam.text.vocabulary import vocabulary

__all__ = ["BuiltInEncoder"]

AT_ONCE = 128
ALIKE = 0.6  # similarity from which on a kind of object may be what is meant


class BuiltInEncoder:
    """Dual encoder of texts and microscopy objects, in 384 dimensions.

    It knows the attributes and objects of `words.toml` and what is said like them, no others; see
    its model card.

    Parameters
    ----------
    tower : ImageTower
        In evaluation mode.
    bridge : (D, D) float32
        From vectors of words to vectors of pictures (see `fit_bridge`).
    min_familiarity : float
        Similarity with a phrase that it was taught, below which a text is unknown.
    """

    name = "words_tiny"
    width = SentenceEncoder.width
    side = SIDE
    threshold = 0.5

    def __init__(
        self, tower: ImageTower, bridge: NDArray[np.float32], min_familiarity: float
    ) -> None:
        self.tower, self.bridge, self.min_familiarity = tower, bridge, min_familiarity
        self.words = SentenceEncoder()

    @torch.inference_mode()
    def crops(self, crops: Sequence[ObjectCrop]) -> NDArray[np.float32]:
        """Return the image vectors of crops, (N, 384); see `Encoder`."""
        found = [np.zeros((0, self.width), np.float32)]
        for first in range(0, len(crops), AT_ONCE):
            found.append(self.tower(*as_tensors(crops[first : first + AT_ONCE])).numpy())
        return unit(np.concatenate(found))

    def prompts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the prompt vectors of texts, (N, 384); see `Encoder`."""
        return unit(self.words(texts) @ self.bridge)

    def similarity(
        self, seen: NDArray[np.float32], meant: NDArray[np.float32], others: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Return the similarity of objects and texts, (N, K); see `Encoder`.

        The chance that the words are true of the object, as it was trained, or their share among
        what competes, whichever is less: unknown words fit nothing.
        """
        scale, bias = float(self.tower.scale.detach().exp()), float(self.tower.bias.detach())
        logits = scale * seen @ np.concatenate([meant, others]).T
        true = 1 / (1 + np.exp(-(logits[:, : len(meant)] + bias)))
        likely: NDArray[np.float32] = np.minimum(shares(logits, len(meant)), true)
        return likely.astype(np.float32)

    def against(self, words: Sequence[str]) -> list[str]:
        """Return negative texts: the background, and kinds of object that the words do not name.

        Where they name none, such as "dark objects", objects of all kinds may be meant.
        """
        kinds = [vocabulary().phrases[kind][0] for kind in vocabulary().of_role("kind")]
        alike = self.words(kinds) @ self.words(words).T  # (kinds, words)
        named = alike.max(axis=1) >= ALIKE
        others = [kind for kind, meant in zip(kinds, named, strict=True) if not meant]
        return [vocabulary().background[0], *(others if named.any() else [])]

    def familiarity(self, text: str) -> tuple[float, float]:
        """Return the similarity with the nearest training phrase, and the threshold."""
        [vector] = self.words([text])
        return float((self._taught @ vector).max()), self.min_familiarity

    @cached_property
    def _taught(self) -> NDArray[np.float32]:
        return self.words(vocabulary().known_phrases())
