"""An object slice by slice, by hand: copied to a neighbour, ended, marked as not there."""

from __future__ import annotations

from collections.abc import Sequence

from napari_sam.errors import InputError
from napari_sam.planes import Plane
from napari_sam.session.batch import Batch, NewMask
from napari_sam.session.changes import Edit, Kind, SectionEdit
from napari_sam.session.objects import AnnotatedObject, Origin, Section, Source, Status
from napari_sam.session.overlap import Rule
from napari_sam.session.session import Session

__all__ = ["copy_to", "end_at", "mark_absent"]

ABSENT = Section(None, None, Origin(Source.PROMPTED), Status.ACCEPTED)


def copy_to(
    session: Session, object_id: int, source: Plane, plane: Plane, rule: Rule = Rule.KEEP
) -> None:
    """Copy an object's mask from one plane to another, as one step; the copy is proposed.

    Raises
    ------
    InputError
        If the object is unknown or locked, has no mask on the source or an accepted one on the
        plane, or others leave under half of the mask.
    """
    held = session.objects.unlocked(object_id)
    section, before = held.sections.get(source), held.sections.get(plane)
    if section is None or section.mask is None:
        raise InputError(f"object {object_id} has no mask on the slice to copy from")
    if before is not None and before.status is Status.ACCEPTED:
        said = "said not to be" if before.mask is None else "accepted"
        raise InputError(
            f"object {object_id} was {said} on that slice; undo that or correct it there"
        )
    origin = Origin(Source.COPIED, source)
    with Batch(session, Kind.COPIED, rule) as batch:
        taken = batch.add(plane, [NewMask(section.mask, object_id, origin=origin)])
    if taken == [None]:
        raise InputError(f"the mask was not copied: {batch.tally.said()}")


def mark_absent(session: Session, object_id: int, plane: Plane) -> None:
    """Mark that an object is not on a plane, as one step; a mask that it has there goes.

    Raises
    ------
    InputError
        If the object is unknown or locked, or has no mask on any other plane.
    """
    held = session.objects.unlocked(object_id)
    if not any(s.mask is not None for at, s in held.sections.items() if at != plane):
        raise InputError(
            f"object {object_id} is on no other slice; delete it if it is not on this one"
        )
    session.edit(Kind.ENDED, _absent(held, plane))


def end_at(
    session: Session, object_id: int, line: Sequence[Plane], at: int, way: int = 1
) -> int | None:
    """End an object at a slice, as one step: it is not on the next one, nor beyond.

    Where it has a mask on the slice, that is its last one; where it has none, it ended before. It
    ends away from the slices on which it is accepted. What was proposed beyond the end is deleted.

    Parameters
    ----------
    session : Session
        Whose object.
    object_id : int
        Which.
    line : sequence of Plane
        The slices of the stack, in order.
    at : int
        Index of the slice.
    way : int
        1 or -1: which end it is where accepted slices do not tell.

    Returns
    -------
    int or None
        The slice that is marked as the first one without the object; None at the end of the stack,
        where nothing was to be done.

    Raises
    ------
    InputError
        If the object is unknown or locked, is on none of the slices, or is accepted on both sides.
    """
    held = session.objects.unlocked(object_id)
    way = _way(held, line, at, way)
    here = held.sections.get(line[at])
    first = at if here is None or here.mask is None else at + way
    if not 0 <= first < len(line):
        return None
    beyond = line[first + way :] if way > 0 else line[:first]
    edits: list[Edit] = [
        SectionEdit(object_id, plane, held.sections[plane], None)
        for plane in beyond
        if plane in held.sections and not held.sections[plane].is_absent
    ]
    session.edit(Kind.ENDED, [*edits, *_absent(held, line[first])])
    return first


def _absent(held: AnnotatedObject, plane: Plane) -> list[Edit]:
    before = held.sections.get(plane)
    return [] if before == ABSENT else [SectionEdit(held.id, plane, before, ABSENT)]


def _way(held: AnnotatedObject, line: Sequence[Plane], at: int, way: int) -> int:
    """Return in which direction an object ends, seen from a slice."""
    there = [
        (index, section.status is Status.ACCEPTED)
        for index, plane in enumerate(line)
        for section in [held.sections.get(plane)]
        if section is not None and section.mask is not None
    ]
    sure = {(index > at) - (index < at) for index, accepted in there if accepted} - {0}
    if sure == {1, -1}:
        raise InputError(
            f"object {held.id} is accepted before and behind this slice; to say that it is not on "
            "this one alone, mark it as not here"
        )
    if sure:
        return -sure.pop()
    if not there:
        raise InputError(f"object {held.id} has no mask on any slice of this stack")
    sides = {(index > at) - (index < at) for index, _ in there}
    return -sides.pop() if len(sides) == 1 and 0 not in sides else way
