"""Interactive segmentation of one object at a time: set prompts, choose a mask, accept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from napari_sam.errors import InputError
from napari_sam.masks import CroppedMask, PlaneMask
from napari_sam.planes import Plane
from napari_sam.session.adopt import adopt, labels_under
from napari_sam.session.changes import Kind, SectionEdit, TraitsEdit, kind_of_prompts
from napari_sam.session.directions.agreement import Disagreement, disagreement, fitted
from napari_sam.session.directions.prompts import points_across
from napari_sam.session.draft import Draft
from napari_sam.session.objects import Origin, Section, Source, Status, Traits
from napari_sam.session.overlap import Claim, Rule, claim, left_to, take_away
from napari_sam.session.records import Undone
from napari_sam.session.session import Session

__all__ = [
    "Accepted",
    "accept",
    "choose",
    "claimed",
    "continue_object",
    "correct",
    "cycle",
    "disagreed",
    "draw",
    "reject",
    "reopen",
]


@dataclass(frozen=True)
class Accepted:
    """Result of `accept`: an object in the labels, and on disk if the session has a log.

    Parameters
    ----------
    object_id : int
        Which.
    plane : Plane
        Where.
    pixels : int
        How many pixels it has there.
    thin : int
        Pixels left out because an overlap has left too thin a rest there.
    left : mapping of int to int
        Objects that had to give pixels away, and how many they keep there.
    """

    object_id: int
    plane: Plane
    pixels: int
    thin: int = 0
    left: Mapping[int, int] = field(default_factory=dict)


def draw(
    session: Session,
    plane: Plane,
    points: Sequence[tuple[float, float]] = (),
    labels: Sequence[int] = (),
    box: tuple[float, float, float, float] | None = None,
    mask: CroppedMask | None = None,
) -> bool:
    """Set all prompts of the draft; return False if they are unchanged.

    Parameters
    ----------
    plane : Plane
        Where they lie.
    points : sequence of (row, column)
        Clicked positions in pixels.
    labels : sequence of int
        1 for foreground, 0 for background.
    box : (y0, x0, y1, x1), optional
        The box.
    mask : CroppedMask, optional
        A rough mask to refine.

    Raises
    ------
    InputError
        If an object is being drawn in another plane.
    """
    before = start = session.draft
    drawn = Draft(
        plane,
        tuple((float(row), float(column)) for row, column in points),
        tuple(int(label) for label in labels),
        None if box is None else (float(box[0]), float(box[1]), float(box[2]), float(box[3])),
        mask,
    )
    if drawn.has_prompts and before.plane not in ((), plane):
        raise InputError(
            "the object being drawn is on another slice; accept or reject it there first"
        )
    if before.object_id is None:
        drawn = drawn if drawn.has_prompts else Draft()
    else:
        held = before.held
        if not before.plane:
            section = session.objects.section(before.object_id, plane)
            held = None if section is None else section.mask
        start = replace(before, plane=plane, held=held)
        drawn = replace(drawn, object_id=before.object_id, held=held, touched=True)
        if not drawn.has_prompts:  # its own mask is on show again, if it has one here
            drawn = replace(drawn, plane=() if held is None else plane, touched=False)
    if drawn.drawing == before.drawing:
        return False
    if drawn.grew_from(start):
        drawn = replace(drawn, seed=_shown(session, start))
    session.do(kind_of_prompts(before, drawn), (), drawn)
    return True


def choose(session: Session, choice: int) -> None:
    """Show another mask candidate; choosing again replaces the last choice as one undo step."""
    if session.prediction is None or choice == session.draft.choice:
        return
    chosen = replace(session.draft, choice=choice)
    if session.can_undo and session.history.done[-1].kind is Kind.CHOSEN:
        session.commit(Undone(session.history.done[-1].number), quiet=True)
    session.do(Kind.CHOSEN, (), chosen)


def cycle(session: Session) -> None:
    """Show the next mask candidate, and after the last one the first."""
    if session.prediction is not None:
        choose(session, (session.choice + 1) % len(session.prediction.masks))


def disagreed(session: Session) -> Disagreement:
    """Return by how much the shown mask differs from what was accepted on slices across its own."""
    draft, shown = session.draft, session.mask
    mask = None if shown is None else CroppedMask.of(shown)
    return disagreement(session.objects, draft.object_id, draft.plane, mask)


def claimed(session: Session, rule: Rule = Rule.KEEP, across: Rule = Rule.KEEP) -> Claim | None:
    """Return what the shown mask would get under an overlap rule; None if none is shown.

    `across`: see `accept`.
    """
    plane, own = session.draft.plane, session.draft.object_id
    mask = _wanted(session, across)
    if mask is None:
        return None
    return claim(session.objects, session.labels.read(plane), plane, mask, rule, own)


def accept(
    session: Session, rule: Rule = Rule.KEEP, rest: bool = False, across: Rule = Rule.KEEP
) -> Accepted:
    """Write the shown mask as a new object, or as the open object's section in this plane.

    Nothing changes outside the new mask and the one that it replaces, but that objects of which
    only slivers would be left are gone. When this returns, the object is in the log.

    Parameters
    ----------
    rule : Rule
        Who keeps the pixels of others.
    rest : bool
        Write what is left of the mask even if that is under half of it.
    across : Rule
        Whether what was accepted of the same object on slices across this one is kept where they
        cross, or replaced by the mask.

    Raises
    ------
    InputError
        If there is no mask or no target, if an id does not fit the labels' dtype, if the open
        object is locked, or if the rule leaves no pixel to write, or under half of the mask; the
        draft stays as it is.
    SessionError
        If it cannot be saved; the draft stays as it is.
    """
    if session.mask is None:
        raise InputError("there is no mask to accept; click on an object first")
    if session.labels.target is None:
        raise InputError("there is no Labels layer to write to; choose one")
    draft, objects, wanted = session.draft, session.objects, _wanted(session, across)
    plane, number = draft.plane, draft.object_id
    if wanted is None:
        raise InputError("the mask is empty; add a point or a box on the object")
    if number is not None and number in objects:
        objects.unlocked(number)
    labels = labels_under(session, plane, wanted, rule)
    got = claim(objects, labels, plane, wanted, rule, number)
    if got.mask is None or (got.is_remainder and not rest):
        raise InputError(
            f"{got.said()}; choose to replace existing objects, correct the one that is there, or "
            "reject the mask"
        )
    before = objects.section(number, plane)
    after = Section(
        got.mask, session.score, Origin(Source.PROMPTED), Status.ACCEPTED, draft.record()
    )
    if draft.shows_held and before is not None:
        after = replace(before, mask=got.mask, status=Status.ACCEPTED)
    losing = take_away(objects, plane, got.mask.crop(), got.mask.box, got.losers, slivers=True)
    edits = [*losing]
    number = session.labels.new_id(plane) if number is None else number
    if number not in objects:
        edits.append(TraitsEdit(number, None, Traits(session.new_class)))
    edits.append(SectionEdit(number, plane, before, after))
    session.do(Kind.ACCEPTED, edits, Draft())
    return Accepted(number, plane, got.pixels, got.thin, left_to(losing, plane))


def reject(session: Session) -> None:
    """Discard the draft; an open object stays as it was."""
    if not session.draft.is_empty:
        session.do(Kind.REJECTED, (), Draft())


def reopen(session: Session, object_id: int, plane: Plane) -> None:
    """Reopen an object in a plane: its prompts become the draft, and its mask is shown.

    Where only its sections in planes across this one have pixels of it, points on these ask for a
    mask.

    Raises
    ------
    InputError
        If the object is unknown or locked, or has nothing in this plane.
    """
    held = session.objects.unlocked(object_id)
    section = held.sections.get(plane)
    if section is None and (points := tuple(points_across(held, plane))):
        labels = (1,) * len(points)
        draft = Draft(plane, points, labels, object_id=object_id, touched=True)
        session.do(Kind.REOPENED, (), draft)
        return
    if section is None:
        raise InputError(f"object {object_id} has nothing on this slice; continue it instead")
    prompts = section.prompts or Draft(plane)
    session.do(Kind.REOPENED, (), replace(prompts, object_id=object_id, held=section.mask))


def correct(session: Session, object_id: int) -> None:
    """Open the object that the shown mask lies on, in place of the draft, as one step.

    A label that is no object yet becomes one. The prompts of a new object are added to those that
    the object has, and refine its mask; where it has none, they stay what they are. Those that
    correct another object are not: that one stays as it was.

    Raises
    ------
    InputError
        If the object is unknown or locked, or has nothing in the plane of the draft.
    """
    new = session.draft
    if not session.semantic and session.objects.section(object_id, new.plane) is None:
        adopt(session, new.plane, [object_id], near=new.place)
    held = session.objects.unlocked(object_id)
    section = held.sections.get(new.plane)
    if section is None and new.object_id is None and points_across(held, new.plane):
        session.do(Kind.REOPENED, (), replace(new, object_id=object_id, touched=True))
        return
    if section is None or section.mask is None or new.object_id is not None:
        reopen(session, object_id, new.plane)
        return
    known = section.prompts or Draft(new.plane)
    area = known if new.box is None and new.mask is None else new
    grown = Draft(
        new.plane,
        known.points + new.points,
        known.labels + new.labels,
        area.box,
        area.mask,
        seed=section.mask.plane(),
        object_id=object_id,
        held=section.mask,
        touched=True,
    )
    session.do(Kind.REOPENED, (), grown)


def continue_object(session: Session, object_id: int) -> None:
    """Start a new draft for an existing object, in whatever plane the prompts will lie.

    Raises
    ------
    InputError
        If the object is unknown or locked.
    """
    session.objects.unlocked(object_id)
    session.do(Kind.REOPENED, (), Draft(object_id=object_id))


def _wanted(session: Session, across: Rule) -> CroppedMask | None:
    """Return the shown mask as it is to be written."""
    mask = None if session.mask is None else CroppedMask.of(session.mask)
    if across is Rule.REPLACE:
        return mask
    return fitted(session.objects, session.draft.object_id, session.draft.plane, mask)


def _shown(session: Session, draft: Draft) -> NDArray[np.float32] | PlaneMask | None:
    """Return what added prompts refine: the answer on show, else the open object's mask."""
    if session.prediction is not None:
        return session.prediction.seed(session.choice)
    if draft.held is not None and draft.shows_held:
        return draft.held.plane()
    return draft.seed
