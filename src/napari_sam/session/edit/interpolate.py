"""Gaps between two accepted slices of an object, and what fills them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from napari_sam.between import interpolated
from napari_sam.errors import InputError
from napari_sam.planes import Plane
from napari_sam.session.batch import Batch, NewMask
from napari_sam.session.changes import Kind
from napari_sam.session.objects import AnnotatedObject, Origin, Source, Status
from napari_sam.session.overlap import Rule
from napari_sam.session.session import Session

__all__ = ["gap_at", "interpolate"]


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
