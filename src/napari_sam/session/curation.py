"""What a person says of objects and does with whole ones; each is one undoable step.

All but `lock` raise an InputError if an object is unknown or locked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from napari_sam.errors import InputError
from napari_sam.planes import Plane
from napari_sam.session import merge_split
from napari_sam.session.changes import Kind, SectionEdit, TraitsEdit
from napari_sam.session.objects import Status
from napari_sam.session.session import Session

__all__ = ["delete", "discard", "lock", "merge", "set_class", "set_status", "split"]


def set_status(
    session: Session, ids: Sequence[int], status: Status, plane: Plane | None = None
) -> None:
    """Say what you think of objects, in one plane or in all."""
    edits = [
        SectionEdit(number, at, section, replace(section, status=status))
        for number in ids
        for at, section in session.objects.unlocked(number).sections.items()
        if section.status is not status and plane in (None, at)
    ]
    session.edit(Kind.STATUS, edits)


def set_class(session: Session, ids: Sequence[int], class_id: int) -> None:
    """Give objects another class.

    Raises
    ------
    InputError
        If the class has no name.
    """
    if class_id not in session.classes:
        raise InputError(f"there is no class {class_id}; named are {dict(session.classes)}")
    edits = [
        TraitsEdit(number, held.traits, replace(held.traits, class_id=class_id))
        for number in ids
        for held in [session.objects.unlocked(number)]
        if held.class_id != class_id
    ]
    session.edit(Kind.CLASS, edits)


def lock(session: Session, ids: Sequence[int], locked: bool = True) -> None:
    """Keep objects from being changed, or allow it again.

    Raises
    ------
    InputError
        If one is unknown.
    """
    edits = []
    for number in ids:
        if number not in session.objects:
            raise InputError(f"there is no object {number}; choose one from the list")
        traits = session.objects[number].traits
        if traits.locked != locked:
            edits.append(TraitsEdit(number, traits, replace(traits, locked=locked)))
    session.edit(Kind.LOCK, edits)


def delete(session: Session, ids: Sequence[int]) -> None:
    """Take objects away."""
    session.edit(Kind.DELETED, merge_split.delete(session.objects, ids))


def discard(session: Session, object_id: int, plane: Plane | None = None) -> None:
    """Take away what nobody has accepted of an object, in one plane or in all."""
    session.edit(Kind.DELETED, merge_split.discard(session.objects, object_id, plane))


def merge(session: Session, ids: Sequence[int]) -> None:
    """Give all pixels of these objects to the first of them.

    Where several lie in a plane, the lowest score and the most doubtful status hold.

    Raises
    ------
    InputError
        If there are fewer than two.
    """
    session.edit(Kind.MERGED, merge_split.merge(session.objects, ids))


def split(session: Session, object_id: int, plane: Plane | None = None) -> list[int]:
    """Make every connected part but the largest a new object, in one plane or in all.

    Parts touch by edges or corners in their plane, and by sharing pixels in neighbouring planes.

    Returns
    -------
    list of int
        The new objects.

    Raises
    ------
    InputError
        If it is in one piece.
    """
    planes = session.objects.unlocked(object_id).planes
    first = max(session.labels.new_id(at) for at in planes)
    edits = merge_split.split(session.objects, object_id, first, plane)
    session.edit(Kind.SPLIT, edits)
    return [e.object_id for e in edits if isinstance(e, TraitsEdit) and e.before is None]
