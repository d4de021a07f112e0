"""Objects that are clicked on in the canvas: selected, opened, or asked about."""

from __future__ import annotations

from collections.abc import Callable

from napari_sam.session import drawing
from napari_sam.session.changed import What
from napari_sam.session.edit import curation
from napari_sam.session.objects import AnnotatedObject, Status
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.annotation.pointing import Touch
from napari_sam.widgets.annotation.queries import Answer, Query
from napari_sam.widgets.common.keys import KEYS

__all__ = ["Picking"]

OBJECT = "object"


class Picking:
    """Acts on clicks on objects of one annotation.

    Parameters
    ----------
    annotation : Annotation
        Whose objects.
    select : callable
        Selects the object of this number, None for no object.
    cut : callable
        Takes up the tool that cuts.
    """

    def __init__(
        self,
        annotation: Annotation,
        select: Callable[[int | None], object],
        cut: Callable[[], object],
    ) -> None:
        self._annotation = annotation
        self._select = select
        self._cut = cut
        self._asked: int | None = None  # about which object
        annotation.pointing.touched.connect(self._touched)
        annotation.changed.connect(self._follow)

    def close(self) -> None:
        """Let go of the annotation."""
        self._annotation.pointing.touched.disconnect(self._touched)
        self._annotation.changed.disconnect(self._follow)
        self._annotation.queries.withdraw(OBJECT)

    def _touched(self, number: int, how: Touch, position: tuple[float, ...]) -> None:
        held = self._annotation.session.objects[number]
        self._annotation.remarked.emit("")
        self._select(number)
        if how is Touch.CLICK or held.locked:
            self._ask(held, position)
        elif self._open(number) and how is Touch.EXCLUDE:
            self._annotation.pointing.put(position, exclude=True)

    def _ask(self, held: AnnotatedObject, position: tuple[float, ...]) -> None:
        """Ask what is to be done with an object, or beside it."""
        annotation, number = self._annotation, held.id
        correct = Answer(
            "Correct",
            lambda: self._open(number),
            f"Open it, to click with Include and Exclude. {KEYS['open']}, or a double click",
        )
        delete = Answer(
            "Delete",
            lambda: annotation.step(lambda s: curation.delete(s, [number])),
            "Take it away; Undo brings it back",
        )
        cut = Answer("Cut", self._cut, "Draw across it, or click in each of its parts")
        unlock = Answer("Unlock", lambda: self._unlock(number, position), "Allow it to be changed")
        new = Answer(
            "New object here",
            lambda: annotation.pointing.put(position),
            "Click here as if there were no object",
        )
        self._asked = number
        answers = (unlock, new) if held.locked else (correct, cut, delete, new)
        annotation.queries.ask(Query(OBJECT, self._name(held), answers))

    def _name(self, held: AnnotatedObject) -> str:
        """Return an object's number, its class where there are several, and what is special."""
        session = self._annotation.session
        words = [f"Object {held.id}"]
        if len(session.classes) > 1:
            words.append(session.classes[held.class_id])
        section = held.sections.get(self._annotation.seen or ())
        if section is not None and section.status is not Status.ACCEPTED:
            words.append("not accepted yet")
        if held.locked:
            words.append("locked")
        return ", ".join(words)

    def _open(self, number: int) -> bool:
        seen = self._annotation.seen
        if seen is None:
            return False
        return self._annotation.step(lambda s: drawing.reopen(s, number, seen))

    def _unlock(self, number: int, position: tuple[float, ...]) -> None:
        if self._annotation.step(lambda s: curation.lock(s, [number], False)):
            self._ask(self._annotation.session.objects[number], position)

    def _follow(self, what: What) -> None:
        """Take the question back when it is of no use any more."""
        annotation, number = self._annotation, self._asked
        if number is None:
            return
        held = annotation.session.objects.get(number)
        there = held is not None and annotation.seen in held.sections
        if there and annotation.session.draft.is_empty and annotation.selected == number:
            return
        self._asked = None
        annotation.queries.withdraw(OBJECT)
        if annotation.session.draft.has_prompts and annotation.session.draft.object_id is None:
            self._select(None)  # what is said is about the new one then
