"""Text prompts: keep the objects that match, and give each label its class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_sam.arrays import Array, ContrastRange
from napari_sam.text import BUILT_IN

if TYPE_CHECKING:
    from napari_sam.results import Proposal
    from napari_sam.serving.segmenter import StoredSegmenter
    from napari_sam.text.reader import Reader

__all__ = ["WordMatches", "Words", "reader_of"]


@dataclass(frozen=True)
class Words:
    """Text prompts and the thresholds for a match.

    Parameters
    ----------
    texts : tuple of str
        One for each class.
    min_similarity : float, optional
        How well an object has to fit; by default as the encoder says.
    max_objects : int, optional
        Of each slice so many objects of a class, those that fit best.
    semantic : bool
        Whether labels hold classes, not objects.
    encoder : str
        A name of an encoder of words, such as ``"words_tiny"``, or a folder with one.
    """

    texts: tuple[str, ...]
    min_similarity: float | None = None
    max_objects: int | None = None
    semantic: bool = False
    encoder: str = BUILT_IN


@lru_cache(maxsize=1)
def reader_of(encoder: str) -> Reader:
    """Return the reader of a text encoder; the last one is cached."""
    from napari_sam.text.load import load_encoder
    from napari_sam.text.reader import Reader

    return Reader(lambda: load_encoder(encoder))


class WordMatches:
    """Objects of one file that match text prompts, and the class of each label."""

    def __init__(self, words: Words) -> None:
        self._words, self._reader = words, reader_of(words.encoder)
        self._kind_of: dict[Proposal, int] = {}  # of the slice that was searched last
        self._pixels: Counter[tuple[int, int]] = Counter()  # of each label of each class

    def keep(
        self, image: Array, found: Sequence[Proposal], contrast: ContrastRange | None
    ) -> list[Proposal]:
        """Return the proposals that match the text prompts."""
        seen = self._reader.embed_proposals(image, found, contrast, _go_on)
        ranked = self._reader.compare(seen, self._words.texts)
        self._kind_of = {
            ranked.proposals[i]: kind
            for i, kind in ranked.chosen(self._words.min_similarity, self._words.max_objects)
        }
        return list(self._kind_of)

    def map(
        self, segmenter: StoredSegmenter, image: Array, contrast: ContrastRange | None
    ) -> NDArray[np.int32]:
        """Return a class for each pixel, (H, W) int32; 0 where no prompt matches."""
        classes = np.zeros(image.shape[:2], np.int32)
        for one, kind in self._reader.areas(segmenter, image, self._words.texts, contrast, _go_on):
            classes[one.box][one.patch] = kind + 1
        return classes

    def kinds(self, kept: Sequence[Proposal]) -> NDArray[np.int32]:
        """Return the class of each label of the last slice, by label; background is 0."""
        return np.array([0, *(self._kind_of[one] + 1 for one in kept)], np.int32)

    def note(self, labels: Array, kinds: NDArray[np.int32]) -> None:
        """Count the pixels of each class (H, W) in each label (H, W) of a slice."""
        there = labels > 0
        pairs, pixels = np.unique(
            np.stack([labels[there], kinds[there]]), axis=1, return_counts=True
        )
        for (label, kind), count in zip(pairs.T.tolist(), pixels.tolist(), strict=True):
            self._pixels[label, kind] += count

    def report(self) -> dict[int, str]:
        """Return the text of each label, by majority vote of its pixels."""
        words: dict[int, str] = {}
        for (label, kind), _ in self._pixels.most_common():
            words.setdefault(label, self._words.texts[kind - 1])
        return dict(sorted(words.items()))


def _go_on() -> None:
    """Nothing waits for a command."""
