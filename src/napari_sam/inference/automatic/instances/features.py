"""The features of candidates, which mean the same in every picture and on every scale.

Lengths are in octaves or relative to the candidate, never in pixels: the rating must not know which
kind of picture it looks at.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from napari_sam.inference.automatic.instances.candidates import Candidates, nearest
from napari_sam.inference.object_maps import LevelMaps
from napari_sam.model.instances.rating import FEATURES

__all__ = ["level_features", "with_agreement"]

MISSIZED = 0.5  # quality halves for each two octaves between the measured and predicted diameter
RIM = 0.3  # power with which the mean probability of a rim under the rim counts
TINY = 1e-3  # least quality of which the logarithm is taken
Float = NDArray[np.float64]
Map = NDArray[np.float32]
Mean = Callable[[NDArray[Any]], Float]


def level_features(levels: Sequence[Candidates], k: int) -> Float:
    """Return the features (n, f) of the candidates of a level, but for the agreement."""
    own = levels[k]
    maps, inside = own.maps, np.flatnonzero(own.pieces)
    assert maps.diameter is not None
    assert maps.depth is not None
    flat, width = own.pieces.ravel()[inside], own.members.shape[1]

    def mean(values: NDArray[Any]) -> Float:
        some = np.bincount(flat, values.ravel()[inside], minlength=width)
        return np.asarray((own.members @ some) / own.areas)

    octaves = np.log2(maps.diameter)
    others = _others([one.maps for one in levels], k)
    measured = np.log2(2 * np.sqrt(own.areas / np.pi))
    ones = np.ones_like(octaves)
    length, *rims = _rims(own, [ones, maps.foreground, maps.boundary, others[1]], [maps.foreground])
    border = mean(_border(own.pieces.shape)) * own.areas
    major, minor = _axes(own.pieces.shape, mean)
    away = mean(octaves) - measured
    values = {
        "foreground": mean(maps.foreground),
        "boundary": mean(maps.boundary),
        "depth": mean(maps.depth),
        "predicted": away,
        "predicted_away": np.abs(away),
        "predicted_spread": np.sqrt(np.maximum(mean(octaves**2) - mean(octaves) ** 2, 0)),
        "predicted_deepest": octaves[tuple(own.places.T)] - measured,
        "others_foreground": mean(others[0]),
        "others_boundary": mean(others[1]),
        "others_predicted": mean(others[2]) - measured,
        "threshold": own.threshold,
        "peak": own.peak,
        "valley": own.valley / own.peak,
        "pass": own.pass_ / own.peak,
        "parts": np.log2(own.parts),
        "compactness": np.log2(4 * np.pi * own.areas / (length + border) ** 2),
        "elongation": np.log2(major / minor),
        "ellipse": np.log2(own.areas / (4 * np.pi * major * minor)),
    }
    names = "rim_foreground", "rim_boundary", "rim_others", "outside_foreground"
    values |= {name: one / np.maximum(length, 1) for name, one in zip(names, rims, strict=True)}
    edge = np.where(length, values["rim_boundary"], 1) ** RIM  # without a rim it fills the picture
    sure = values["foreground"] * own.peak * edge
    values["plain"] = np.log2(np.maximum(sure * np.exp2(-MISSIZED * np.abs(away)), TINY))
    return np.stack([values[name] for name in FEATURES if name in values], axis=1)


def _axes(shape: tuple[int, ...], mean: Mean) -> tuple[Float, Float]:
    """Return the standard deviations in cells along the longer and the shorter axis."""
    rows, columns = np.indices(shape, np.float64)
    y, x = mean(rows), mean(columns)
    # a cell is a square, and no point
    yy, xx = mean(rows**2) - y**2 + 1 / 12, mean(columns**2) - x**2 + 1 / 12
    xy = mean(rows * columns) - x * y
    middle, root = (yy + xx) / 2, np.sqrt(((yy - xx) / 2) ** 2 + xy**2)
    return np.sqrt(middle + root), np.sqrt(np.maximum(middle - root, 1 / 12))


def _border(shape: tuple[int, ...]) -> Float:
    """Return how many sides of each cell lie on the border of the picture."""
    sides = np.zeros(shape)
    for end in (np.s_[0], np.s_[-1], np.s_[:, 0], np.s_[:, -1]):
        sides[end] += 1
    return sides


def _others(levels: Sequence[LevelMaps], k: int) -> tuple[Map, Map, Map]:
    """Return the means of the other levels on the grid of one.

    Of foreground, boundary, and octaves of the diameter in its cells; its own if it is alone.
    """
    own = levels[k]
    shape = own.foreground.shape
    rest = [one for i, one in enumerate(levels) if i != k] or [own]
    foreground, boundary, octaves = (np.zeros(shape, np.float32) for _ in range(3))
    for one in rest:
        assert one.diameter is not None
        places = np.ix_(*map(nearest, shape, one.foreground.shape))
        foreground += one.foreground[places] / len(rest)
        boundary += one.boundary[places] / len(rest)
        octaves += np.log2(one.diameter[places] * own.scale / one.scale) / len(rest)
    return foreground, boundary, octaves


def _rims(own: Candidates, within: Sequence[Map], outside: Sequence[Map]) -> list[Float]:
    """Return sums along the rim of each candidate, of the cells within it and of those outside.

    A candidate's rim are the sides of cells between its pieces and others, so of all such sides of
    its pieces those between two of its own do not count.
    """
    pieces, width = own.pieces, own.members.shape[1]
    firsts, seconds, values = [], [], []
    for a, b in ((np.s_[:-1], np.s_[1:]), (np.s_[:, :-1], np.s_[:, 1:])):
        for one, other in ((a, b), (b, a)):
            met = (pieces[one] != pieces[other]) & (pieces[one] > 0)
            firsts.append(pieces[one][met])
            seconds.append(pieces[other][met])
            inner, outer = [v[one][met] for v in within], [v[other][met] for v in outside]
            values.append(np.stack(inner + outer))
    places = np.concatenate(firsts), np.concatenate(seconds)
    sums = []
    for some in np.concatenate(values, axis=1).astype(float):
        sides = sparse.csr_matrix((some, places), shape=(width, width))
        mine = own.members @ sides
        sums.append(_sum(mine) - _sum(mine.multiply(own.members)))
    return sums


def _sum(matrix: sparse.csr_matrix) -> Float:
    return np.asarray(matrix.sum(axis=1)).ravel()


def with_agreement(
    features: Float, level: NDArray[np.int64], count: int, common: sparse.csr_matrix
) -> NDArray[np.float32]:
    """Return the features of all levels' candidates, (n, f), as `FEATURES` names them.

    Parameters
    ----------
    features : (n, f) float
        Of `level_features`, one level after the other.
    level : (n,) int
    count : int
        Levels that there are.
    common : (n, n) sparse
        The pixels that two share.
    """
    areas, pairs = common.diagonal(), common.tocoo()
    ious = pairs.data / np.maximum(areas[pairs.row] + areas[pairs.col] - pairs.data, 1)
    best = np.zeros((len(level), count))
    np.maximum.at(best, (pairs.row, level[pairs.col]), ious)
    others = best[np.arange(count) != level[:, None]].reshape(len(level), count - 1)
    ends = (others.max(axis=1), others.min(axis=1)) if count > 1 else (areas * 0, areas * 0)
    return np.column_stack([features, *ends]).astype(np.float32)
