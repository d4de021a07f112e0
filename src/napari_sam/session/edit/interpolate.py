"""Masks between two slices of an object, by the signed distance to its border."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_sam.errors import InputError
from napari_sam.masks import CroppedMask
from napari_sam.planes import Plane
from napari_sam.session.batch import Batch, NewMask
from napari_sam.session.changes import Kind
from napari_sam.session.objects import AnnotatedObject, Origin, Source, Status
from napari_sam.session.overlap import Rule
from napari_sam.session.session import Session

__all__ = ["gap_at", "interpolate", "interpolated"]


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
    if first.shape != last.shape:
        raise InputError(
            f"masks to interpolate between must have one shape; got {first.shape}, {last.shape}"
        )
    centres = np.array([_centroid(first), _centroid(last)])
    reach = 2 + max(
        int(np.ceil(_radius(m, c))) for m, c in zip((first, last), centres, strict=True)
    )
    begin, end = (_distance(m, c, reach) for m, c in zip((first, last), centres, strict=True))
    found = []
    for step in range(1, count + 1):
        share = step / (count + 1)
        inside = (1 - share) * begin + share * end > 0
        centre = (1 - share) * centres[0] + share * centres[1]
        mask = _placed(inside, centre, reach, first.shape)
        found.append(mask or (first if share < 0.5 else last))
    return found


def gap_at(held: AnnotatedObject, line: Sequence[Plane], at: int) -> tuple[int, int] | None:
    """Return the accepted slices around the gap at a slice; None if there is no gap.

    On an accepted slice it is the gap after it, else the one before it.

    Parameters
    ----------
    held : AnnotatedObject
        Whose.
    line : sequence of Plane
        The slices of the stack, in order.
    at : int
        Index of the slice in view.
    """
    sections = ((index, held.sections.get(plane)) for index, plane in enumerate(line))
    marked = [
        index
        for index, section in sections
        if section is not None and section.mask is not None and section.status is Status.ACCEPTED
    ]
    behind = bisect_right(marked, at)
    for after in (behind, bisect_left(marked, at)):
        if 0 < after < len(marked) and marked[after] - marked[after - 1] > 1:
            return marked[after - 1], marked[after]
    return None


def interpolate(
    session: Session, object_id: int, line: Sequence[Plane], at: int, rule: Rule = Rule.KEEP
) -> list[int]:
    """Fill the gap between two accepted slices of an object, as one step.

    What nobody has accepted between them is replaced; slices it was said not to be on stay empty.

    Parameters
    ----------
    session : Session
        Whose object.
    object_id : int
        Which.
    line : sequence of Plane
        The slices of the stack, in order.
    at : int
        Index of a slice in the gap, or of one at its end.
    rule : Rule
        Who keeps the pixels of other objects.

    Returns
    -------
    list of int
        The slices that were filled.

    Raises
    ------
    InputError
        If the object is unknown or locked, or no gap is there; if others left nothing of it.
    """
    held = session.objects.unlocked(object_id)
    if (gap := gap_at(held, line, at)) is None:
        raise InputError(
            f"object {object_id} has no gap here between two accepted slices; accept it on a slice "
            "before and on one after the gap"
        )
    begin, end = gap
    first, last = (held.sections[line[index]].mask for index in gap)
    assert first is not None
    assert last is not None
    origin = Origin(Source.INTERPOLATED, line[begin])
    filled = []
    with Batch(session, Kind.INTERPOLATED, rule) as batch:
        masks = interpolated(first, last, end - begin - 1)
        for index, mask in enumerate(masks, start=begin + 1):
            if batch.add(line[index], [NewMask(mask, object_id, origin=origin)])[0] is not None:
                filled.append(index)
    if not filled:
        said = batch.tally.said("masks") or "it was said not to be on these slices"
        raise InputError(f"nothing of object {object_id} was filled in: {said}")
    return filled


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
