"""Two sets of labels of one image: what differs, object by object, and how far they agree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse
from scipy.sparse.csgraph import connected_components

from napari_sam.errors import InputError
from napari_sam.evaluation.matching import f1, mean_accuracy, pairwise_iou
from napari_sam.masks import Box, CroppedMask, cropped_masks, enclosing, grown

__all__ = ["DISTANCE", "Agreement", "Difference", "Disparity", "agreement", "find_differences"]

Pair = tuple[NDArray[np.integer], NDArray[np.integer]]

DISTANCE = 2.0
"""Pixels by which two outlines of one object may be apart, and count as the same."""

SHARE = 0.5  # of the smaller one's pixels that two objects share, to be about the same thing


class Disparity(Enum):
    """Kind of a difference, seen from the first labels; the value is its name in words."""

    MISSING = "only theirs"
    EXTRA = "only mine"
    JOINED = "one of mine, several of theirs"
    SPLIT = "several of mine, one of theirs"
    MIXED = "several on both sides"
    BORDER = "another border"


ONE_SHAPE = (Disparity.MISSING, Disparity.EXTRA, Disparity.BORDER)


@dataclass(frozen=True)
class Difference:
    """Place where two sets of labels differ.

    Parameters
    ----------
    kind : Disparity
        How.
    mine, theirs : tuple of int
        The objects concerned, largest first.
    box : (r0, c0, r1, c1)
        Bounding box of all of them.
    pixels : int
        Number of pixels in dispute: that only one side has, or, where one side has several objects
        for one of the other, all of them.
    distance : float
        Hausdorff distance of the two sides in pixels; infinite where there is only one.
    """

    kind: Disparity
    mine: tuple[int, ...]
    theirs: tuple[int, ...]
    box: Box
    pixels: int
    distance: float


@dataclass(frozen=True)
class Agreement:
    """How far two sets of labels agree; symmetric, as none of them is the truth.

    Parameters
    ----------
    mine, theirs : int
        Number of objects.
    accuracy : float
        mSA, see `napari_sam.evaluation.matching.mean_accuracy`.
    f1 : float
        F1 score at IoU 0.5.
    """

    mine: int
    theirs: int
    accuracy: float
    f1: float


def find_differences(
    mine: NDArray[np.integer], theirs: NDArray[np.integer], distance: float = DISTANCE
) -> list[Difference]:
    """Compare two label images of a plane and return where they differ, from the largest on.

    Two objects are about the same thing if they share half of the smaller one's pixels. Those that
    are so linked, directly or through others, are one difference, unless they are a pair whose
    outlines lie nowhere further apart than `distance`.

    Parameters
    ----------
    mine, theirs : (H, W) int
        The labels; zero is background. Numbers need not correspond.
    distance : float
        In pixels.

    Returns
    -------
    list of Difference
        With the most pixels first.

    Raises
    ------
    InputError
        If the shapes differ, labels are no whole numbers from 0 on, or the distance is below zero.

    Examples
    --------
    >>> mine, theirs = np.zeros((2, 9, 12), int)
    >>> mine[2:5, 1:9] = 4
    >>> theirs[2:5, 1:5], theirs[2:5, 5:9], theirs[7:9, 9:12] = 1, 2, 3
    >>> [(one.kind.name, one.mine, one.theirs) for one in find_differences(mine, theirs)]
    [('JOINED', (4,), (1, 2)), ('MISSING', (), (3,))]
    """
    if mine.shape != theirs.shape:
        raise InputError(f"labels of shapes {mine.shape} and {theirs.shape} cannot be compared")
    if not distance >= 0:
        raise InputError(f"the distance of two outlines is 0 pixels or more; got {distance}")
    first, second = cropped_masks(mine), cropped_masks(theirs)
    found = []
    for ours, others in _groups(mine, theirs, first, second):
        ours.sort(key=lambda number: (-first[number].area, number))
        others.sort(key=lambda number: (-second[number].area, number))
        one = _difference(
            tuple(ours), tuple(others), [first[n] for n in ours], [second[n] for n in others]
        )
        if one.kind is not Disparity.BORDER or one.distance > distance:
            found.append(one)
    return sorted(found, key=lambda one: (-one.pixels, one.box))


def agreement(
    planes: Iterable[Pair], classes: tuple[Mapping[int, str], Mapping[int, str]] = ({}, {})
) -> dict[str, Agreement]:
    """Return how far two sets of labels agree, over planes: of all objects, and of each class.

    Parameters
    ----------
    planes : iterable of pairs of (H, W) int
        The two label images of each plane, of which one pair is held at a time.
    classes : pair of mapping of int to str, optional
        The class of each object, on both sides.

    Returns
    -------
    dict of str to Agreement
        ``all``, then the classes by name; means over the planes on which either side has objects.

    Raises
    ------
    InputError
        If the shapes of a pair differ.

    Examples
    --------
    >>> labels = np.array([[1, 1, 0, 2]])
    >>> agreement([(labels, labels)])["all"]
    Agreement(mine=2, theirs=2, accuracy=1.0, f1=1.0)
    """
    names = sorted({*classes[0].values(), *classes[1].values()})
    members = {
        name: [[number for number, one in side.items() if one == name] for side in classes]
        for name in names
    }
    tables: dict[str, list[NDArray[np.float64]]] = {name: [] for name in ("all", *names)}
    for pair in planes:
        tables["all"].append(pairwise_iou(*pair))
        for name, ids in members.items():
            mine, theirs = (
                np.where(np.isin(labels, some), labels, 0)
                for labels, some in zip(pair, ids, strict=True)
            )
            tables[name].append(pairwise_iou(mine, theirs))
    return {name: _agreement(some) for name, some in tables.items()}


def _agreement(tables: Sequence[NDArray[np.float64]]) -> Agreement:
    some = [ious for ious in tables if sum(ious.shape)] or tables
    return Agreement(
        sum(ious.shape[0] for ious in tables),
        sum(ious.shape[1] for ious in tables),
        float(np.mean([mean_accuracy(ious) for ious in some])),
        float(np.mean([f1(ious) for ious in some])),
    )


def _groups(
    mine: NDArray[np.integer],
    theirs: NDArray[np.integer],
    first: Mapping[int, CroppedMask],
    second: Mapping[int, CroppedMask],
) -> list[tuple[list[int], list[int]]]:
    """Return the ids on both sides that are linked by shared pixels, group by group."""
    ids, others = np.array([*first], np.int64), np.array([*second], np.int64)
    shared = (mine != 0) & (theirs != 0)
    rows, columns = np.searchsorted(ids, mine[shared]), np.searchsorted(others, theirs[shared])
    common = sparse.coo_matrix(
        (np.ones(len(rows)), (rows, columns)), shape=(len(ids), len(others))
    ).tocsr()
    common.sum_duplicates()
    areas = [np.array([mask.area for mask in side.values()]) for side in (first, second)]
    links = common.tocoo()
    smaller = np.minimum(areas[0][links.row], areas[1][links.col]) if links.nnz else np.zeros(0)
    linked = links.data >= SHARE * smaller
    size = len(ids) + len(others)
    graph = sparse.coo_matrix(
        (np.ones(linked.sum()), (links.row[linked], len(ids) + links.col[linked])),
        shape=(size, size),
    )
    count, group = connected_components(graph, directed=False)
    groups: list[tuple[list[int], list[int]]] = [([], []) for _ in range(count)]
    for number, at in zip(ids.tolist(), group[: len(ids)], strict=True):
        groups[at][0].append(number)
    for number, at in zip(others.tolist(), group[len(ids) :], strict=True):
        groups[at][1].append(number)
    return groups


def _difference(
    mine: tuple[int, ...],
    theirs: tuple[int, ...],
    ours: Sequence[CroppedMask],
    others: Sequence[CroppedMask],
) -> Difference:
    box = enclosing(*(mask.box for mask in (*ours, *others)))
    around = grown(box, 1, (*ours, *others)[0].shape)
    sides = [np.zeros((around[2] - around[0], around[3] - around[1]), bool) for _ in range(2)]
    for side, masks in zip(sides, (ours, others), strict=True):
        for mask in masks:
            mask.mark(side, around, True)
    kind = _kind(len(mine), len(theirs))
    disputed = sides[0] != sides[1] if kind in ONE_SHAPE else sides[0] | sides[1]
    return Difference(kind, mine, theirs, box, int(disputed.sum()), _hausdorff(*sides))


def _kind(mine: int, theirs: int) -> Disparity:
    if not mine:
        return Disparity.MISSING
    if not theirs:
        return Disparity.EXTRA
    if mine == theirs == 1:
        return Disparity.BORDER
    if mine == 1:
        return Disparity.JOINED
    return Disparity.SPLIT if theirs == 1 else Disparity.MIXED


def _hausdorff(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """Return the Hausdorff distance of two masks: of the worst pixel of either from the other."""
    if not (first.any() and second.any()):
        return float("inf")
    if np.array_equal(first, second):
        return 0.0
    farthest = (
        ndimage.distance_transform_edt(~there)[here].max()
        for here, there in ((first, second), (second, first))
    )
    return float(max(farthest))
