"""The question about a mask that meets other objects: correct them, replace them, or the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from napari_sam.session import drawing
from napari_sam.session.directions.prompts import points_across
from napari_sam.session.edit import curation
from napari_sam.session.overlap import Claim, Rule
from napari_sam.session.session import Session
from napari_sam.widgets.annotation.queries import REMAINDER, Answer, Query
from napari_sam.widgets.common.keys import KEYS
from napari_sam.widgets.common.wording import count

if TYPE_CHECKING:
    from napari_sam.session.directions.agreement import Disagreement
    from napari_sam.session.drawing import Accepted
    from napari_sam.widgets.annotation.annotation import Annotation

__all__ = ["accepted", "across_query", "overlap_query"]

THIN = "What is left is thinner than three pixels."


def overlap_query(
    annotation: Annotation,
    claim: Claim,
    write: Callable[[Rule], object],
    again: Callable[[], object],
) -> Query:
    """Return the question whose the pixels of the shown mask are.

    Parameters
    ----------
    annotation : Annotation
        Whose draft it is.
    claim : Claim
        What the mask would get if others keep what they have.
    write : callable
        Writes the mask under a rule; under `Rule.KEEP` what is left of it.
    again : callable
        Accepts the mask anew, or asks again.
    """
    session = annotation.session
    locked = [number for number in claim.met if _is_locked(session, number)]
    said = [f"{claim.said()}."]
    if locked:
        said.append(f"Object {locked[0]} is locked." if len(locked) == 1 else "Some are locked.")
    if not claim.pixels and claim.thin:
        said.append(THIN)
    answers = _keep(claim, write)
    others = [*_correct(annotation, claim), *_replace(session, claim, write)]
    safest_first = [*others, *answers] if claim.is_remainder else [*answers, *others]
    if locked:
        safest_first.append(_unlock(annotation, locked, again))
    return Query(REMAINDER, " ".join(said), tuple(safest_first))


def across_query(
    annotation: Annotation, differs: Disagreement, write: Callable[[Rule], object]
) -> Query:
    """Return the question whether a mask or what was accepted on side slices holds.

    Parameters
    ----------
    annotation : Annotation
        Whose draft it is.
    differs : Disagreement
        By how much the two differ.
    write : callable
        Accepts the mask; under `Rule.KEEP` with what was accepted.
    """
    lost, gained = count(differs.lost, "pixel"), count(differs.gained, "pixel")
    said = []
    if differs.lost:
        said.append(f"lose {lost} accepted as its own on side slices")
    if differs.gained:
        said.append(f"get {gained} that are not its own there")
    text = f"On this slice object {annotation.session.draft.object_id} would {' and '.join(said)}."
    keep = Answer(
        "Keep them",
        lambda: write(Rule.KEEP),
        "Where the slices cross, what was accepted stays; elsewhere the new mask is taken",
    )
    take = Answer(
        "Take the new mask",
        lambda: write(Rule.REPLACE),
        "Where the slices cross, the side slices get the pixels of this mask",
    )
    return Query(REMAINDER, text, (keep, take))


def accepted(done: Accepted) -> str:
    """Return what became of an accepted mask and of those that it met, as text."""
    said = [f"Object {done.object_id} is in the labels: {done.pixels:,} pixels."]
    for number, left in done.left.items():
        said.append(
            f"Object {number} keeps {count(left, 'pixel')}."
            if left
            else f"Nothing is left of object {number} here; {KEYS['undo']} brings it back."
        )
    if done.thin:
        said.append(f"{count(done.thin, 'pixel')} beside others left out: too thin.")
    return " ".join(said)


def _keep(claim: Claim, write: Callable[[Rule], object]) -> list[Answer]:
    if not claim.pixels:
        return []
    text = f"Keep the rest: {count(claim.pixels, 'pixel')}"
    tip = "Write what no other object has; the others stay as they are"
    return [Answer(text, lambda: write(Rule.KEEP), tip)]


def _replace(session: Session, claim: Claim, write: Callable[[Rule], object]) -> list[Answer]:
    """Return the answer to take the pixels from the others, if they are not locked."""
    replaced = drawing.claimed(session, Rule.REPLACE)
    if replaced is None or replaced.is_remainder or replaced.pixels <= claim.pixels:
        return []
    several = len(set(claim.met) - set(replaced.met)) > 1
    text = "Replace them there" if several else "Replace it there"
    tip = "The new mask gets these pixels; what is around it stays as it is"
    return [Answer(text, lambda: write(Rule.REPLACE), tip)]


def _correct(annotation: Annotation, claim: Claim) -> list[Answer]:
    """Return the answer to open the object that has most of the mask, if it is not locked."""
    session = annotation.session
    plane = session.draft.plane
    number = max(claim.met, key=lambda one: (claim.met[one], -one))
    known = session.objects.section(number, plane) is not None
    if _is_locked(session, number) or (session.semantic and not known):
        return []
    stays = session.draft.object_id
    tip = f"Open object {number}; your prompts are added to those that it has"
    if stays is not None:
        tip = f"Open object {number}; object {stays} stays as it was"
    text = f"Correct object {number}"
    if not known and _is_beside(session, number):
        text, tip = f"Add it to object {number}", "It has no mask on this slice so far"
    return [Answer(text, lambda: annotation.step(lambda s: drawing.correct(s, number)), tip)]


def _is_beside(session: Session, number: int) -> bool:
    """Return whether an object is known on a slice only where side slices cross it."""
    held = session.objects.get(number)
    return held is not None and bool(points_across(held, session.draft.plane))


def _unlock(annotation: Annotation, locked: list[int], again: Callable[[], object]) -> Answer:
    """Return the answer to allow changes of the objects that are in the way."""

    def unlock() -> None:
        if annotation.step(lambda s: curation.lock(s, locked, False)):
            again()

    return Answer("Unlock it" if len(locked) == 1 else "Unlock them", unlock, "Then choose again")


def _is_locked(session: Session, number: int) -> bool:
    held = session.objects.get(number)
    return held is not None and held.locked
