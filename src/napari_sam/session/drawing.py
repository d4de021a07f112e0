"""Interactive segmentation of one object at a time: set prompts, choose a mask, accept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_sam.errors import InputError
from napari_sam.masks import CroppedMask
from napari_sam.planes import Plane
from napari_sam.session.adopt import check_axes, labels_under
from napari_sam.session.changes import Kind, SectionEdit, TraitsEdit, kind_of_prompts
from napari_sam.session.draft import Draft
from napari_sam.session.objects import Origin, Section, Source, Status, Traits
from napari_sam.session.overlap import Rule, claim, take_away
from napari_sam.session.records import Undone
from napari_sam.session.session import Session

__all__ = [
    "Accepted",
    "accept",
    "choose",
    "continue_object",
    "cycle",
    "draw",
    "overlap",
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
    """

    object_id: int
    plane: Plane
    pixels: int


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


def overlap(session: Session) -> dict[int, int]:
    """Return {object id: shared pixels} for the objects that the shown mask overlaps."""
    mask = None if session.mask is None else CroppedMask.of(session.mask)
    labels = None if mask is None else session.labels.read(session.draft.plane)
    if mask is None or labels is None:
        return {}
    plane, own = session.draft.plane, session.draft.object_id
    return claim(session.objects, labels, plane, mask, Rule.KEEP, own).met


def accept(session: Session, rule: Rule = Rule.KEEP) -> Accepted:
    """Write the shown mask as a new object, or as the open object's section in this plane.

    Nothing changes outside the new mask and the one that it replaces. When this returns, the
    object is in the log.

    Raises
    ------
    InputError
        If there is no mask or no target, if an id does not fit the labels' dtype, if the open
        object is locked, or if the rule leaves no pixel to write; the draft stays as it is.
    SessionError
        If it cannot be saved; the draft stays as it is.
    """
    if session.mask is None:
        raise InputError("there is no mask to accept; click on an object first")
    if session.labels.target is None:
        raise InputError("there is no Labels layer to write to; choose one")
    draft, objects, wanted = session.draft, session.objects, CroppedMask.of(session.mask)
    plane, number = draft.plane, draft.object_id
    if wanted is None:
        raise InputError("the mask is empty; add a point or a box on the object")
    if number is not None and number in objects:
        objects.unlocked(number)
    check_axes(session, plane)
    labels = labels_under(session, plane, wanted, rule)
    got = claim(objects, labels, plane, wanted, rule, number)
    if got.mask is None:
        others = ", ".join(map(str, got.met))
        raise InputError(
            f"every pixel of this mask already belongs to object {others}; "
            "choose to replace existing objects, or reject the mask"
        )
    before = objects.section(number, plane)
    after = Section(
        got.mask, session.score, Origin(Source.PROMPTED), Status.ACCEPTED, draft.record()
    )
    if draft.shows_held and before is not None:
        after = replace(before, mask=got.mask, status=Status.ACCEPTED)
    edits = take_away(objects, plane, got.mask.crop(), got.mask.box, got.losers)
    number = session.labels.new_id(plane) if number is None else number
    if number not in objects:
        edits.append(TraitsEdit(number, None, Traits(session.new_class)))
    edits.append(SectionEdit(number, plane, before, after))
    session.do(Kind.ACCEPTED, edits, Draft())
    return Accepted(number, plane, got.mask.area)


def reject(session: Session) -> None:
    """Discard the draft; an open object stays as it was."""
    if not session.draft.is_empty:
        session.do(Kind.REJECTED, (), Draft())


def reopen(session: Session, object_id: int, plane: Plane) -> None:
    """Reopen an object in a plane: its prompts become the draft, and its mask is shown.

    Raises
    ------
    InputError
        If the object is unknown or locked, or has nothing in this plane.
    """
    section = session.objects.unlocked(object_id).sections.get(plane)
    if section is None:
        raise InputError(f"object {object_id} has nothing on this slice; continue it instead")
    prompts = section.prompts or Draft(plane)
    session.do(Kind.REOPENED, (), replace(prompts, object_id=object_id, held=section.mask))


def continue_object(session: Session, object_id: int) -> None:
    """Start a new draft for an existing object, in whatever plane the prompts will lie.

    Raises
    ------
    InputError
        If the object is unknown or locked.
    """
    session.objects.unlocked(object_id)
    session.do(Kind.REOPENED, (), Draft(object_id=object_id))


def _shown(session: Session, draft: Draft) -> NDArray[np.float32] | NDArray[np.bool_] | None:
    """Return what added prompts refine: the answer on show, else the open object's mask."""
    if session.prediction is not None:
        shown: NDArray[np.float32] = session.prediction.logits[session.choice]
        return shown
    if draft.held is not None and draft.shows_held:
        return draft.held.full()
    return draft.seed
