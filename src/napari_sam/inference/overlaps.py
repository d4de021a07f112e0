"""Overlap rule: which mask of a slice gets a pixel where several overlap."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import DTypeLike

from napari_sam.arrays import Array
from napari_sam.masks import CroppedMask, slices

__all__ = ["Rank", "RankedMask", "resolve_overlaps"]


class Rank(IntEnum):
    """Priority of masks where they overlap."""

    FOLLOWED = 0
    PROMPTED = 1
    GIVEN = 2


@dataclass(frozen=True, eq=False)
class RankedMask:
    """Mask on a slice, its predicted IoU (NaN for a given one), and its priority."""

    mask: CroppedMask | None
    score: float
    rank: Rank = Rank.FOLLOWED


def resolve_overlaps(
    found: Mapping[int, RankedMask], shape: tuple[int, int], dtype: DTypeLike = np.int32
) -> Array:
    """Resolve overlaps between masks and return the labels (H, W) of a slice.

    A pixel goes to the mask of the highest rank, then of the best score, then of the lowest id.

    Examples
    --------
    >>> left, right = (CroppedMask.of(np.ones((1, 2), bool), (0, n), (1, 3)) for n in (0, 1))
    >>> resolve_overlaps({1: RankedMask(left, 0.7), 2: RankedMask(right, 0.8)}, (1, 3)).tolist()
    [[1, 2, 2]]
    """
    labels = np.zeros(shape, dtype)

    def strength(item: tuple[int, RankedMask]) -> tuple[int, float, int]:
        id_, one = item
        return one.rank, one.score if one.rank < Rank.GIVEN else 0.0, -id_

    for id_, one in sorted(found.items(), key=strength):
        if one.mask is not None:
            labels[slices(one.mask.box)][one.mask.crop()] = id_
    return labels
