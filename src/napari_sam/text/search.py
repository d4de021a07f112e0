"""Text prompting: semantic segmentation by texts, or ranking of objects by texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import map_coordinates

from napari_sam.arrays import ContrastRange
from napari_sam.errors import InputError
from napari_sam.inference.automatic.search import iter_proposals
from napari_sam.inference.automatic.settings import SearchSettings
from napari_sam.inference.predictor import Embedding, Predictor
from napari_sam.inference.tiled_embedding import TiledEmbedding
from napari_sam.progress import Pause, Progress
from napari_sam.prompts import Prompts
from napari_sam.results import Proposal
from napari_sam.text.encoder import Encoder
from napari_sam.text.ranking import Ranked, check_words, rank

if TYPE_CHECKING:
    from napari_sam.inference.store.store import EmbeddingStore

__all__ = ["WordsMap", "iter_ranked", "map_words", "unknown_words"]


@dataclass(frozen=True, eq=False)
class WordsMap:
    """Semantic segmentation by text prompts: a class for each pixel.

    Parameters
    ----------
    classes : (H, W) int32
        0 where nothing fits, else 1 to K.
    words : tuple of str
        K texts.
    scores : (K,) float32
        Predicted IoU of each class's mask; low also where there is nothing of it.
    """

    classes: NDArray[np.int32]
    words: tuple[str, ...]
    scores: NDArray[np.float32]

    def areas(self, image: NDArray[np.generic]) -> list[tuple[Proposal, int]]:
        """Return each class that has pixels as one proposal, with the index of the class.

        Its stability is not known, NaN.
        """
        found = []
        for k, score in enumerate(self.scores.tolist()):
            mask = self.classes == k + 1
            if mask.any():
                row, column = np.argwhere(mask)[0].tolist()
                one = Proposal.of(mask, image, score=score, stability=np.nan, point=(row, column))
                found.append((one, k))
        return found


def iter_ranked(
    predictor: Predictor,
    encoder: Encoder,
    image: ArrayLike,
    words: Sequence[str],
    settings: SearchSettings | None = None,
    *,
    against: Sequence[str] | None = None,
    contrast: ContrastRange | None = None,
    store: EmbeddingStore | None = None,
    pause: Pause | None = None,
) -> Iterator[Progress[Ranked | None]]:
    """Segment everything in an image, then rank the objects by text.

    Parameters
    ----------
    predictor, image, settings, contrast, store, pause
        The search: what `napari_sam.inference.automatic.search.iter_proposals` takes.
    encoder : Encoder
        Of words and crops.
    words, against : sequence of str
        What is looked for, and what else it might be.

    Yields
    ------
    Progress of Ranked or None
        In calls of the decoder; the last one carries what was found.
    """
    for step in iter_proposals(
        predictor, image, settings, contrast=contrast, store=store, pause=pause
    ):
        kept, ranked = step.result.kept, None
        if kept is not None:  # the last one
            ranked = rank(encoder, image, kept, words, against=against, contrast=contrast)
        yield Progress(step.done, step.total, ranked)


def map_words(
    predictor: Predictor,
    encoder: Encoder,
    embedding: Embedding | TiledEmbedding,
    words: Sequence[str],
) -> WordsMap:
    """Segment with each text prompt alone; where masks overlap, the highest logit gets the pixel.

    Raises
    ------
    InputError
        If there are no words, or the model understands none, or those of another encoder; or if
        the picture is a large one.
    """
    check_words(words)
    if isinstance(embedding, TiledEmbedding):
        raise InputError(embedding.no_place)
    vectors = encoder.prompts(words)
    found = predictor.predict_batch(embedding, [Prompts(text=vector) for vector in vectors])
    masks = np.stack([one.masks[0] for one in found])  # (K, H, W)
    classes = np.where(masks.any(axis=0), masks.argmax(axis=0) + 1, 0).astype(np.int32)
    rows, columns = np.nonzero(masks.sum(axis=0) > 1)
    if len(rows):
        logits = [
            _sampled(one.logits[0], embedding, predictor.config.mask_stride, rows, columns)
            for one in found
        ]
        classes[rows, columns] = np.argmax(logits, axis=0) + 1
    return WordsMap(classes, tuple(words), np.array([one.scores[0] for one in found], np.float32))


def unknown_words(encoder: Encoder, words: Sequence[str]) -> dict[str, str]:
    """Return a warning for each text that lies outside the encoder's vocabulary, by text.

    Empty where all are known, and for encoders with an open vocabulary.
    """
    remarks = {}
    for text in words:
        similarity, least = encoder.familiarity(text)
        if least is not None and similarity < least:
            remarks[text] = (
                f"{text!r} is not among the words that {encoder.name} knows (similarity "
                f"{similarity:.2f}, known from {least:.2f} on); what it finds may mean nothing"
            )
    return remarks


def _sampled(
    logits: NDArray[np.float32],
    embedding: Embedding,
    stride: int,
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
) -> NDArray[np.float32]:
    """Return logits (h, w) at some pixels of the picture."""
    scales = np.divide(embedding.levels[0].shape, embedding.shape) / stride
    places = (np.stack([rows, columns]) + 0.5) * scales[:, None] - 0.5
    values: NDArray[np.float32] = map_coordinates(logits, places, order=1, mode="nearest")
    return values
