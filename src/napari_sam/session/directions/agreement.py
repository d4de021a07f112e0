"""Agreement of sections where planes of different directions cross: one owner a pixel of the image.

A section says of all pixels of its plane which are the object's. Where a new one and another of the
same object cross, what was accepted holds; of two that were, or were not, the new one does. Other
objects lose the pixels that it gains. What one plane loses and gains is changed in all that cross
it, as part of the same step.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_sam.masks import CroppedMask
from napari_sam.planes import Plane, in_order, spanned
from napari_sam.session.changes import Edit, SectionEdit, TraitsEdit
from napari_sam.session.directions.crossings import Crossing, line, size, with_line
from napari_sam.session.objects import AnnotatedObject, Objects, Section, Status
from napari_sam.session.records import Adopted, Done, Grown, Record

__all__ = ["Disagreement", "agreed", "disagreement", "fitted", "in_agreement"]

Key = tuple[int, Plane]


@dataclass(frozen=True)
class Disagreement:
    """Pixels in which a mask and the accepted sections across its plane differ.

    Parameters
    ----------
    lost : int
        Pixels accepted there that the mask does not have.
    gained : int
        Pixels of the mask that are not the object's there.
    common : int
        Pixels that both have.
    """

    lost: int = 0
    gained: int = 0
    common: int = 0

    @property
    def is_small(self) -> bool:
        """True if they differ as borders do: by at most a fifth of what they have together."""
        return 5 * (self.lost + self.gained) <= self.lost + self.gained + self.common


def disagreement(
    objects: Objects, object_id: int | None, plane: Plane, mask: CroppedMask | None
) -> Disagreement:
    """Return by how much a mask of an object differs from what was accepted across its plane."""
    lost = gained = common = 0
    for one, section in _accepted_across(objects, object_id, plane, mask):
        known = _pixels(section.mask, one)
        new = np.zeros_like(known) if mask is None else mask.within(one.here)
        lost += int((known & ~new).sum())
        gained += int((new & ~known).sum())
        common += int((new & known).sum())
    return Disagreement(lost, gained, common)


def fitted(
    objects: Objects, object_id: int | None, plane: Plane, mask: CroppedMask | None
) -> CroppedMask | None:
    """Return a mask of an object that agrees with its accepted sections across its plane.

    Examples
    --------
    >>> from napari_sam.session.objects import Origin, Source, Traits
    >>> objects = Objects()
    >>> objects.set_traits(3, Traits())
    >>> upright = CroppedMask.of(np.ones((4, 2), bool), (0, 1), (4, 6))  # of y = 2
    >>> objects.set_section(
    ...     3, (None, 2, None), Section(upright, None, Origin(Source.PROMPTED), Status.ACCEPTED)
    ... )
    >>> flat = CroppedMask.of(np.ones((3, 3), bool), (1, 2), (5, 6))
    >>> fitted(objects, 3, (0, None, None), flat).full().astype(int)
    array([[0, 0, 0, 0, 0, 0],
           [0, 0, 1, 1, 1, 0],
           [0, 1, 1, 0, 0, 0],
           [0, 0, 1, 1, 1, 0],
           [0, 0, 0, 0, 0, 0]])
    """
    return _with_lines(mask, _accepted_across(objects, object_id, plane, mask))


def in_agreement(record: Record, objects: Objects) -> Record:
    """Return a record whose edits leave all sections in agreement."""
    match record:
        case Done(change):
            edits = agreed(objects, change.edits)
            return record if edits is change.edits else Done(replace(change, edits=tuple(edits)))
        case Grown(number, edits):
            return Grown(number, tuple(agreed(objects, edits)))
        case Adopted(edits):
            return Adopted(tuple(agreed(objects, edits)))
    return record


def agreed(objects: Objects, edits: Sequence[Edit]) -> Sequence[Edit]:
    """Return edits with those of the sections that cross them, so that all agree.

    Where all planes are of one direction these are the same edits.
    """
    spans = {spanned(edit.plane) for edit in edits if isinstance(edit, SectionEdit)}
    if len(spans.union(objects.directions)) < 2:
        return edits
    return _Agreement(objects, edits).edits()


class _Agreement:
    """Edits of one step, and what becomes of the sections across them."""

    def __init__(self, objects: Objects, edits: Sequence[Edit]) -> None:
        self._objects = objects
        self._given: list[Edit] = []
        self._last: dict[Key, int] = {}
        self._now: dict[Key, Section | None] = {}  # of the sections that are edited
        for at, edit in enumerate(edits):
            if isinstance(edit, SectionEdit):
                edit = self._fit(edit)
                self._last[edit.object_id, edit.plane] = at
                self._now[edit.object_id, edit.plane] = edit.after
            self._given.append(edit)
        self._before = dict(self._now)
        self._gone = {
            edit.object_id for edit in edits if isinstance(edit, TraitsEdit) and edit.after is None
        }

    def edits(self) -> list[Edit]:
        """Return all edits: those given, then those that follow from them."""
        for at, edit in enumerate(self._given):
            if isinstance(edit, SectionEdit) and self._last[edit.object_id, edit.plane] == at:
                self._spread(edit, at)
        follows: list[Edit] = [
            SectionEdit(number, plane, before, after)
            for (number, plane), after in self._now.items()
            for before in [self._was(number, plane)]
            if before != after
        ]
        return [*self._given, *follows, *self._emptied()]

    def _fit(self, edit: SectionEdit) -> SectionEdit:
        """Let what was accepted across a plane hold against a mask that was not."""
        after = edit.after
        if after is None or after.mask is None or after.status is Status.ACCEPTED:
            return edit
        accepted = (
            (one, section)
            for one, section in self._own_across(edit)
            if section.status is Status.ACCEPTED
        )
        mask = _with_lines(after.mask, accepted)
        for (number, plane), other in self._now.items():  # which get their pixels in this step
            if number != edit.object_id and plane == edit.plane and other is not None:
                taken = other.mask
                mask = (
                    mask if mask is None or taken is None else mask.without(taken.crop(), taken.box)
                )
        status = Status.UNCLEAR if mask is None else after.status
        return replace(edit, after=replace(after, mask=mask, status=status))

    def _spread(self, edit: SectionEdit, at: int) -> None:
        after = edit.after
        if after is None or (after.mask is None and not after.is_absent):
            return  # which says nothing of the plane
        if edit.before is not None and edit.before.mask == after.mask is not None:
            return  # only a status
        for one, section in self._own_across(edit):
            key = edit.object_id, one.plane
            if self._last.get(key, -1) < at:
                self._now[key] = _with_line(section, one, after.mask)
        if after.mask is not None:
            self._take_from_others(edit.object_id, edit.plane, after.mask)

    def _own_across(self, edit: SectionEdit) -> Iterator[tuple[Crossing, Section]]:
        """Yield the object's other sections across the plane, as they are now."""
        held = self._objects.get(edit.object_id)
        planes = {plane for number, plane in self._now if number == edit.object_id}
        if held is not None:
            planes.update(_elsewhere(self._objects, edit.plane, held))
        mask = None if edit.after is None else edit.after.mask
        for plane in sorted(planes, key=in_order):
            section = self._section(edit.object_id, plane)
            one = None if section is None else _whole_line(edit.plane, plane, section, mask)
            if section is not None and one is not None:
                yield one, section

    def _take_from_others(self, own: int, plane: Plane, mask: CroppedMask) -> None:
        for one in self._objects.across(plane, mask.box):
            for number in self._objects.near(one.plane, one.there):
                section = self._section(number, one.plane)
                if number == own or section is None or section.mask is None:
                    continue
                if number in self._gone or not section.mask.meets(one.there):
                    continue
                taken = one.sent(mask) & section.mask.within(one.there)
                if taken.any():
                    left = section.mask.without(taken, one.there)
                    self._now[number, one.plane] = (
                        None if left is None else replace(section, mask=left)
                    )

    def _emptied(self) -> list[Edit]:
        """Return the edits that delete objects of which nothing is left."""
        touched = {number for number, _ in self._now} - self._gone
        return [
            TraitsEdit(number, held.traits, None)
            for number in sorted(touched)
            for held in [self._objects.get(number)]
            if held is not None
            and all(self._section(number, plane) is None for plane in held.sections)
            and all(one is None for (id_, _), one in self._now.items() if id_ == number)
        ]

    def _section(self, number: int, plane: Plane) -> Section | None:
        key = number, plane
        return self._now[key] if key in self._now else self._objects.section(number, plane)

    def _was(self, number: int, plane: Plane) -> Section | None:
        key = number, plane
        return self._before[key] if key in self._before else self._objects.section(number, plane)


