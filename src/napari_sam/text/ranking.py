"""Similarity of each proposal's crop with texts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_sam.arrays import ContrastRange
from napari_sam.errors import InputError
from napari_sam.inference.automatic.selection import arrange
from napari_sam.inference.image import check_image, contrast_range, to_rgb8
from napari_sam.progress import Pause
from napari_sam.results import Proposal
from napari_sam.text.crops import ObjectCrop, crop_object, relative_sizes
from napari_sam.text.encoder import Encoder, unit

__all__ = ["EmbeddedProposals", "Ranked", "compare", "embed_proposals", "proposal_crops", "rank"]

AT_ONCE = 64  # objects between two pauses


@dataclass(frozen=True, eq=False)
class EmbeddedProposals:
    """Proposals and their image vectors (N, D), so that comparing them with texts is cheap."""

    proposals: list[Proposal]
    vectors: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Ranked:
    """Proposals, and the similarity of each with each text.

    Parameters
    ----------
    proposals : list of Proposal
        N of one picture.
    words : tuple of str
        K classes.
    similarity : (N, K) float32
        0 to 1; see `Encoder.similarity`.
    threshold : float
        From which similarity on an object fits, as the encoder says.
    """

    proposals: list[Proposal]
    words: tuple[str, ...]
    similarity: NDArray[np.float32]
    threshold: float = 0.5

    def among(self, some: Collection[Proposal]) -> Ranked:
        """Return the subset that contains only some of the proposals."""
        of = set(some)
        kept = [i for i, one in enumerate(self.proposals) if one in of]
        proposals = [self.proposals[i] for i in kept]
        return Ranked(proposals, self.words, self.similarity[kept], self.threshold)

    def chosen(
        self, min_similarity: float | None = None, max_count: int | None = None
    ) -> list[tuple[int, int]]:
        """Return the (proposal, class) pairs above the threshold, the most similar first.

        Each proposal goes to the one class that it fits best.

        Parameters
        ----------
        min_similarity : float, optional
            `threshold` where it is left out.
        max_count : int, optional
            Of each class.
        """
        if not self.proposals:
            return []
        threshold = self.threshold if min_similarity is None else min_similarity
        best = self.similarity.argmax(axis=1)
        value = self.similarity.max(axis=1)
        left = dict.fromkeys(range(len(self.words)), len(best) if max_count is None else max_count)
        kept = []
        for i in np.argsort(-value, kind="stable").tolist():
            k = int(best[i])
            if value[i] >= threshold and left[k]:
                left[k] -= 1
                kept.append((i, k))
        return kept

    def labels(
        self,
        shape: tuple[int, int],
        min_similarity: float | None = None,
        max_count: int | None = None,
    ) -> tuple[NDArray[np.int32], list[tuple[int, int]]]:
        """Return the `chosen` proposals as labels (H, W), and the (proposal, class) of each label.

        Where two overlap, the one of the better predicted IoU has the pixels; one of which others
        cover more than half is left out.
        """
        kept = self.chosen(min_similarity, max_count)
        found = arrange([self.proposals[i] for i, _ in kept], None, shape)
        return found.labels, [kept[i] for i in found.shown]


def rank(
    encoder: Encoder,
    image: ArrayLike,
    proposals: Sequence[Proposal],
    words: Sequence[str],
    *,
    against: Sequence[str] | None = None,
    contrast: ContrastRange | None = None,
) -> Ranked:
    """Rank proposals by their similarity with texts.

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
        Intensities that become black and white; None takes the model's own rule.

    Raises
    ------
    InputError
        If there are no words, a text is empty, or a proposal belongs to a picture of another shape.
    """
    check_words(words)
    return compare(
        encoder, embed_proposals(encoder, image, proposals, contrast=contrast), words, against
    )


def embed_proposals(
    encoder: Encoder,
    image: ArrayLike,
    proposals: Sequence[Proposal],
    *,
    contrast: ContrastRange | None = None,
    pause: Pause | None = None,
) -> EmbeddedProposals:
    """Compute the vectors of proposals, as `rank` does; `pause` is called between batches."""
    pixels = check_image(image)
    for one in proposals:
        if one.shape != pixels.shape[:2]:
            raise InputError(
                f"a proposal belongs to a picture of shape {one.shape}, this one has "
                f"{pixels.shape[:2]}"
            )
    rgb = to_rgb8(pixels, contrast_range(pixels) if contrast is None else contrast)
    crops = proposal_crops(rgb, proposals, encoder.side)
    vectors = [np.zeros((0, encoder.width), np.float32)]
    for first in range(0, len(crops), AT_ONCE):
        if pause is not None:
            pause()
        vectors.append(object_vectors(encoder, crops[first : first + AT_ONCE]))
    return EmbeddedProposals(list(proposals), np.concatenate(vectors))


def compare(
    encoder: Encoder,
    seen: EmbeddedProposals,
    words: Sequence[str],
    against: Sequence[str] | None = None,
) -> Ranked:
    """Compute the similarity of embedded proposals with texts, as `rank` does."""
    check_words(words)
    others = encoder.against(words) if against is None else list(against)
    similarity = encoder.similarity(seen.vectors, encoder.words(words), encoder.words(others))
    return Ranked(seen.proposals, tuple(words), similarity, encoder.threshold)


def check_words(words: Sequence[str]) -> None:
    """Raise an `InputError` unless there is a text for each class."""
    some = [] if words is None or isinstance(words, str | bytes) else list(words)
    if not some or not all(isinstance(text, str) and _says(text) for text in some):
        raise InputError(
            f"say in words what to look for, in a list with a text for each class; got {words!r}"
        )


def _says(text: str) -> bool:
    try:
        return bool(text.strip().encode())
    except UnicodeEncodeError:  # half a character
        return False


def proposal_crops(
    rgb: NDArray[np.uint8], proposals: Sequence[Proposal], side: int
) -> list[ObjectCrop]:
    """Crop all proposals from an image; sizes are relative to the median of all."""
    sizes = relative_sizes([one.area for one in proposals])
    return [
        crop_object(rgb, one.patch, one.corner, side, size=float(size))
        for one, size in zip(proposals, sizes, strict=True)
    ]


def object_vectors(encoder: Encoder, crops: Sequence[ObjectCrop]) -> NDArray[np.float32]:
    """Return the vectors of objects, (N, D): means of the crop with and without background."""
    return unit(encoder.crops(crops) + encoder.crops([crop.alone() for crop in crops]))
