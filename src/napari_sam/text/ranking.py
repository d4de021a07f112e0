"""Rank what was found by words: the similarity of each proposal's crop with the text."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sam.errors import InputError
from napari_sam.inference.automatic.selection import arrange
from napari_sam.inference.image import check_image, contrast_range, to_rgb8
from napari_sam.progress import Pause
from napari_sam.results import Proposal
from napari_sam.text.crops import ObjectCrop, cut, relative_sizes
from napari_sam.text.encoder import Encoder, unit

__all__ = ["Ranked", "Seen", "compare", "crops_of", "look", "rank"]

AT_ONCE = 64  # objects between two pauses


@dataclass(frozen=True, eq=False)
class Seen:
    """Proposals, and the vector (N, D) of each: comparing them with words costs next to nothing."""

    proposals: list[Proposal]
    vectors: NDArray[np.float32]


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
    enough : float
        From which similarity on an object fits, as the encoder says.
    """

    proposals: list[Proposal]
    words: tuple[str, ...]
    similarity: NDArray[np.float32]
    enough: float = 0.5

    def among(self, some: Collection[Proposal]) -> Ranked:
        """Return the same of some of the proposals only."""
        of = set(some)
        kept = [i for i, one in enumerate(self.proposals) if one in of]
        proposals = [self.proposals[i] for i in kept]
        return Ranked(proposals, self.words, self.similarity[kept], self.enough)

    def chosen(self, least: float | None = None, most: int | None = None) -> list[tuple[int, int]]:
        """Return (proposal, class) of those that fit best, best first.

        Each proposal goes to the one class that it fits best.

        Parameters
        ----------
        least : float, optional
            Smallest similarity; `enough` where it is left out.
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
            if value[i] >= (self.enough if least is None else least) and left[k]:
                left[k] -= 1
                kept.append((i, k))
        return kept

    def labels(
        self,
        shape: tuple[int, int],
        least: float | None = None,
        most: int | None = None,
    ) -> tuple[NDArray[np.int32], list[tuple[int, int]]]:
        """Return what `chosen` does as labels (H, W), and the (proposal, class) behind each.

        Where two overlap, the one of the better predicted IoU has the pixels; one of which others
        cover more than half is left out.
        """
        kept = self.chosen(least, most)
        labels, order = arrange([self.proposals[i] for i, _ in kept], None, shape)
        return labels, [kept[i] for i in order]


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
    check_words(words)
    return compare(encoder, look(encoder, image, proposals, contrast=contrast), words, against)


def look(
    encoder: Encoder,
    image: Any,
    proposals: Sequence[Proposal],
    *,
    contrast: tuple[Any, Any] | None = None,
    pause: Pause | None = None,
) -> Seen:
    """Look at every proposal, as `rank` does; `pause` is called now and then."""
    picture = check_image(image)
    for one in proposals:
        if one.shape != picture.shape[:2]:
            raise InputError(
                f"a proposal belongs to a picture of shape {one.shape}, this one has "
                f"{picture.shape[:2]}"
            )
    rgb = to_rgb8(picture, contrast_range(picture) if contrast is None else contrast)
    crops = crops_of(rgb, proposals, encoder.side)
    vectors = [np.zeros((0, encoder.width), np.float32)]
    for first in range(0, len(crops), AT_ONCE):
        if pause is not None:
            pause()
        vectors.append(seen_as(encoder, crops[first : first + AT_ONCE]))
    return Seen(list(proposals), np.concatenate(vectors))


def compare(
    encoder: Encoder, seen: Seen, words: Sequence[str], against: Sequence[str] | None = None
) -> Ranked:
    """Compare what was seen with some words, as `rank` does."""
    check_words(words)
    others = encoder.against(words) if against is None else list(against)
    similarity = encoder.similarity(seen.vectors, encoder.words(words), encoder.words(others))
    return Ranked(seen.proposals, tuple(words), similarity, encoder.enough)


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
