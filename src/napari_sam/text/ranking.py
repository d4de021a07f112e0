"""Rank what was found by words: the similarity of each proposal's crop with the text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sam.errors import InputError
from napari_sam.inference.image import check_image, contrast_range, to_rgb8
from napari_sam.results import Proposal
from napari_sam.text.crops import ObjectCrop, cut, relative_sizes
from napari_sam.text.encoder import Encoder, unit

__all__ = ["Ranked", "crops_of", "rank"]


@dataclass(frozen=True, eq=False)
class Ranked:
    """Proposals, and how well each fits each of some words.

    Parameters
    ----------
    proposals : list of Proposal
        N of one picture.
    words : tuple of str
        K classes.
    similarity : (N, K) float32
        0 to 1; see `Encoder.similarity`.
    """

    proposals: list[Proposal]
    words: tuple[str, ...]
    similarity: NDArray[np.float32]

    def chosen(self, least: float = 0.5, most: int | None = None) -> list[tuple[int, int]]:
        """Return (proposal, class) of those that fit best, best first.

        Each proposal goes to the one class that it fits best.

        Parameters
        ----------
        least : float
            Smallest similarity.
        most : int, optional
            How many of each class at most.
        """
        if not self.proposals:
            return []
        best = self.similarity.argmax(axis=1)
        value = self.similarity.max(axis=1)
        left = dict.fromkeys(range(len(self.words)), len(best) if most is None else most)
        kept = []
        for i in np.argsort(-value, kind="stable").tolist():
            k = int(best[i])
            if value[i] >= least and left[k]:
                left[k] -= 1
                kept.append((i, k))
        return kept


def rank(
    encoder: Encoder,
    image: Any,
    proposals: Sequence[Proposal],
    words: Sequence[str],
    *,
    against: Sequence[str] | None = None,
    contrast: tuple[Any, Any] | None = None,
) -> Ranked:
    """Compare every proposal with some words.

    Parameters
    ----------
    encoder : Encoder
        Of words and crops.
    image : (H, W) or (H, W, 3 or 4) array-like
        The picture.
    proposals : sequence of Proposal
        Of this picture.
    words : sequence of str
        One text for each class.
    against : sequence of str, optional
        What is not meant; None takes what the encoder suggests.
    contrast : (low, high), optional
        As in `Predictor.embed`.

    Raises
    ------
    InputError
        If there are no words, a text is empty, or a proposal belongs to a picture of another shape.
    """
    picture = check_image(image)
    if not words or not all(text.strip() for text in words):
        raise InputError(f"say in words what to look for, each class in its own; got {words!r}")
    for one in proposals:
        if one.shape != picture.shape[:2]:
            raise InputError(
                f"a proposal belongs to a picture of shape {one.shape}, this one has "
                f"{picture.shape[:2]}"
            )
    rgb = to_rgb8(picture, contrast_range(picture) if contrast is None else contrast)
    others = encoder.against(words) if against is None else list(against)
    seen = seen_as(encoder, crops_of(rgb, proposals, encoder.side))
    similarity = encoder.similarity(seen, encoder.words(words), encoder.words(others))
    return Ranked(list(proposals), tuple(words), similarity)


def crops_of(rgb: NDArray[np.uint8], proposals: Sequence[Proposal], side: int) -> list[ObjectCrop]:
    """Cut all proposals out of a picture; their sizes are those beside each other."""
    sizes = relative_sizes([one.area for one in proposals])
    return [
        cut(rgb, one.patch, one.corner, side, size=float(size))
        for one, size in zip(proposals, sizes, strict=True)
    ]


def seen_as(encoder: Encoder, crops: Sequence[ObjectCrop]) -> NDArray[np.float32]:
    """Return the vectors of objects, (N, D): the mean of each in its surroundings and alone."""
    return unit(encoder.crops(crops) + encoder.crops([crop.alone() for crop in crops]))
