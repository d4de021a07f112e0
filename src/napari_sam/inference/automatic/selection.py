"""Filter of proposals by ranges, and their conversion to labels. Numpy only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_sam.errors import InputError
from napari_sam.masks import is_remainder, without_slivers
from napari_sam.results import Proposal

__all__ = [
    "OPEN",
    "Arranged",
    "Range",
    "Selection",
    "arrange",
    "in_what_is_left",
    "proposals_to_labels",
    "select",
]

SAME = 0.5  # share of an object on another one from which on it means that one

Range = tuple[float | None, float | None]
"""Lowest and highest value that is kept; None is open."""

OPEN: Range = (None, None)


@dataclass(frozen=True)
class Selection:
    """Filter of proposals: ranges to keep, bounds included, and the overlap rule.

    Parameters
    ----------
    score, stability, area, roundness, intensity : (low, high)
        See `Proposal`; None is open.
    no_edge : bool
        Leave out what touches the border of the picture.
    overlap : {"best", "smaller", "larger"}
        Who is on top where kept objects overlap: the one of the better score, or the smaller, or
        the larger one.

    Examples
    --------
    >>> import numpy as np
    >>> mask = np.ones((4, 4), bool)
    >>> one = Proposal.of(mask, np.ones((6, 6)), score=0.7, stability=1, point=(2, 2))
    >>> Selection(score=(0.6, None)).keeps(one), Selection(area=(20, None)).keeps(one)
    (True, False)
    """

    score: Range = OPEN
    stability: Range = OPEN
    area: Range = OPEN
    roundness: Range = OPEN
    intensity: Range = OPEN
    no_edge: bool = False
    overlap: Literal["best", "smaller", "larger"] = "best"

    def __post_init__(self) -> None:
        if self.overlap not in ("best", "smaller", "larger"):
            raise InputError(f"overlap must be 'best', 'smaller' or 'larger'; got {self.overlap!r}")

    def keeps(self, one: Proposal) -> bool:
        """Return whether a proposal passes the filter."""
        ranges = (
            (one.score, self.score),
            (one.stability, self.stability),
            (one.area, self.area),
            (one.roundness, self.roundness),
            (one.intensity, self.intensity),
        )
        return not (self.no_edge and one.touches_edge) and all(
            (low is None or value >= low) and (high is None or value <= high)
            for value, (low, high) in ranges
        )


def select(proposals: Sequence[Proposal], selection: Selection) -> list[int]:
    """Return the indices of the proposals that pass the filter, topmost first.

    Ties are broken by score, then by the order of the proposals.
    """
    kept = [i for i, one in enumerate(proposals) if selection.keeps(one)]
    sign = {"best": 0, "smaller": 1, "larger": -1}[selection.overlap]
    return sorted(kept, key=lambda i: (sign * proposals[i].area, -proposals[i].score))


def proposals_to_labels(
    proposals: Sequence[Proposal],
    selection: Selection | None = None,
    shape: tuple[int, int] | None = None,
) -> NDArray[np.int32]:
    """Convert the proposals that pass the filter to labels; no model runs.

    An object of which those above it cover more than half is left out, and so are rests of it that
    are thinner than three pixels.

    Parameters
    ----------
    proposals : sequence of Proposal
        Of one picture.
    selection : Selection, optional
        What is kept, and who is on top; all, the best score on top, where it is left out.
    shape : (H, W), optional
        Of the picture; needed where there are no proposals.

    Returns
    -------
    (H, W) int32
        Zero for background, ids from 1 without gaps, in the order of `select`.

    Raises
    ------
    InputError
        If the shape is not known, or not that of the proposals.

    Examples
    --------
    >>> image = np.zeros((1, 5))
    >>> long = np.array([[1, 1, 1, 1, 0]], bool), np.array([[0, 0, 0, 1, 1]], bool)
    >>> found = [
    ...     Proposal.of(mask, image, score=score, stability=1, point=(0, 3))
    ...     for mask, score in zip(long, (0.8, 0.7))
    ... ]
    >>> proposals_to_labels(found)
    array([[1, 1, 1, 1, 2]], dtype=int32)
    >>> proposals_to_labels(found, Selection(overlap="smaller"))
    array([[2, 2, 2, 1, 1]], dtype=int32)
    """
    return arrange(proposals, selection, shape).labels


class Arranged(NamedTuple):
    """Proposals as labels (H, W): the proposal of each id, and what was left out.

    `thin` is the number of pixels of rests that are too thin.
    """

    labels: NDArray[np.int32]
    shown: list[int]
    thin: int


def arrange(
    proposals: Sequence[Proposal],
    selection: Selection | None = None,
    shape: tuple[int, int] | None = None,
    out: NDArray[np.int32] | None = None,
    first: int = 1,
    rests: bool = False,
) -> Arranged:
    """Convert as `proposals_to_labels`, with ids from `first` on.

    The labels are written into `out`, if there is one, where that is zero. With `rests`, objects
    stay of which others leave under half.
    """
    if shape and not all(isinstance(side, int | np.integer) and side >= 0 for side in shape):
        raise InputError(f"the shape must be two whole numbers (H, W); got {shape!r}")
    shapes = {one.shape for one in proposals} | ({shape} if shape else set())
    if len(shapes) != 1:
        raise InputError(
            f"labels need the one shape of the picture; got {sorted(shapes) or 'no proposals'}"
        )
    labels = np.zeros(shapes.pop(), np.int32) if out is None else out
    shown: list[int] = []
    thin = 0
    for i in select(proposals, selection or Selection()):
        one = proposals[i]
        there = labels[one.box]
        free = one.patch & (there == 0)
        kept = without_slivers(free, one.patch)
        pixels = int(np.count_nonzero(kept))
        left = int(np.count_nonzero(free))
        if pixels and (rests or not is_remainder(one.area, left)):
            there[kept] = first + len(shown)
            shown.append(i)
            thin += left - pixels
    return Arranged(labels, shown, thin)


def in_what_is_left(found: Sequence[Proposal], held: NDArray[np.int64]) -> list[Proposal]:
    """Return the proposals that do not duplicate a settled object.

    Left out is what lies on them with half of its pixels or more, and what covers half of one of
    them or more: that is the same object, found once more.

    Parameters
    ----------
    found : sequence of Proposal
        Of one picture.
    held : (H, W) int
        0 where nothing is, else 1 to n.
    """
    areas = np.bincount(held.ravel())
    kept = []
    for one in found:
        met = np.bincount(held[one.box][one.patch], minlength=len(areas))
        if met[1:].sum() < SAME * one.area and (met[1:] < SAME * areas[1:]).all():
            kept.append(one)
    return kept
