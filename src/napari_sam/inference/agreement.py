"""Whether a mask does what each click says, and how one is cut or joined that does. Pure numpy."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.segmentation import watershed

from napari_sam.inference.masks import depth
from napari_sam.masks import bounding_box, slices
from napari_sam.prompts import Prompts

__all__ = ["agrees", "can_disagree", "cut_between", "join"]

SPECK = 0.35  # of the radius of a disc of the mask's area: less than this around a click is a speck
MIN_REACH = 1.5  # pixels
HELD = 0.5  # share of that surrounding; more of it in the mask, and only a speck is gone
KEPT = 0.1  # share of the surroundings of a click deep in the mask before that may stay
DEEP = 0.5  # of half the way between two clicks: with so much around it, it means an object
BALANCE = 1.0  # in a cut, the weight of nearness to a click against depth and logits

Pixels = NDArray[np.int64]


def can_disagree(prompts: Prompts) -> bool:
    """Return whether an answer could contradict a click: there is an exclude click, or two clicks.

    A single include click is only a place to look at, and so is one with a box or a mask.
    """
    return bool((prompts.labels == 0).any()) or len(prompts.points) > 1


def agrees(
    mask: NDArray[np.bool_], prompts: Prompts, before: NDArray[np.bool_] | None = None
) -> bool:
    """Return whether a mask holds every include click and the surroundings of no exclude click.

    These are a disc around the click. Where the click lies deep in the mask that it is to correct,
    it takes another object out of it: the disc goes half of the way to the next include click, and
    little of it may stay. Elsewhere most of a small disc has to be free.

    Parameters
    ----------
    mask : (H, W) bool
        An answer to the prompts.
    prompts : Prompts
        With clicks.
    before : (H, W) bool, optional
        The mask that the last click was to correct.

    Examples
    --------
    >>> mask = np.zeros((9, 20), bool)
    >>> mask[1:8, 1:19] = True
    >>> clicks = Prompts([(4, 4), (4, 15)], [1, 0])
    >>> agrees(mask, clicks)
    False
    >>> mask[4, 15] = False  # only a speck is gone
    >>> agrees(mask, clicks)
    False
    >>> mask[:, 11:] = False
    >>> agrees(mask, clicks)
    True
    """
    includes, excludes = _pixels(prompts, 1, mask.shape), _pixels(prompts, 0, mask.shape)
    if not mask[tuple(includes.T)].all() or mask[tuple(excludes.T)].any():
        return False
    speck = SPECK * np.sqrt(np.count_nonzero(mask) / np.pi)
    for click in excludes:
        half = np.hypot(*(includes - click).T).min(initial=2 * max(mask.shape)) / 2
        if _share(mask, click, min(speck, half)) > HELD:
            return False
        deep = before is not None and _share(before, click, DEEP * half) == 1
        if deep and _share(mask, click, half) > KEPT:
            return False
    return True


def join(
    mask: NDArray[np.bool_], others: Iterable[NDArray[np.bool_]], prompts: Prompts
) -> NDArray[np.bool_]:
    """Add to a mask the parts of other masks that lie under include clicks which it misses.

    Parameters
    ----------
    mask : (H, W) bool
        An answer to the prompts.
    others : iterable of (H, W) bool
        Where to look for what is missing, the best first.
    prompts : Prompts
        With clicks.

    Examples
    --------
    >>> one, other = np.array([[1, 1, 0, 0]], bool), np.array([[0, 0, 0, 1]], bool)
    >>> join(one, [other], Prompts([(0, 0), (0, 3)], [1, 1])).astype(int)
    array([[1, 1, 0, 1]])
    """
    for row, column in _pixels(prompts, 1, mask.shape):
        if not mask[row, column]:
            holder = next((one for one in others if one[row, column]), None)
            if holder is not None:
                parts, _ = ndimage.label(holder)
                mask = mask | (parts == parts[row, column])
    return mask


def cut_between(
    mask: NDArray[np.bool_], logits: NDArray[np.floating], prompts: Prompts
) -> NDArray[np.bool_]:
    """Cut a mask between its include and its exclude clicks, where it is narrow or unlikely.

    A compact watershed floods the mask from the clicks, by its depth, its logits, and the distance
    from the clicks; what the exclude clicks flood is taken away. Without an include click, the
    deepest place away from the exclude clicks is one.

    Parameters
    ----------
    mask : (H, W) bool
        It holds what is to be cut.
    logits : (H, W) float
        How likely each pixel is.
    prompts : Prompts
        With at least one exclude click.

    Returns
    -------
    (H, W) bool
        Part of the mask, with all of its pixels that include clicks lie on. It may be empty.
    """
    box = bounding_box(mask)
    if box is None:
        return mask
    inside = slices(box)
    part = mask[inside]
    deep = depth(part)
    markers = np.zeros(part.shape, np.int32)
    for label, value in ((0, 2), (1, 1)):  # where both lie on one pixel, it belongs to the object
        at = _pixels(prompts, label, mask.shape) - box[:2]
        at = at[((at >= 0) & (at < part.shape)).all(axis=1)]
        markers[tuple(at.T)] = value
    markers[~part] = 0
    if not (markers == 1).any():
        _mark_deepest(markers, deep)
    height = -deep / deep.max() - _likely(logits[inside], part)
    # Two objects of which one is more likely all over have no ridge between: nearness counts, too.
    gaps = ndimage.distance_transform_edt(markers != 1)[markers == 2]
    compactness = BALANCE / float(gaps.min(initial=max(part.shape)))
    kept = np.zeros_like(mask)
    kept[inside] = watershed(height, markers, mask=part, compactness=compactness) == 1
    return kept


def _likely(logits: NDArray[np.floating], part: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the logits inside a mask from 0 (the least likely) to 1."""
    low, high = logits[part].min(), logits[part].max()
    span = float(high - low) or 1.0
    return np.clip((logits - low) / span, 0, 1).astype(np.float64)


def _mark_deepest(markers: NDArray[np.int32], deep: NDArray[np.float64]) -> None:
    """Mark the deepest place that is further from each exclude click than its own border is."""
    gap = ndimage.distance_transform_edt(markers != 2)
    away = np.where(gap > deep[markers == 2].max(initial=0), deep, 0)
    if away.max() > 0:
        markers[np.unravel_index(away.argmax(), away.shape)] = 1


def _share(mask: NDArray[np.bool_], click: Pixels, reach: float) -> float:
    """Return how much of the disc around a click a mask holds."""
    reach = max(MIN_REACH, reach)
    low = np.maximum(np.floor(click - reach).astype(int), 0)
    high = np.ceil(click + reach).astype(int) + 1
    around = mask[low[0] : high[0], low[1] : high[1]]
    rows, columns = np.ogrid[: around.shape[0], : around.shape[1]]
    disc = np.hypot(rows + low[0] - click[0], columns + low[1] - click[1]) <= reach
    return float(around[disc].mean())


def _pixels(prompts: Prompts, label: int, shape: tuple[int, ...]) -> Pixels:
    """Return the (N, 2) pixels under the clicks of a label; at the outer rim, the nearest ones."""
    clicks = prompts.points[prompts.labels == label]
    return np.clip(np.round(clicks).astype(np.int64), 0, np.array(shape) - 1)
