"""Masks between others: interpolated from two, or averaged, by signed distance to the border."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_sam.errors import InputError
from napari_sam.masks import CroppedMask, enclosing

__all__ = ["averaged", "interpolated", "interpolated_at"]


def interpolated(first: CroppedMask, last: CroppedMask, count: int) -> list[CroppedMask]:
    """Return `count` masks evenly spaced between two masks of parallel planes.

    The signed distance to the border is interpolated linearly, each mask about its own centroid;
    the centroids move on a straight line. So an object that moves further than its size keeps its
    shape, and is not split or lost.

    Parameters
    ----------
    first, last : CroppedMask
        Masks of planes of one shape (H, W).
    count : int
        How many planes lie between them.

    Raises
    ------
    InputError
        If the planes have different shapes.

    Examples
    --------
    >>> small, large = np.zeros((2, 20, 20), bool)
    >>> small[8:12, 2:6] = large[6:14, 10:18] = True
    >>> middle = interpolated(CroppedMask.of(small), CroppedMask.of(large), 1)[0]
    >>> middle.box
    (7, 5, 13, 11)
    """
    return [interpolated_at(first, last, (step + 1) / (count + 1)) for step in range(count)]


def interpolated_at(first: CroppedMask, last: CroppedMask, share: float) -> CroppedMask:
    """Return the mask at a share of the way, 0 to 1, from one mask to another, as `interpolated`.

    Raises
    ------
    InputError
        If the planes have different shapes.
    """
    if first.shape != last.shape:
        raise InputError(
            f"masks to interpolate between must have one shape; got {first.shape}, {last.shape}"
        )
    centres = np.array([_centroid(first), _centroid(last)])
    reach = 2 + max(
        int(np.ceil(_radius(m, c))) for m, c in zip((first, last), centres, strict=True)
    )
    begin, end = (_distance(m, c, reach) for m, c in zip((first, last), centres, strict=True))
    inside = (1 - share) * begin + share * end > 0
    centre = (1 - share) * centres[0] + share * centres[1]
    mask = _placed(inside, centre, reach, first.shape)
    return mask or (first if share < 0.5 else last)


def averaged(masks: Sequence[CroppedMask], weights: Sequence[float]) -> CroppedMask | None:
    """Return the mask in which the weighted mean of the signed distances of masks is positive.

    Parameters
    ----------
    masks : sequence of CroppedMask
        Of planes of one shape (H, W).
    weights : sequence of float
        What each of them counts, 0 or more.

    Returns
    -------
    CroppedMask or None
        None where nothing is left, as of masks that lie far apart.

    Examples
    --------
    >>> low, high = np.zeros((2, 12, 12), bool)
    >>> low[2:10, 2:6] = high[2:10, 2:10] = True
    >>> averaged([CroppedMask.of(low), CroppedMask.of(high)], [1, 1]).box
    (2, 2, 10, 8)
    """
    box = masks[0].box
    for mask in masks[1:]:
        box = enclosing(box, mask.box)
    crops = (np.pad(mask.within(box), 1) for mask in masks)  # far outside nothing is positive
    total = sum(
        weight * _signed(crop) for weight, crop in zip(weights, crops, strict=True) if weight
    )
    inside = np.asarray(total > 0)[1:-1, 1:-1]
    return CroppedMask.of(inside, box[:2], masks[0].shape)


def _centroid(mask: CroppedMask) -> NDArray[np.float64]:
    return np.array(ndimage.center_of_mass(mask.crop())) + mask.corner


def _radius(mask: CroppedMask, centre: NDArray[np.float64]) -> float:
    """Return how far the box of a mask reaches from a place, along rows or columns."""
    return float(np.abs(np.array(mask.box).reshape(2, 2) - centre).max())


def _distance(mask: CroppedMask, centre: NDArray[np.float64], reach: int) -> NDArray[np.float32]:
    """Return the signed distance in pixels, positive inside, in a square about the centre."""
    corner = np.rint(centre).astype(int) - reach - np.array(mask.corner)
    side, crop = 2 * reach + 1, mask.crop()
    inside = np.zeros((side, side), bool)
    rows, columns = -corner
    inside[rows : rows + crop.shape[0], columns : columns + crop.shape[1]] = crop
    return _signed(inside)


def _signed(inside: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the (H, W) signed distance in pixels to the border of a mask, positive inside."""
    signed = ndimage.distance_transform_edt(inside) - ndimage.distance_transform_edt(~inside)
    return np.asarray(signed, np.float32)


def _placed(
    inside: NDArray[np.bool_], centre: NDArray[np.float64], reach: int, shape: tuple[int, int]
) -> CroppedMask | None:
    """Return the mask of a square about a place; what lies outside the plane is cut off."""
    top, left = (int(at) - reach for at in np.rint(centre))
    rows, columns = max(0, -top), max(0, -left)
    part = inside[rows : shape[0] - top, columns : shape[1] - left]
    return CroppedMask.of(part, (top + rows, left + columns), shape)
