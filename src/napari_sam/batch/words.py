"""What is asked for in words: what fits them is kept, and known by them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_sam.batch.slices import Runs
from napari_sam.text import BUILT_IN

if TYPE_CHECKING:
    from napari_sam.results import Proposal
    from napari_sam.serving.segmenter import Segmenter
    from napari_sam.text.reader import Reader

__all__ = ["Naming", "Words", "label_words", "reader_of"]


@dataclass(frozen=True)
class Words:
    """What is asked for.

    Parameters
    ----------
    texts : tuple of str
        One for each class.
    least : float, optional
        How well an object has to fit; by default as the encoder says.
    most : int, optional
        Of each slice so many objects of a class, those that fit best.
    semantic : bool
        Whether labels hold classes, not objects.
    encoder : str
        As in `napari_sam.text.load.load_encoder`.
    """

    texts: tuple[str, ...]
    least: float | None = None
    most: int | None = None
    semantic: bool = False
    encoder: str = BUILT_IN


@lru_cache(maxsize=1)
def reader_of(encoder: str) -> Reader:
    """Return who reads for an encoder, the same one as long as no other is asked for."""
    from napari_sam.text.load import load_encoder
    from napari_sam.text.reader import Reader

    return Reader(lambda: load_encoder(encoder))


class Naming:
    """What was found of the words in one file."""

    def __init__(self, words: Words) -> None:
        self._words, self._reader = words, reader_of(words.encoder)
        self._kind_of: dict[Proposal, int] = {}  # of the slice that was searched last
        self._pixels: Counter[tuple[int, int]] = Counter()  # of each label of each class

    def keep(self, image: NDArray[Any], found: Sequence[Proposal], contrast: Any) -> list[Proposal]:
        """Return what fits."""
        seen = self._reader.embed_proposals(image, found, contrast, _go_on)
        ranked = self._reader.compare(seen, self._words.texts)
        self._kind_of = {
            ranked.proposals[i]: kind
            for i, kind in ranked.chosen(self._words.least, self._words.most)
        }
        return list(self._kind_of)

    def map(self, segmenter: Segmenter, image: NDArray[Any], contrast: Any) -> NDArray[np.int32]:
        """Return a class for each pixel (H, W), 0 where nothing fits."""
        classes = np.zeros(image.shape[:2], np.int32)
        for one, kind in self._reader.areas(segmenter, image, self._words.texts, contrast, _go_on):
            classes[one.box][one.patch] = kind + 1
        return classes

    def kinds(self, kept: Sequence[Proposal]) -> NDArray[np.int32]:
        """Return the classes of labels of the last slice: 0, then those of these objects."""
        return np.array([0, *(self._kind_of[one] + 1 for one in kept)], np.int32)

    def note(self, labels: NDArray[Any], kinds: NDArray[np.int32]) -> None:
        """Take note of the class (H, W) at each label (H, W) of a slice."""
        there = labels > 0
        pairs, pixels = np.unique(
            np.stack([labels[there], kinds[there]]), axis=1, return_counts=True
        )
        for (label, kind), count in zip(pairs.T.tolist(), pixels.tolist(), strict=True):
            self._pixels[label, kind] += count

    def report(self) -> dict[int, str]:
        """Return the words of each label, those of most of its pixels."""
        words: dict[int, str] = {}
        for (label, kind), _ in self._pixels.most_common():
            words.setdefault(label, self._words.texts[kind - 1])
        return dict(sorted(words.items()))


def _go_on() -> None:
    """Nothing waits for a command."""


def label_words(
    labels: NDArray[np.int32],
    order: Runs,
    find: Callable[[tuple[int, ...]], list[Proposal]],
    gap: int,
    anisotropy: float,
    naming: Naming,
) -> None:
    """Do what `label_slices` does, and let the naming know which label is what."""
    from napari_sam.inference.automatic.linking import link_slices
    from napari_sam.inference.automatic.selection import arrange

    kinds: dict[tuple[int, ...], NDArray[np.int32]] = {}  # of slices that are being linked

    def found(plane: tuple[int, ...]) -> NDArray[np.int32]:
        kept = find(plane)
        some, kept_order = arrange(kept, shape=labels.shape[-2:])
        kinds[plane] = naming.kinds([kept[i] for i in kept_order])[some]
        return some

    last = 0
    for run in order:
        linked = link_slices(map(found, run), gap=gap, anisotropy=anisotropy)
        for plane, some in zip(run, linked, strict=True):
            labels[plane] = np.where(some > 0, some + last, 0)
            naming.note(labels[plane], kinds.pop(plane))
        last = max([last, *(int(labels[plane].max()) for plane in run)])
