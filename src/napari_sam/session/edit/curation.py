"""Whole-object operations, one undo step each: status, class, lock, delete, merge, split.

All but `lock` and `accept_certain` raise an InputError if an object is unknown or locked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from scipy import ndimage

from napari_sam.errors import InputError
from napari_sam.masks import CroppedMask
from napari_sam.planes import Plane
from napari_sam.session.changes import Edit, Kind, SectionEdit, TraitsEdit
from napari_sam.session.directions.crossings import line
from napari_sam.session.objects import WORST_FIRST, AnnotatedObject, Objects, Section, Status
from napari_sam.session.session import Session

__all__ = [
    "accept_certain",
    "delete",
    "discard",
    "discarded",
    "lock",
    "merge",
    "set_class",
    "set_status",
    "split",
    "suggest_classes",
]


def set_status(
    session: Session, ids: Sequence[int], status: Status, plane: Plane | None = None
) -> None:
    """Set the review status of objects, in one plane or in all.

    What is accepted has its class confirmed, if that was suggested.
    """
    edits: list[Edit] = [
        SectionEdit(number, at, section, replace(section, status=status))
        for number in ids
        for at, section in session.objects.unlocked(number).sections.items()
        if section.status is not status and plane in (None, at)
    ]
    if status is Status.ACCEPTED:
        edits += _confirmed(session.objects, ids)
    session.edit(Kind.STATUS, edits)


def _confirmed(objects: Objects, ids: Sequence[int]) -> list[Edit]:
    """Return the edits by which suggested classes are taken for sure."""
    return [
        TraitsEdit(number, held.traits, replace(held.traits, certainty=1.0))
        for number in ids
        for held in [objects.unlocked(number)]
        if held.is_suggested
    ]


def accept_certain(session: Session, places: Iterable[tuple[int, Plane]]) -> int:
    """Accept the sections at these places that are proposed, and return how many.

    What is unclear, locked or not there stays as it is.
    """
    objects = session.objects
    edits = [
        SectionEdit(number, plane, section, replace(section, status=Status.ACCEPTED))
        for number, plane in places
        for section in [objects.section(number, plane)]
        if section is not None and section.status is Status.PROPOSED
        if not objects[number].locked
    ]
    session.edit(Kind.STATUS, edits)
    return len(edits)


def set_class(session: Session, ids: Sequence[int], class_id: int) -> None:
    """Set the class of objects, which is certain from then on.

    Raises
    ------
    InputError
        If the class has no name.
    """
    if class_id not in session.classes:
        raise InputError(f"there is no class {class_id}; named are {dict(session.classes)}")
    edits = [
        TraitsEdit(number, held.traits, replace(held.traits, class_id=class_id, certainty=1.0))
        for number in ids
        for held in [session.objects.unlocked(number)]
        if (held.class_id, held.certainty) != (class_id, 1.0)
    ]
    session.edit(Kind.CLASS, edits)


def suggest_classes(session: Session, suggested: Mapping[int, tuple[int, float]]) -> int:
    """Give objects the classes that were suggested for them, as one step; return how many.

    What somebody has named or locked meanwhile, or deleted, stays as it is.

    Parameters
    ----------
    session : Session
        Whose objects.
    suggested : mapping of int to (int, float)
        By object the class and its certainty, below 1.
    """
    objects = session.objects
    edits = [
        TraitsEdit(
            number, held.traits, replace(held.traits, class_id=class_id, certainty=certainty)
        )
        for number, (class_id, certainty) in suggested.items()
        for held in [objects.get(number)]
        if held is not None and not held.locked and held.certainty != 1
        if class_id in session.classes
    ]
    session.edit(Kind.CLASS, edits)
    return len(edits)


def lock(session: Session, ids: Sequence[int], locked: bool = True) -> None:
    """Lock objects against changes, or unlock them.

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
    """Delete objects."""
    session.edit(Kind.DELETED, _without(session.objects, ids))


def discard(session: Session, object_id: int, plane: Plane | None = None) -> None:
    """Delete the sections of an object that nobody has accepted, in one plane or in all."""
    session.edit(Kind.DELETED, discarded(session.objects, object_id, plane))


def discarded(objects: Objects, object_id: int, plane: Plane | None = None) -> list[Edit]:
    """Return the edits that delete an object's unaccepted sections, in one plane or in all."""
    held = objects.unlocked(object_id)
    edits: list[Edit] = [
        SectionEdit(object_id, at, section, None)
        for at, section in held.sections.items()
        if section.status is not Status.ACCEPTED and plane in (None, at)
    ]
    if len(edits) == len(held.sections):
        edits.append(TraitsEdit(object_id, held.traits, None))
    return edits


def merge(session: Session, ids: Sequence[int]) -> None:
    """Merge objects into the first of them, which gets the pixels of all.

    Where several lie in a plane, the lowest score and the most doubtful status hold.

    Raises
    ------
    InputError
        If there are fewer than two.
    """
    ids = list(dict.fromkeys(ids))
    if len(ids) < 2:
        raise InputError("choose at least two objects to merge")
    objects = session.objects
    first = objects.unlocked(ids[0])
    edits = _without(objects, ids[1:])
    joined: dict[Plane, Section] = dict(first.sections)
    for number in ids[1:]:
        for plane, section in objects[number].sections.items():
            joined[plane] = _join(joined[plane], section) if plane in joined else section
    if len(objects.directions) > 1:
        joined = {at: _completed(one, at, objects, ids) for at, one in joined.items()}
    for plane, section in joined.items():
        if section != first.sections.get(plane):
            edits.append(SectionEdit(first.id, plane, first.sections.get(plane), section))
    session.edit(Kind.MERGED, edits)


