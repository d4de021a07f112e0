"""Undo and redo with a message and a move of the view to the change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from napari_sam.planes import Plane
from napari_sam.session.objects import AnnotatedObject, Section
from napari_sam.session.session import Session
from napari_sam.widgets.annotation.hints import place_of
from napari_sam.widgets.layers.navigate import go_to

if TYPE_CHECKING:
    from napari_sam.widgets.annotation.annotation import Annotation

__all__ = ["undo_or_redo"]

ObjectPlane = tuple[int, Plane]
FEW = 3  # objects that are named
NO_PLACE = "The picture does not have this slice any more."
LABELS_STAY = "The labels stay as they are, and are no objects of the list any more: {:,}."
TAKEN_UP = "They are objects of the list again: {:,}."
NOTHING = "Nothing is changed by it: the labels there are others now."


def undo_or_redo(annotation: Annotation, again: bool = False) -> None:
    """Undo (or redo, if `again`) a session step, report the changes, and move the view there."""
    session = annotation.session
    changes = session.history.undone if again else session.history.done
    if not changes:
        return
    change, drawn, scheme = changes[-1], session.draft, session.scheme
    touched = {edit.object_id for edit in change.edits}
    before = _held(session.objects, touched)
    if not annotation.step(Session.redo if again else Session.undo):
        return
    found = _differences(before, _held(session.objects, touched), again)
    said = " ".join(_sentence(annotation, what, places) for what, places in found.items())
    if found and not change.kind.paints:
        count = len({number for places in found.values() for number, _ in places})
        said = (TAKEN_UP if again else LABELS_STAY).format(count)
    where = {place: section for places in found.values() for place, section in places.items()}
    if not found and session.scheme != scheme:
        said = f"The classes are {'changed again' if again else 'as before'}."
    elif not found and session.draft != drawn:
        plane = session.draft.plane or drawn.plane
        where = {(0, plane): None}
        said = (
            ""
            if plane in ((), annotation.seen)
            else f"This was drawn {place_of(plane, annotation.picture)}."
        )
    elif not found and change.edits:
        said = NOTHING
    annotation.remarked.emit(said if _show(annotation, where) else f"{said} {NO_PLACE}")


def _held(
    objects: Mapping[int, AnnotatedObject], numbers: Iterable[int]
) -> dict[int, AnnotatedObject]:
    return {number: objects[number] for number in numbers if number in objects}


def _differences(
    before: Mapping[int, AnnotatedObject],
    after: Mapping[int, AnnotatedObject],
    again: bool,
) -> dict[str, dict[ObjectPlane, Section | None]]:
    """Return what became of which objects where, with what shows it best."""
    found: dict[str, dict[ObjectPlane, Section | None]] = {}
    changed = "changed again" if again else "as before"
    for number in sorted(before.keys() | after.keys()):  # thousands
        old, new = before.get(number), after.get(number)
        if old is new:
            continue
        was = {} if old is None else old.sections
        now = {} if new is None else new.sections
        traits = old is not None and new is not None and old.traits != new.traits
        for plane, section in {**was, **now}.items():
            what = "gone again" if plane not in now else changed if plane in was else "there again"
            if what != changed or traits or was[plane] is not section:
                found.setdefault(what, {})[number, plane] = section
    return found


def _sentence(annotation: Annotation, what: str, places: Iterable[ObjectPlane]) -> str:
    numbers = sorted({number for number, _ in places})
    planes = sorted({plane for _, plane in places}, key=str)
    names = ", ".join(map(str, numbers[:FEW]))
    who = f"Object {names} is" if len(numbers) == 1 else f"Objects {names} are"
    if len(numbers) > FEW:
        who = f"{len(numbers)} objects are"
    word = annotation.picture.axis_word
    where = f" {'in' if word == 'frame' else 'on'} {len(planes)} {word}s"
    if len(planes) == 1:
        there = any(at is not None for at in planes[0])
        where = f" {place_of(planes[0], annotation.picture)}" if there else ""
    return f"{who} {what}{where}."


def _show(annotation: Annotation, masks: Mapping[ObjectPlane, Section | None]) -> bool:
    """Go to where something changed, unless a slice of it is in view; False if it has none now."""
    seen = annotation.seen
    changed = {plane for _, plane in masks}
    planes = {plane for plane in changed if annotation.picture.fits(plane, None)}
    if not planes:
        return not any(changed)
    plane = seen if seen in planes else min(planes, key=lambda one: _distance(one, seen))
    sections = [section for (_, where), section in masks.items() if where == plane]
    only = sections[0] if len(sections) == 1 else None
    go_to(annotation.viewer, annotation.picture, plane, None if only is None else only.mask)
    return True


def _distance(plane: Plane, seen: Plane | None) -> tuple[bool, int]:
    if seen is None or len(seen) != len(plane):
        return True, 0
    turned = any((a is None) != (b is None) for a, b in zip(plane, seen, strict=True))
    return turned, sum(abs((a or 0) - (b or 0)) for a, b in zip(plane, seen, strict=True))
