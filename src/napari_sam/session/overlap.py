"""Overlap rules: which pixels a new mask gets, and which its neighbours lose."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from napari_sam.masks import Box, CroppedMask, slices
from napari_sam.planes import Plane
from napari_sam.session.changes import Edit, SectionEdit, TraitsEdit
from napari_sam.session.objects import LabelArray, Objects

__all__ = ["Claim", "Rule", "claim", "overlapped", "take_away"]


class Rule(Enum):
    """Overlap rule: whether existing objects keep their pixels; locked objects always do."""

    KEEP = "keep"
    REPLACE = "replace"


@dataclass(frozen=True)
class Claim:
    """Pixels that a mask gets under the overlap rule, and the objects that it overlaps.

    Parameters
    ----------
    mask : CroppedMask or None
        The pixels that it gets; None if none is left.
    met : dict of int to int
        Label or id of what it met, and how many pixels they share.
    losers : frozenset of int
        Objects that have to give pixels away.
    """

    mask: CroppedMask | None
    met: dict[int, int]
    losers: frozenset[int]


def overlapped(existing: LabelArray, mask: NDArray[np.bool_]) -> dict[int, int]:
    """Count the pixels of each existing object that a new mask overlaps.

    Parameters
    ----------
    existing : (H, W) int
        Labels, zero for background.
    mask : (H, W) bool
        The new object.

    Returns
    -------
    dict of int to int
        Object id to number of shared pixels.

    Examples
    --------
    >>> overlapped(np.array([[0, 2], [2, 3]]), np.array([[True, True], [True, False]]))
    {2: 2}
    """
    met = existing[mask]
    ids, counts = np.unique(met[met != 0], return_counts=True)
    return dict(zip(ids.tolist(), counts.tolist(), strict=True))


def claim(
    objects: Objects,
    labels: LabelArray | None,
    plane: Plane,
    mask: CroppedMask,
    rule: Rule,
    own: int | None,
    spared: Collection[int] = (),
    renewed: Collection[int] = (),
) -> Claim:
    """Apply the overlap rule: determine which pixels of a mask its object gets.

    Parameters
    ----------
    objects : Objects
        All objects.
    labels : (H, W) int or None
        The labels of the plane, which may hold what no object owns; None if there are none.
    plane : Plane
        Where.
    mask : CroppedMask
        What is wanted.
    rule : Rule
        Who keeps the pixels of others.
    own : int or None
        The object itself, whose pixels are free.
    spared : collection of int
        Objects that keep their pixels under either rule, besides the locked ones.
    renewed : collection of int
        Objects that get new masks at the same time, so that the pixels of their old ones are free.
    """
    window, wanted = mask.box, mask.crop()
    owners = objects.owners(plane, window)
    if not owners.any() and (labels is None or not labels[slices(window)].any()):
        return Claim(mask, {}, frozenset())
    others = np.where(np.isin(owners, [number for number in (own, *renewed) if number]), 0, owners)
    if labels is not None:  # where nobody owns a pixel, the labels say who is there
        unowned = np.where(owners == 0, labels[slices(window)], 0)
        others = np.where(others == 0, unowned.astype(np.int64), others)
    if rule is Rule.KEEP:
        free = wanted & (others == 0)
    else:
        free = wanted & ~np.isin(owners, [*objects.locked(), *spared])
    given = owners[free & (owners != 0)]
    losers = frozenset(np.unique(given).tolist()) - {own}
    return Claim(CroppedMask.of(free, window[:2], mask.shape), overlapped(others, wanted), losers)


def take_away(
    objects: Objects,
    plane: Plane,
    pixels: NDArray[np.bool_],
    window: Box,
    losers: Collection[int],
) -> list[Edit]:
    """Return the edits that remove pixels of a window from objects of a plane.

    An object that loses its last pixel is gone.
    """
    edits: list[Edit] = []
    for loser in sorted(losers):
        before = objects[loser].sections[plane]
        left = None if before.mask is None else before.mask.without(pixels, window)
        after = None if left is None else replace(before, mask=left)
        edits.append(SectionEdit(loser, plane, before, after))
        if after is None and len(objects[loser].sections) == 1:
            edits.append(TraitsEdit(loser, objects[loser].traits, None))
    return edits
