"""What an answer to a difference does to the labels: mine, theirs, both or neither, as one step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import Enum
from itertools import zip_longest
from typing import NamedTuple

from napari_sam.errors import InputError
from napari_sam.evaluation.differences import Difference, Disparity
from napari_sam.masks import CroppedMask
from napari_sam.planes import Plane
from napari_sam.session.adopt import adopt, labels_under
from napari_sam.session.changes import Edit, Kind, SectionEdit, TraitsEdit
from napari_sam.session.objects import Origin, Section, Source, Status, Traits
from napari_sam.session.overlap import Others, Rule, claim
from napari_sam.session.session import Session

__all__ = ["Disputed", "Verdict", "settle"]


class Verdict(Enum):
    """Answer to a difference."""

    MINE = "mine"
    THEIRS = "theirs"
    BOTH = "both"
    NEITHER = "neither"


class Disputed(NamedTuple):
    """Difference on a plane, with the masks of the objects concerned, by id."""

    plane: Plane
    difference: Difference
    mine: Mapping[int, CroppedMask]
    theirs: Mapping[int, CroppedMask]


def settle(session: Session, one: Disputed, verdict: Verdict) -> bool:
    """Write the answer to a difference as one undo step; return whether any label changes.

    Objects of mine that get a mask of theirs keep their numbers, the larger for the larger.
    Neighbours that are not concerned keep their pixels.

    Raises
    ------
    InputError
        If an object is locked, or lies under a neighbour for the most part; nothing has changed.
    """
    adopt(session, one.plane, list(one.mine))
    sections = [
        (number, session.objects.section(number, one.plane)) for number in one.difference.mine
    ]
    there = [number for number, section in sections if section is not None]
    wanted = [one.theirs[number] for number in one.difference.theirs]
    if verdict is Verdict.MINE:
        return False
    if verdict is Verdict.NEITHER:
        wanted = []
    if verdict is Verdict.BOTH and one.difference.kind is Disparity.BORDER and there:
        before = session.objects[there[0]].sections[one.plane].mask
        wanted = [before.joined(wanted[0]) if before is not None else wanted[0]]
    elif verdict is Verdict.BOTH:
        there = []  # they stay as they are
    edits = _edits(session, one.plane, there, wanted)
    session.edit(Kind.COMPARED, edits)
    return bool(edits)


def _edits(
    session: Session, plane: Plane, mine: list[int], wanted: list[CroppedMask]
) -> list[Edit]:
    """Return the edits that replace the sections of these objects by masks, in their order."""
    edits: list[Edit] = []
    objects, new_id = session.objects, session.labels.new_id(plane)
    for number, mask in zip_longest(mine, wanted):
        before = None if number is None else objects.unlocked(number).sections[plane]
        got = None if mask is None else _claimed(session, plane, mask, number, mine)
        if number is None and got is None:
            continue
        if number is None:
            number, new_id = new_id, new_id + 1
            edits.append(TraitsEdit(number, None, Traits(session.new_class)))
        after = None if got is None else _new_section(before, got)
        edits.append(SectionEdit(number, plane, before, after))
        if after is None and len(objects[number].sections) == 1:
            edits.append(TraitsEdit(number, objects[number].traits, None))
    return edits


def _claimed(
    session: Session, plane: Plane, mask: CroppedMask, number: int | None, mine: list[int]
) -> CroppedMask | None:
    """Return what neighbours leave of a mask; None if that is hardly anything of a new object."""
    labels = labels_under(session, plane, mask, Rule.KEEP)
    got = claim(session.objects, labels, plane, mask, Rule.KEEP, number, Others((), mine))
    if got.is_remainder and number is not None:
        raise InputError(f"{got.said()}; correct that one first. Nothing has changed")
    return None if got.is_remainder else got.mask


def _new_section(before: Section | None, mask: CroppedMask) -> Section:
    section = Section(mask, None, Origin(Source.IMPORTED), Status.ACCEPTED, None)
    return section if before is None else replace(section, prompts=before.prompts)
