"""Instances chosen by a learned rating among the candidates of all scales."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse

from napari_sam.inference.automatic.instances.candidates import find_candidates, overlaps
from napari_sam.inference.automatic.instances.features import level_features, with_agreement
from napari_sam.inference.automatic.instances.instance import Instance, to_pixels
from napari_sam.inference.automatic.settings import InstanceSettings
from napari_sam.inference.object_maps import LevelMaps
from napari_sam.model.instances.rating import FEATURES, CandidateRating

__all__ = ["CandidatePool", "choose", "rated_instances"]

HOPELESS = 0.12  # quality without a rating below which a candidate is not rated
FREE = 0.5  # share of a candidate that a better one may cover, or it of that


class CandidatePool:
    """Candidates of all levels of a picture, but for the hopeless, and what is known of them.

    Parameters
    ----------
    levels : sequence of LevelMaps
        Of our own head.
    settings : InstanceSettings

    Attributes
    ----------
    level : (n,) int
        On which level each was found.
    features : (n, f) float32
        See `FEATURES`.
    common : (n, n) sparse
        The pixels that two share; on the diagonal their areas.
    """

    def __init__(self, levels: Sequence[LevelMaps], settings: InstanceSettings) -> None:
        self._levels = [find_candidates(one, settings) for one in levels]
        features, least = [], np.log2(HOPELESS)
        for k in range(len(levels)):
            some = level_features(self._levels, k)
            kept = np.flatnonzero(some[:, FEATURES.index("plain")] >= least)
            self._levels[k] = self._levels[k].only(kept)
            features.append(some[kept])
        counts = [len(some) for some in features]
        self.level = np.repeat(np.arange(len(counts)), counts)
        self._first = np.cumsum([0, *counts])
        self.common = overlaps(self._levels)
        rest = np.concatenate(features)
        self.features = with_agreement(rest, self.level, len(counts), self.common)

    def instance(self, i: int, quality: float) -> Instance | None:
        """Return a candidate as an instance; None if it has no pixel."""
        level, index = self._levels[self.level[i]], i - self._first[self.level[i]]
        cells, box = level.mask(index)
        mask = to_pixels(cells, box, level.maps)
        if mask is None:
            return None
        row, column = ((level.places[index] + 0.5) / level.maps.scale - 0.5).tolist()
        return Instance(mask, quality, (row, column))


def rated_instances(
    levels: Sequence[LevelMaps],
    looked_at: Sequence[LevelMaps],
    settings: InstanceSettings,
    rating: CandidateRating,
) -> list[Instance]:
    """Return the instances of a picture, the best first; their masks hardly overlap.

    Parameters
    ----------
    levels : sequence of LevelMaps
        Of our own head.
    looked_at : sequence of LevelMaps
        Those from which instances are taken; the others only agree or not.
    settings : InstanceSettings
    rating : CandidateRating
        Of the head that the maps are of.
    """
    pool = CandidatePool(levels, settings)
    with torch.inference_mode():
        ratings = rating(torch.from_numpy(pool.features)).float().cpu().numpy()
    taken = np.array([any(one is other for other in looked_at) for one in levels])
    ratings[~taken[pool.level]] = -1
    chosen = choose(ratings, pool.common, settings.quality)
    found = (pool.instance(i, float(ratings[i])) for i in chosen)
    return [one for one in found if one is not None]


def choose(ratings: NDArray[np.floating], common: sparse.csr_matrix, floor: float) -> list[int]:
    """Return the candidates to keep, the best first: one for each object.

    What better ones cover by half goes, and so does what covers half of a better one: of a whole
    and its parts either it stays or they.

    Parameters
    ----------
    ratings : (n,) float
    common : (n, n) sparse
        The pixels that two share; on the diagonal their areas.
    floor : float
        Least rating that is kept.

    Examples
    --------
    >>> common = sparse.csr_matrix([[9, 0, 9], [0, 9, 9], [9, 9, 18]])  # two parts and the whole
    >>> choose(np.array([0.7, 0.6, 0.5]), common, 0.4)
    [0, 1]
    >>> choose(np.array([0.7, 0.6, 0.8]), common, 0.4)
    [2]
    """
    areas = common.diagonal()
    covered, gone, kept = np.zeros(len(areas)), areas == 0, []
    for i in np.argsort(-ratings, kind="stable").tolist():
        if ratings[i] < floor:
            break
        if gone[i]:
            continue
        kept.append(i)
        row = slice(common.indptr[i], common.indptr[i + 1])
        others, shared = common.indices[row], common.data[row]
        covered[others] += shared
        rivals = (covered[others] > FREE * areas[others]) | (shared > FREE * areas[i])
        gone[others[rivals]] = True
    return kept
