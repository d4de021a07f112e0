"""Find more objects like examples, in one picture. Loads no words: only their image tower."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_sam.arrays import Array, ContrastRange, plain
from napari_sam.errors import InputError
from napari_sam.inference.automatic.search import default_settings, iter_proposals
from napari_sam.inference.automatic.selection import arrange, in_what_is_left
from napari_sam.inference.automatic.settings import GridSettings, SearchSettings
from napari_sam.inference.embedding import Embedding
from napari_sam.inference.image import check_image, contrast_range, to_rgb8
from napari_sam.inference.predictor import Predictor
from napari_sam.inference.similar.features import Described, measured, pooled
from napari_sam.inference.similar.rating import Count, Likeness, count
from napari_sam.inference.similar.seeds import unfound
from napari_sam.inference.tiled_embedding import TiledEmbedding
from napari_sam.masks import CroppedMask, cropped_masks
from napari_sam.progress import Pause, Progress
from napari_sam.results import Proposal, SearchResult
from napari_sam.text.crops import crop_object, relative_sizes
from napari_sam.text.encoder import Encoder
from napari_sam.text.load import load_encoder
from napari_sam.text.ranking import AT_ONCE, object_vectors

if TYPE_CHECKING:
    from napari_sam.inference.store.store import EmbeddingStore

__all__ = ["Similar", "describe", "find_similar", "iter_similar"]


@dataclass(frozen=True, eq=False)
class Similar:
    """Objects of a picture and their similarity with the examples, the most similar first.

    Parameters
    ----------
    proposals : list of Proposal
        N objects, without the examples.
    similarity : (N,) float
        0 to 1; from one half on an object is more likely of the examples' kind than not.
    shape : (H, W)
        Of the picture.

    Examples
    --------
    >>> mask = np.array([[1, 1, 0], [1, 1, 0]], bool)
    >>> one = Proposal.of(mask, np.ones((2, 3)), score=1, stability=1, point=(0, 0))
    >>> found = Similar([one], np.array([0.8]), (2, 3))
    >>> print(found.count, found.labels(0.5).tolist())
    1 [[1, 1, 0], [1, 1, 0]]
    """

    proposals: list[Proposal]
    similarity: NDArray[np.float64]
    shape: tuple[int, int]

    @property
    def count(self) -> Count:
        """How many are like the examples, with what is least and most."""
        return count(self.similarity)

    def labels(self, min_similarity: float = 0.5) -> NDArray[np.int32]:
        """Return labels (H, W) of those that are similar enough, from 1 on, 0 for the rest."""
        kept = [
            one
            for one, value in zip(self.proposals, self.similarity, strict=True)
            if value >= min_similarity
        ]
        return arrange(kept, None, self.shape).labels


def find_similar(
    predictor: Predictor,
    image: ArrayLike,
    examples: ArrayLike,
    settings: SearchSettings | None = None,
    *,
    against: ArrayLike | None = None,
    contrast: ContrastRange | None = None,
    store: EmbeddingStore | None = None,
) -> Similar:
    """Find more objects like a few examples in an image, rated by their similarity.

    Where the search finds nothing, and the features are like those of the examples, the model is
    asked once more.

    `napari_sam.text.similar.iter_similar` does the same bit by bit, for a progress bar.

    Parameters
    ----------
    predictor : Predictor
        Finds the objects.
    image : (H, W) or (H, W, 3 or 4) array-like
        The picture.
    examples : (H, W) array-like of int
        Labels: each object is an example, 0 is background.
    settings : GridSettings or InstanceSettings, optional
        How everything is found; None takes the best way that the model knows.
    against : (H, W) array-like of int, optional
        Labels of objects that are not meant.
    contrast, store : optional
        As in `propose_grid`.

    Returns
    -------
    Similar
        All that was found but for the examples, the most similar first.

    Raises
    ------
    InputError
        If there is no example, or the labels are none or have another shape than the image.

    Examples
    --------
    >>> import numpy as np
    >>> import napari_sam as ns
    >>> rows, columns = np.indices((96, 128))
    >>> discs = [np.hypot(rows - r, columns - c) < 9 for r, c in ((20, 30), (20, 90), (70, 60))]
    >>> image = np.where(np.any(discs, axis=0), 180, 20).astype(np.uint8)
    >>> predictor = ns.Predictor(ns.load_model("cells_tiny"))
    >>> found = ns.find_similar(predictor, image, discs[0].astype(int))
    >>> labels = found.labels(0.1)
    >>> bool(labels[20, 90] > 0), bool(labels[70, 60] > 0), int(labels[20, 30])
    (True, True, 0)
    """
    steps = iter_similar(
        *(predictor, load_encoder(), image, examples, settings),
        against=against,
        contrast=contrast,
        store=store,
    )
    [found] = [step.result for step in steps if step.result is not None]
    return found


def iter_similar(
    predictor: Predictor,
    encoder: Encoder,
    image: ArrayLike,
    examples: ArrayLike,
    settings: SearchSettings | None = None,
    *,
    against: ArrayLike | None = None,
    contrast: ContrastRange | None = None,
    store: EmbeddingStore | None = None,
    pause: Pause | None = None,
) -> Iterator[Progress[Similar | None]]:
    """Find more objects like examples; parameters as in `find_similar`.

    Parameters
    ----------
    encoder : Encoder
        Sees crops of the objects.
    pause : callable, optional
        As in `iter_proposals`.

    Yields
    ------
    Progress of Similar or None
        In calls of the decoder; the last one carries what was found.
    """
    pixels = check_image(image)
    shape: tuple[int, int] = pixels.shape[:2]
    meant = _labels(examples, shape, "the examples")
    others = (
        np.zeros(shape, int) if against is None else _labels(against, shape, "what is not meant")
    )
    shown, counter = (list(cropped_masks(one).values()) for one in (meant, others))
    held = np.where(meant > 0, meant, np.where(others > 0, others + meant.max(), 0))
    settings = settings or default_settings(predictor.model)
    embedding = _embed(predictor, pixels, contrast, store, pause)

    def described(masks: Sequence[CroppedMask]) -> Described:
        return describe(predictor, encoder, embedding, pixels, masks, contrast, pause)

    found: list[Proposal] = []
    done, total = 1.0, 1
    for step in iter_proposals(
        predictor, pixels, settings, contrast=contrast, store=store, pause=pause
    ):
        if step.result.kept is not None:
            found, done, total = in_what_is_left(step.result.kept, held), step.done, step.total
        else:
            yield Progress(step.done, step.total, None)
    known = described([one.cropped for one in found] + shown + counter)
    at = np.cumsum([len(found), len(shown)])
    of, some, rest = (known.only(part) for part in np.split(np.arange(len(known)), at))
    likeness = Likeness(of, some, rest)

    def ask(points: NDArray[np.float64]) -> Iterator[Progress[SearchResult]]:
        return iter_proposals(
            *(predictor, pixels, GridSettings()),
            seeds=points,
            contrast=contrast,
            store=store,
            pause=pause,
        )

    more = unfound(embedding, predictor.config.stride, some, found, held, ask)
    rated = likeness.rate(of.joined(described([one.cropped for one in more])) if more else of)
    found = [*found, *more]
    order = np.argsort(-rated, kind="stable")
    yield Progress(done, total, Similar([found[i] for i in order], rated[order], shape))


def describe(
    predictor: Predictor,
    encoder: Encoder,
    embedding: Embedding | TiledEmbedding,
    image: Array,
    masks: Sequence[CroppedMask],
    contrast: ContrastRange | None = None,
    pause: Pause | None = None,
) -> Described:
    """Describe objects of an image by all features that tell kinds apart.

    Parameters
    ----------
    predictor : Predictor
        Whose embedding it is.
    encoder : Encoder
        Sees a crop of each object.
    embedding : Embedding or TiledEmbedding
        Of the image.
    image : (H, W) or (H, W, 3 or 4) ndarray
        The picture.
    masks : sequence of CroppedMask
        Of the picture.
    contrast : (low, high), optional
        Intensities that become black and white; None takes the model's own rule.
    pause : callable, optional
        As in `iter_proposals`.
    """
    pixels = check_image(image)
    rgb = to_rgb8(pixels, contrast_range(pixels) if contrast is None else contrast)
    groups = measured(rgb, masks, pause)
    groups["embedding"] = pooled(embedding, predictor.config.stride, masks, pause)
    groups["crop"] = _seen(encoder, rgb, masks, pause)
    return Described(groups)


def _seen(
    encoder: Encoder, rgb: NDArray[np.uint8], masks: Sequence[CroppedMask], pause: Pause | None
) -> NDArray[np.float64]:
    """Return the image vectors (N, D) of objects."""
    sizes = relative_sizes([one.area for one in masks]).tolist()
    vectors = [np.zeros((0, encoder.width), np.float32)]
    for first in range(0, len(masks), AT_ONCE):
        if pause is not None:
            pause()
        some = zip(masks[first : first + AT_ONCE], sizes[first:], strict=False)
        crops = [
            crop_object(rgb, one.crop(), one.corner, encoder.side, size=size) for one, size in some
        ]
        vectors.append(object_vectors(encoder, crops))
    return np.concatenate(vectors).astype(float)


def _embed(
    predictor: Predictor,
    pixels: Array,
    contrast: ContrastRange | None,
    store: EmbeddingStore | None,
    pause: Pause | None,
) -> Embedding:
    if store is not None:
        return store.whole(predictor, pixels, contrast, pause)
    return predictor.embed(pixels, contrast, pause)


def _labels(given: ArrayLike, shape: tuple[int, int], what: str) -> NDArray[np.int64]:
    labels = plain(given, what)
    if labels.shape != shape:
        raise InputError(f"{what} must have the shape of the picture, {shape}; got {labels.shape}")
    return labels.astype(np.int64) if labels.dtype == bool else labels
