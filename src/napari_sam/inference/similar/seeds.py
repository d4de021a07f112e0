"""Places that look like examples, where a search has found nothing: points to ask at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.feature import peak_local_max

from napari_sam.inference.embedding import Embedding
from napari_sam.inference.similar.features import means_under, own_levels, tokens_of
from napari_sam.masks import CroppedMask

__all__ = ["likely_points"]

MOST = 64  # points; what is most like the examples comes first
LEAST = 0.5  # of the likeness that the examples have themselves


def likely_points(
    embedding: Embedding,
    stride: int,
    examples: Sequence[CroppedMask],
    taken: NDArray[np.bool_],
    least=LEAST,
    bank=True,
) -> NDArray[np.float64]:
    [index] = own_levels(embedding, stride, [float(np.median([one.area for one in examples]))])
    tokens = tokens_of(embedding.levels[index], stride)
    usual = tokens.mean(axis=(1, 2))
    shown = means_under(tokens, examples) - usual
    around = ndimage.uniform_filter(tokens - usual[:, None, None], (0, 3, 3), mode="nearest")
    kinds = _unit(shown if bank else shown.mean(axis=0, keepdims=True), 1)
    alike = np.tensordot(kinds, _unit(around, 0), 1).max(axis=0)
    own = float(np.mean(_unit(shown, 1) @ _unit(shown.mean(axis=0), 0)))
    peaks = peak_local_max(alike, min_distance=1, threshold_abs=least * own, exclude_border=False)
    points = (peaks + 0.5) * np.array(taken.shape) / alike.shape
    rows, columns = np.minimum(points.astype(np.int64), np.array(taken.shape) - 1).T
    return points[~taken[rows, columns]][:MOST]


def _unit(vectors, axis):
    return vectors / np.maximum(np.linalg.norm(vectors, axis=axis, keepdims=True), 1e-9)
