"""Undoable changes as frozen data: state before and after, so that each can be inverted."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from napari_sam.planes import Plane
from napari_sam.session.classes import UNNAMED
from napari_sam.session.draft import Draft
from napari_sam.session.objects import Objects, Section, Traits

__all__ = [
    "Change",
    "Edit",
    "Kind",
    "LabelScheme",
    "SectionEdit",
    "TraitsEdit",
    "apply",
    "kind_of_prompts",
    "memory_of",
]


class Kind(Enum):
    """Kind of an undoable change; the value is its name in words."""

    ADDED = "prompt added"
    MOVED = "prompt moved"
    REMOVED = "prompt removed"
    CHOSEN = "candidate chosen"
    REOPENED = "object opened again"
    REJECTED = "draft rejected"
    ACCEPTED = "accepted"
    PROPAGATED = "propagated"
    AUTOMATIC = "automatic masks"
    REFINED = "refined"
    MERGED = "merged"
    SPLIT = "split off"
    CLEANED = "cleaned"
    COPIED = "copied to a slice"
    INTERPOLATED = "interpolated"
    ENDED = "marked as not there"
    DELETED = "deleted"
    PAINTED = "painted"
    CLASS = "class changed"
    STATUS = "status changed"
    LOCK = "lock changed"
    CLASSES = "classes set up"
    ADOPTED = "labels taken up"
    COMPARED = "difference settled"
    TRACKED = "tracks changed"

    @property
    def paints(self) -> bool:
        """Whether labels change with the objects: not where they were there before these."""
        return self is not Kind.ADOPTED


@dataclass(frozen=True)
class LabelScheme:
    """Meaning of label values (object ids or class numbers), and the names of the classes.

    Parameters
    ----------
    semantic : bool
        True if labels hold numbers of classes, False if they hold ids of objects.
    classes : mapping of int to str
        Number to name.
    new_class : int
        Class of new objects.
    """

    semantic: bool = False
    classes: Mapping[int, str] = field(default_factory=lambda: UNNAMED)
    new_class: int = 1

    def naming(self, used: Collection[int]) -> LabelScheme:
        """Return a copy of the scheme with default names for those of these classes without one."""
        names = {number: f"class {number}" for number in sorted(set(used) - set(self.classes))}
        return replace(self, classes={**self.classes, **names})


@dataclass(frozen=True, slots=True)
class TraitsEdit:
    """Edit of an object's traits; `before` is None if it is created, `after` if it is deleted."""

    object_id: int
    before: Traits | None
    after: Traits | None

    def back(self) -> TraitsEdit:
        """Return the inverse edit."""
        return TraitsEdit(self.object_id, self.after, self.before)


@dataclass(frozen=True, slots=True)
class SectionEdit:
    """Edit of an object's section in one plane: created, changed or deleted."""

    object_id: int
    plane: Plane
    before: Section | None
    after: Section | None

    def back(self) -> SectionEdit:
        """Return the inverse edit."""
        return SectionEdit(self.object_id, self.plane, self.after, self.before)


Edit = TraitsEdit | SectionEdit


def memory_of(edits: Iterable[Edit]) -> int:
    """Return the approximate memory use of edits in bytes."""
    masks = (
        section.mask
        for edit in edits
        if isinstance(edit, SectionEdit)
        for section in (edit.before, edit.after)
        if section is not None
    )
    return sum(400 + (len(mask.bits) if mask is not None else 0) for mask in masks)


@dataclass(frozen=True)
class Change:
    """One undoable step: its edits, and the draft and label scheme before and after.

    Parameters
    ----------
    number : int
        Which step of the session, from 1, never given out twice.
    kind : Kind
        What it is called.
    before, after : Draft
        What was being drawn.
    edits : tuple of Edit
        What became of objects, in this order.
    schemes : pair of LabelScheme, optional
        Those before and afterwards, if they differ.
    """

    number: int
    kind: Kind
    before: Draft
    after: Draft
    edits: tuple[Edit, ...] = ()
    schemes: tuple[LabelScheme, LabelScheme] | None = None

    @property
    def nbytes(self) -> int:
        """Approximate memory use in bytes, without the seeds of the drafts."""
        prompts = sum(300 + 40 * len(draft.points) for draft in (self.before, self.after))
        return prompts + memory_of(self.edits)

    def without_seeds(self) -> Change:
        """Return a copy without the seeds (mask logits to refine) of the drafts."""
        return replace(
            self, before=replace(self.before, seed=None), after=replace(self.after, seed=None)
        )


def backwards(edits: Sequence[Edit]) -> list[Edit]:
    """Return the inverse edits in reverse order."""
    return [edit.back() for edit in reversed(edits)]


def still_fitting(edits: Iterable[Edit], objects: Objects) -> list[Edit]:
    """Return the edits whose `before` state still matches the objects; drop conflicting ones.

    An object that has more than what these edits take away stays.
    """
    fitting: list[Edit] = []
    traits: dict[int, Traits | None] = {}
    sections: dict[tuple[int, Plane], Section | None] = {}
    for edit in edits:  # thousands: what is the same object is not compared
        number = edit.object_id
        held = objects.get(number)
        there = traits.get(number, None if held is None else held.traits)
        if isinstance(edit, TraitsEdit):
            planes = () if held is None or edit.after is not None else held.sections.items()
            left = any(sections.get((number, p), s) is not None for p, s in planes)
            if (edit.before is there or edit.before == there) and not left:
                fitting.append(edit)
                traits[number] = edit.after
        elif there is not None:
            key = number, edit.plane
            known = None if held is None else held.sections.get(edit.plane)
            now = sections.get(key, known)
            if edit.before is now or edit.before == now:
                fitting.append(edit)
                sections[key] = edit.after
    return fitting


def apply(edits: Iterable[Edit], objects: Objects) -> None:
    """Apply edits to the objects."""
    for edit in edits:
        if isinstance(edit, TraitsEdit):
            objects.set_traits(edit.object_id, edit.after)
        else:
            objects.set_section(edit.object_id, edit.plane, edit.after)


def kind_of_prompts(before: Draft, after: Draft) -> Kind:
    """Return the kind of change between two drafts: prompt added, moved or removed."""
    counts = [
        len(draft.points) + (draft.box is not None) + (draft.mask is not None)
        for draft in (before, after)
    ]
    if counts[0] == counts[1]:
        return Kind.MOVED
    return Kind.ADDED if counts[1] > counts[0] else Kind.REMOVED