def _elsewhere(objects: Objects, plane: Plane, held: AnnotatedObject) -> Iterator[Plane]:
    """Yield the planes of other directions in which an object has sections."""
    axes = spanned(plane)
    for span in objects.directions:
        if span != axes:
            yield from (at for at in objects.planes_of(span) if at in held.sections)


def _accepted_across(
    objects: Objects, object_id: int | None, plane: Plane, mask: CroppedMask | None
) -> Iterator[tuple[Crossing, Section]]:
    """Yield the accepted sections of an object across a plane, in order, and where they cross."""
    held = None if object_id is None else objects.get(object_id)
    if held is None:
        return
    for other in sorted(_elsewhere(objects, plane, held), key=in_order):
        section = held.sections[other]
        one = _whole_line(plane, other, section, mask)
        if one is not None and section.status is Status.ACCEPTED:
            yield one, section


def _whole_line(
    plane: Plane, other: Plane, section: Section, mask: CroppedMask | None
) -> Crossing | None:
    """Return where a section crosses a plane, along all of the line; None if it does not."""
    if section.mask is None:  # "not here": as far as the mask of the plane tells
        return None if mask is None else line(plane, (0, 0, *mask.shape), other)
    back = line(other, (0, 0, *section.mask.shape), plane)
    return None if back is None else Crossing(other, back.there, back.here)


def _with_lines(
    mask: CroppedMask | None, sections: Iterable[tuple[Crossing, Section]]
) -> CroppedMask | None:
    """Return a mask that has just the pixels of sections where these cross its plane."""
    for one, section in sections:
        if mask is not None:
            mask = with_line(mask, one.here, _pixels(section.mask, one))
    return mask


def _with_line(section: Section, one: Crossing, mask: CroppedMask | None) -> Section | None:
    """Return a section that has just the pixels of a mask where their planes cross."""
    pixels = np.zeros(size(one.there), bool) if mask is None else one.sent(mask)
    if section.mask is None:  # it says that the object is not there, or that none was found
        return None if section.is_absent and pixels.any() else section
    left = with_line(section.mask, one.there, pixels)
    return None if left is None else replace(section, mask=left)


def _pixels(mask: CroppedMask | None, one: Crossing) -> NDArray[np.bool_]:
    """Return the pixels of a mask of the other plane along a line, (h, w) as in this one."""
    return np.zeros(size(one.here), bool) if mask is None else one.seen(mask)
