"""What changes from one slice to the next: objects that are missing, and new ones."""

from __future__ import annotations

from napari_sam.planes import Plane
from napari_sam.session.objects import Objects, Section, Status

__all__ = ["missing", "unclaimed"]


def missing(objects: Objects, before: Plane, here: Plane) -> list[int]:
    """Return the objects with a mask on one plane and nothing said of another, in order.

    Left out are locked objects, and those that somebody said are not there.

    Parameters
    ----------
    objects : Objects
        All objects.
    before : Plane
        The slice that was looked at last.
    here : Plane
        The slice that is looked at.
    """
    return [
        number
        for number, _ in objects.on(before)
        if not objects[number].locked and _is_open(objects[number].sections.get(here))
    ]


def unclaimed(objects: Objects, before: Plane, here: Plane) -> list[int]:
    """Return the objects that begin on a plane, and that nobody has accepted anywhere, in order.

    Parameters
    ----------
    objects : Objects
        All objects.
    before : Plane
        The slice that was looked at last; what has a mask there is not new.
    here : Plane
        The slice that is looked at.
    """
    known = {number for number, _ in objects.on(before)}
    return [
        number
        for number, _ in objects.on(here)
        if number not in known and not objects[number].locked
        if all(one.status is not Status.ACCEPTED for one in objects[number].sections.values())
    ]


def _is_open(section: Section | None) -> bool:
    return section is None or (section.mask is None and not section.is_absent)