def split(session: Session, object_id: int, plane: Plane | None = None) -> list[int]:
    """Split an object into connected components, in one plane or in all; the largest keeps its id.

    Parts touch by edges or corners in their plane, and by sharing pixels in neighbouring planes or
    in those across it.

    Returns
    -------
    list of int
        The new objects.

    Raises
    ------
    InputError
        If it is in one piece.
    """
    held = session.objects.unlocked(object_id)
    first_new = max(session.labels.new_id(at) for at in held.planes)
    groups = _connected(held, [plane] if plane is not None else held.planes)
    if len(groups) < 2:
        raise InputError(f"object {object_id} is in one piece")
    left: dict[Plane, CroppedMask | None] = {p: s.mask for p, s in held.sections.items()}
    new: list[Edit] = []
    for number, group in enumerate(groups[1:], start=first_new):
        new.append(TraitsEdit(number, None, held.traits))
        for at, part in group.items():
            remaining = left[at]
            assert remaining is not None
            left[at] = remaining.without(part.crop(), part.box)
            new.append(
                SectionEdit(number, at, None, replace(held.sections[at], mask=part, prompts=None))
            )
    edits: list[Edit] = []
    for at, mask in left.items():
        before = held.sections[at]
        if mask != before.mask:
            after = None if mask is None else replace(before, mask=mask)
            edits.append(SectionEdit(object_id, at, before, after))
    session.edit(Kind.SPLIT, edits + new)
    return list(range(first_new, first_new + len(groups) - 1))


def _without(objects: Objects, ids: Sequence[int]) -> list[Edit]:
    """Return the edits that take objects away."""
    edits: list[Edit] = []
    for number in dict.fromkeys(ids):
        held = objects.unlocked(number)
        edits += [SectionEdit(number, p, held.sections[p], None) for p in held.planes]
        edits.append(TraitsEdit(number, held.traits, None))
    return edits


def _join(a: Section, b: Section) -> Section:
    masks = [section.mask for section in (a, b) if section.mask is not None]
    mask = None if not masks else masks[0] if len(masks) == 1 else masks[0].joined(masks[1])
    scores = [section.score for section in (a, b) if section.score is not None]
    status = next(s for s in WORST_FIRST if s in (a.status, b.status))
    return Section(mask, min(scores, default=None), a.origin, status, a.prompts or b.prompts)


def _completed(section: Section, plane: Plane, objects: Objects, ids: Sequence[int]) -> Section:
    """Return a joint section with what sections across its plane hold of the objects."""
    mask = section.mask
    for number in ids:
        known = None if mask is None else objects[number].known(plane, mask.shape)
        mask = mask if mask is None or known is None else mask.joined(known)
    return section if mask == section.mask else replace(section, mask=mask)


def _connected(held: AnnotatedObject, planes: Sequence[Plane]) -> list[dict[Plane, CroppedMask]]:
    """Return the connected parts, largest first, each with its pixels per plane."""
    parts: list[tuple[Plane, CroppedMask]] = []
    for plane in planes:
        section = held.sections.get(plane)
        if section is None or section.mask is None:
            continue
        numbered, count = ndimage.label(section.mask.crop(), np.ones((3, 3)))
        for number in range(1, count + 1):
            part = CroppedMask.of(numbered == number, section.mask.box[:2], section.mask.shape)
            assert part is not None
            parts.append((plane, part))
    group = list(range(len(parts)))

    def root(i: int) -> int:
        while group[i] != i:
            i = group[i]
        return i

    for i, (plane, part) in enumerate(parts):
        for j, (other_plane, other) in enumerate(parts[:i]):
            meet = _neighbours(plane, other_plane) and _overlap(part, other)
            if meet or _cross(plane, part, other_plane, other):
                group[root(i)] = root(j)
    groups: dict[int, dict[Plane, CroppedMask]] = {}
    for i, (plane, part) in enumerate(parts):
        held_there = groups.setdefault(root(i), {})
        held_there[plane] = part if plane not in held_there else held_there[plane].joined(part)
    return sorted(groups.values(), key=lambda g: -sum(part.area for part in g.values()))


def _neighbours(a: Plane, b: Plane) -> bool:
    steps = [abs(i - j) for i, j in zip(a, b, strict=True) if i is not None and j is not None]
    return sum(steps) == 1


def _cross(plane: Plane, a: CroppedMask, other: Plane, b: CroppedMask) -> bool:
    """Return whether masks of planes of different directions have a pixel in common."""
    one = line(plane, a.box, other)
    return one is not None and bool((one.seen(b) & a.within(one.here)).any())


def _overlap(a: CroppedMask, b: CroppedMask) -> bool:
    return a.meets(b.box) and bool((a.crop() & b.within(a.box)).any())
