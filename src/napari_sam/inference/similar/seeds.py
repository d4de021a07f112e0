"""Objects like examples where a search has found nothing: places to ask at, and the answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.feature import peak_local_max

from napari_sam.inference.automatic.selection import in_what_is_left
from napari_sam.inference.embedding import Embedding
from napari_sam.inference.similar.features import Described, own_levels, tokens_of
from napari_sam.inference.tiled_embedding import TiledEmbedding
from napari_sam.progress import Progress
from napari_sam.results import Proposal, SearchResult

__all__ = ["Ask", "likely_points", "unfound"]

MOST = 64  # points; what is most like the examples comes first
LEAST = 0.7  # of the likeness that the examples have with their mean
AROUND = 3  # tokens across, over which the features of a place are averaged, as under an object

Ask = Callable[[NDArray[np.float64]], Iterable[Progress[SearchResult]]]
"""Asks the model at points (N, 2), row and column, of the picture."""


def unfound(
    embedding: Embedding | TiledEmbedding,
    stride: int,
    examples: Described,
    found: Sequence[Proposal],
    held: NDArray[np.int64],
    ask: Ask,
) -> list[Proposal]:
    """Return further objects at places that are like examples, where nothing was found.

    Parameters
    ----------
    embedding : Embedding or TiledEmbedding
        Of the picture; in a large one, whose tiles are embedded as they are needed, nothing is
        looked for.
    stride : int
        Model pixels of a token.
    examples : Described
        With their embedding and shape, of this picture or of another.
    found : sequence of Proposal
        What a search has brought.
    held : (H, W) int
        0 where nothing is settled, else 1 to n.
    ask : callable
        Asks the model.
    """
    if isinstance(embedding, TiledEmbedding):
        return []
    ground = held.copy()
    for number, one in enumerate(found, int(held.max(initial=0)) + 1):
        there = ground[one.box]
        there[one.patch & (there == 0)] = number
    points = likely_points(embedding, stride, examples, ground > 0)
    kept: list[Proposal] = []
    if len(points):
        for step in ask(points):
            kept = step.result.kept or kept
    return in_what_is_left(kept, ground)


def likely_points(
    embedding: Embedding, stride: int, examples: Described, taken: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return points (N, 2), row and column, where the features are like those of examples.

    Parameters
    ----------
    embedding : Embedding
        Of the picture.
    stride : int
        Model pixels of a token.
    examples : Described
        One or more.
    taken : (H, W) bool
        Where no point is wanted.
    """
    shown, areas = examples.groups["embedding"], 2 ** examples.groups["shape"][:, 0]
    [own] = own_levels(embedding, stride, [float(np.median(areas))])
    tokens = tokens_of(embedding.levels[own], stride)
    apart = tokens - tokens.mean(axis=(1, 2), keepdims=True)
    around = ndimage.uniform_filter(apart, (0, AROUND, AROUND), mode="nearest")
    kinds = _unit(shown, 1)
    alike = np.tensordot(kinds, _unit(around, 0), 1).max(axis=0)
    least = LEAST * float(np.mean(kinds @ _unit(shown.mean(axis=0), 0)))
    peaks = peak_local_max(alike, min_distance=1, threshold_abs=least, exclude_border=False)
    points = (peaks + 0.5) * np.array(taken.shape) / alike.shape
    rows, columns = np.minimum(points.astype(np.int64), np.array(taken.shape) - 1).T
    free: NDArray[np.float64] = points[~taken[rows, columns]][:MOST]
    return free


def _unit(vectors: NDArray[np.floating], axis: int) -> NDArray[np.floating]:
    length = np.linalg.norm(vectors, axis=axis, keepdims=True)
    scaled: NDArray[np.floating] = vectors / np.maximum(length, 1e-9)
    return scaled
