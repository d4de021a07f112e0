"""Overlap rule: which mask of a slice gets a pixel where several overlap."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import DTypeLike

from napari_sam.arrays import Array, Labels
from napari_sam.masks import CroppedMask, is_remainder, slices, without_slivers

__all__ = ["Rank", "RankedMask", "left_by_others", "resolve_overlaps"]


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
    found: Mapping[int, RankedMask],
    shape: tuple[int, int],
    dtype: DTypeLike = np.int32,
    out: Array | None = None,
) -> Array:
    """Resolve overlaps between masks and return the labels (H, W) of a slice.

    A pixel goes to the mask of the highest rank, then of the best score, then of the lowest id. A
    mask of which the others leave under half gets none, and no mask gets a rest thinner than three
    pixels; given ones get all that no other given one has. The labels are written into `out`, if
    there is one, where that is zero.

    Examples
    --------
    >>> left, right = (CroppedMask.of(np.ones((1, 2), bool), (0, n), (1, 3)) for n in (0, 1))
    >>> resolve_overlaps({1: RankedMask(left, 0.7), 2: RankedMask(right, 0.8)}, (1, 3)).tolist()
    [[1, 2, 2]]
    """
    labels = np.zeros(shape, dtype) if out is None else out

    def strength(item: tuple[int, RankedMask]) -> tuple[int, float, int]:
        id_, one = item
        return one.rank, one.score if one.rank < Rank.GIVEN else 0.0, -id_

    for id_, one in sorted(found.items(), key=strength, reverse=True):
        if one.mask is None:
            continue
        whole, there = one.mask.crop(), labels[slices(one.mask.box)]
        free = whole & (there == 0)
        if one.rank < Rank.GIVEN:
            free = without_slivers(free, whole)
            if is_remainder(one.mask.area, int(np.count_nonzero(free))):
                continue
        there[free] = id_
    return labels


def left_by_others(one: RankedMask, labels: Labels, id_: int) -> CroppedMask | None:
    """Return what the other objects of the labels (H, W) leave of a mask.

    None if that is under half of it; a given mask has all that is left.
    """
    left = None if one.mask is None else one.mask.among(labels, id_)
    if left is None or one.mask is None or one.rank is Rank.GIVEN:
        return left
    box = one.mask.box
    thick = without_slivers(left.within(box), one.mask.crop())
    if is_remainder(one.mask.area, int(np.count_nonzero(thick))):
        return None
    return CroppedMask.of(thick, box[:2], left.shape)
