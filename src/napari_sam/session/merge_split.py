"""The edits that join objects, split them into their connected parts, or take them away.

All raise an InputError if an object is unknown or locked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy import ndimage

from napari_sam.errors import InputError
from napari_sam.masks import CroppedMask
from napari_sam.planes import Plane
from napari_sam.session.changes import Edit, SectionEdit, TraitsEdit
from napari_sam.session.objects import WORST_FIRST, AnnotatedObject, Objects, Section, Status

__all__ = ["delete", "discard", "merge", "split"]


def delete(objects: Objects, ids: Sequence[int]) -> list[Edit]:
    """Return the edits that take objects away."""
    edits: list[Edit] = []
    for number in dict.fromkeys(ids):
        held = objects.unlocked(number)
        edits += [SectionEdit(number, p, held.sections[p], None) for p in held.planes]
        edits.append(TraitsEdit(number, held.traits, None))
    return edits


def discard(objects: Objects, object_id: int, plane: Plane | None = None) -> list[Edit]:
    """Return the edits that take away what nobody has accepted, in one plane or in all."""
    held = objects.unlocked(object_id)
    edits: list[Edit] = [
        SectionEdit(object_id, at, section, None)
        for at, section in held.sections.items()
        if section.status is not Status.ACCEPTED and plane in (None, at)
    ]
    if len(edits) == len(held.sections):
        edits.append(TraitsEdit(object_id, held.traits, None))
    return edits


def merge(objects: Objects, ids: Sequence[int]) -> list[Edit]:
    """Return the edits that give all pixels to the first object."""
    ids = list(dict.fromkeys(ids))
    if len(ids) < 2:
        raise InputError("choose at least two objects to merge")
    first = objects.unlocked(ids[0])
    edits = delete(objects, ids[1:])
    joined: dict[Plane, Section] = dict(first.sections)
    for number in ids[1:]:
        for plane, section in objects[number].sections.items():
            joined[plane] = _join(joined[plane], section) if plane in joined else section
    for plane, section in joined.items():
        if section != first.sections.get(plane):
            edits.append(SectionEdit(first.id, plane, first.sections.get(plane), section))
    return edits


def split(
    objects: Objects, object_id: int, first_new: int, plane: Plane | None = None
) -> list[Edit]:
    """Return the edits that make every connected part but the largest a new object."""
    held = objects.unlocked(object_id)
    groups = _connected(held, [plane] if plane is not None else held.planes)
    if len(groups) < 2:
        raise InputError(f"object {object_id} is in one piece")
    edits: list[Edit] = []
    left: dict[Plane, CroppedMask | None] = {p: s.mask for p, s in held.sections.items()}
    new: list[Edit] = []
    for number, group in enumerate(groups[1:], start=first_new):
        new.append(TraitsEdit(number, None, held.traits))
        for at, part in group.items():
            remaining = left[at]
            assert remaining is not None
            left[at] = remaining.without(part.crop(), part.box)
            whole = held.sections[at]
            section = replace(whole, mask=part, prompts=None)
            new.append(SectionEdit(number, at, None, section))
    for at, mask in left.items():
        before = held.sections[at]
        if mask != before.mask:
            after = None if mask is None else replace(before, mask=mask)
            edits.append(SectionEdit(object_id, at, before, after))
    return edits + new


def _join(a: Section, b: Section) -> Section:
    masks = [section.mask for section in (a, b) if section.mask is not None]
    mask = None if not masks else masks[0] if len(masks) == 1 else masks[0].joined(masks[1])
    scores = [section.score for section in (a, b) if section.score is not None]
    status = next(s for s in WORST_FIRST if s in (a.status, b.status))
    return Section(mask, min(scores, default=None), a.origin, status, a.prompts or b.prompts)


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
            if _neighbours(plane, other_plane) and _overlap(part, other):
                group[root(i)] = root(j)
    groups: dict[int, dict[Plane, CroppedMask]] = {}
    for i, (plane, part) in enumerate(parts):
        held_there = groups.setdefault(root(i), {})
        held_there[plane] = part if plane not in held_there else held_there[plane].joined(part)
    return sorted(groups.values(), key=lambda g: -sum(part.area for part in g.values()))


def _neighbours(a: Plane, b: Plane) -> bool:
    steps = [abs(i - j) for i, j in zip(a, b, strict=True) if i is not None and j is not None]
    return sum(steps) == 1


def _overlap(a: CroppedMask, b: CroppedMask) -> bool:
    return a.meets(b.box) and bool((a.crop() & b.within(a.box)).any())
