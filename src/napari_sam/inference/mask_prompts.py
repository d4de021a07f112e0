"""Prompts derived from a mask: itself, its box, points inside and in neighbours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_sam.arrays import LazyArray
from napari_sam.errors import InputError
from napari_sam.inference.masks import depth
from napari_sam.masks import CroppedMask, cropped_masks, grown, slices
from napari_sam.prompts import Prompts

__all__ = ["PromptRule", "prompts_from"]

MAX_GAP = 0.5  # of an object's longer side: how far off a neighbour still counts


@dataclass(frozen=True)
class PromptRule:
    """Rule that says which prompts are derived from a mask.

    Parameters
    ----------
    mask : bool
        The mask itself.
    box : bool
        Its bounding box.
    inside : int
        How many foreground points, deepest inside first.
    outside : int
        How many background points, one in each of the nearest neighbours.

    Examples
    --------
    >>> PromptRule(mask=False, inside=1)  # the box and the deepest point
    PromptRule(mask=False, box=True, inside=1, outside=0)
    """

    mask: bool = True
    box: bool = True
    inside: int = 0
    outside: int = 0

    def __post_init__(self) -> None:
        """Refuse a rule that says nothing."""
        if min(self.inside, self.outside) < 0:
            raise InputError(f"numbers of points must not be negative; got {self}")
        if not (self.mask or self.box or self.inside):
            raise InputError("a rule needs the mask, the box or a point inside")


def prompts_from(
    mask: CroppedMask,
    rule: PromptRule,
    labels: LazyArray | None = None,
    id_: int = 0,
) -> Prompts:
    """Return the prompts that a rule derives from a mask.

    Parameters
    ----------
    mask : CroppedMask
        The mask.
    rule : PromptRule
        What to say.
    labels : (H, W) array-like of int, optional
        Where the neighbours are.
    id_ : int
        The object's own number in `labels`.

    Examples
    --------
    >>> mask = np.zeros((9, 9), bool)
    >>> mask[2:5, 3:8] = True
    >>> prompts = prompts_from(CroppedMask.of(mask), PromptRule(mask=False, inside=1))
    >>> prompts.box.tolist(), prompts.points.tolist()
    ([1.5, 2.5, 4.5, 7.5], [[3.0, 4.0]])
    """
    inside = _deepest(mask.crop(), rule.inside) + mask.corner
    outside = np.zeros((0, 2))
    if rule.outside and labels is not None:
        outside = _neighbours(mask, labels, id_)[: rule.outside]
    return Prompts(
        points=np.concatenate([inside, outside]),
        labels=[1] * len(inside) + [0] * len(outside),
        box=np.array(mask.box) - 0.5 if rule.box else None,
        mask=mask.plane() if rule.mask else None,
    )


def _deepest(mask: NDArray[np.bool_], count: int) -> NDArray[np.float64]:
    """Return up to `count` points, each the deepest outside the discs around those before."""
    points: list[tuple[int, int]] = []
    left = depth(mask)
    rows, columns = np.indices(mask.shape)
    while len(points) < count and left.max() > 0:
        row, column = divmod(int(left.argmax()), mask.shape[1])
        points.append((row, column))
        far = (rows - row) ** 2 + (columns - column) ** 2
        left = np.where(far > left[row, column] ** 2, left, 0)
    return np.array(points, float).reshape(-1, 2)


def _neighbours(mask: CroppedMask, labels: LazyArray, id_: int) -> NDArray[np.float64]:
    """Return the deepest point of each neighbour near by, nearest first."""
    top, left, bottom, right = mask.box
    near = grown(mask.box, round(MAX_GAP * max(mask.size)) + 1, mask.shape)
    around = cropped_masks(np.asarray(labels[slices(near)]))
    found = [
        _deepest(one.crop(), 1)[0] + one.corner for other, one in around.items() if other != id_
    ]
    points = np.array(found).reshape(-1, 2) + near[:2]
    gaps = points - np.clip(points, (top, left), (bottom - 1, right - 1))
    return points[np.argsort((gaps**2).sum(axis=1), kind="stable")]
