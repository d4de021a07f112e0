"""Postprocessing of masks: connected components, holes and small islands."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_sam.masks import bounding_box, slices
from napari_sam.prompts import Prompts

__all__ = ["depth", "keep_prompted", "without_specks"]

EIGHT = np.ones((3, 3))  # pixels that touch at a corner are connected


def depth(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the Euclidean distance transform of a mask; outside of the array is background."""
    return np.asarray(ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1])


def keep_prompted(mask: NDArray[np.bool_], prompts: Prompts) -> NDArray[np.bool_]:
    """Keep the connected components of a mask that the prompts select.

    With foreground points these are the connected parts under a point (all, if no point hits the
    mask); with a box alone it is the largest part. A mask prompt alone changes nothing.

    Parameters
    ----------
    mask : (H, W) bool
        A predicted mask.
    prompts : Prompts
        What it was predicted from.

    Returns
    -------
    (H, W) bool

    Examples
    --------
    >>> mask = np.array([[1, 1, 0, 1]], bool)
    >>> keep_prompted(mask, Prompts([(0, 3)], [1])).astype(int)
    array([[0, 0, 0, 1]])
    """
    clicks = prompts.points[prompts.labels == 1]
    box = bounding_box(mask)
    if box is None or (len(clicks) == 0 and prompts.box is None):
        return mask
    inside = slices(box)
    parts, count = ndimage.label(mask[inside])
    if count == 1:
        return mask
    if len(clicks):
        # a click at the rim of the outermost pixel rounds outwards
        pixels = np.clip(np.round(clicks).astype(int), 0, np.array(mask.shape) - 1)
        pixels = pixels[mask[tuple(pixels.T)]] - box[:2]
        chosen = np.unique(parts[tuple(pixels.T)])
    else:
        chosen = np.array([np.bincount(parts[parts > 0]).argmax()])
    if len(chosen) == 0:
        return mask
    kept = np.zeros_like(mask)
    kept[inside] = np.isin(parts, chosen)
    return kept


def without_specks(mask: NDArray[np.bool_], limit: float) -> NDArray[np.bool_]:
    """Fill small holes and drop small islands; the largest component always stays.

    Parameters
    ----------
    mask : (H, W) bool
        At least one pixel; what lies outside of it is no hole.
    limit : float
        Pixels, or below 1 the share of the mask's area, that a part must have to be kept.

    Returns
    -------
    (H, W) bool

    Examples
    --------
    >>> without_specks(np.array([[1, 1, 1, 0, 1], [1, 0, 1, 0, 0], [1, 1, 1, 0, 0]], bool), 0.2)
    array([[ True,  True,  True, False, False],
           [ True,  True,  True, False, False],
           [ True,  True,  True, False, False]])
    """
    limit = limit if limit >= 1 else limit * np.count_nonzero(mask)
    holes, count = ndimage.label(np.pad(~mask, 1, constant_values=True), EIGHT)
    if count > 1:
        small = np.bincount(holes.ravel()) < limit
        small[[0, holes[0, 0]]] = False
        mask = mask | small[holes[1:-1, 1:-1]]
    islands, count = ndimage.label(mask, EIGHT)
    if count > 1:
        sizes = np.bincount(islands.ravel())
        sizes[0] = 0
        stays = sizes >= limit
        stays[sizes.argmax()] = True
        mask = stays[islands]
    return mask
