"""Queue of prompts and accepts made while an accepted mask is still being predicted."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from napari_sam.session import drawing
from napari_sam.session.draft import Draft, Request
from napari_sam.session.session import Session
from napari_sam.widgets.layers.read_prompts import PlanePrompts

if TYPE_CHECKING:
    from napari_sam.widgets.annotation.annotation import Annotation

__all__ = ["Pending", "PendingRunner", "add", "bring_back"]


class Pending:
    """Queue of later prompts, kept separate so that they do not alter the object being accepted.

    Attributes
    ----------
    accepting : Request or None
        The question whose answer is accepted as soon as it comes.
    later : list of Draft or None
        What was drawn since, and None wherever that was accepted, too; oldest first.
    refused : list of (Draft, str or None)
        What could not be accepted while more was to come, and why; None if there is a question to
        it. Oldest first.
    """

    def __init__(self) -> None:
        self.accepting: Request | None = None
        self.later: list[Draft | None] = []
        self.refused: list[tuple[Draft, str | None]] = []

    def accept(self, request: Request | None) -> None:
        """Accept the prediction of this request when it arrives, or the prompts queued since."""
        if not self.holds(request):
            self.accepting = request
        elif self.later and self.later[-1] is not None:
            self.later.append(None)

    def holds(self, request: Request | None) -> bool:
        """Return whether the prediction of this request is to be accepted on arrival."""
        return request is not None and request is self.accepting

    def keep(self, draft: Draft, drawn: PlanePrompts) -> bool:
        """Queue prompts added to a draft; return False if it was edited, or nothing was added."""
        count, area = len(draft.points), drawn.area
        known = tuple(drawn.points[:count]), tuple(drawn.labels[:count])
        new = (area.box, area.mask) != (draft.box, draft.mask)
        if known != (draft.points, draft.labels) or (
            new and area.box is None and area.mask is None
        ):
            return False
        added = Draft(
            drawn.plane,
            tuple(drawn.points[count:]),
            tuple(drawn.labels[count:]),
            area.box if new else None,
            area.mask if new else None,
        )
        if added.has_prompts:
            self.later.append(added)
        return added.has_prompts

    def take_back(self) -> str:
        """Undo the last queued action; return a message, empty if there was none."""
        if self.accepting is None:
            return ""
        if self.later and self.later.pop() is not None:
            return "Your last prompt is taken back."
        if not self.later:
            self.accepting = None
        return "Your last object is not accepted yet."

    def drop_last(self) -> bool:
        """Discard the last queued object; return False if there is none."""
        if self.accepting is None or not self.later:
            return False
        if self.later[-1] is None:
            self.later.pop()
        while self.later and self.later[-1] is not None:
            self.later.pop()
        return True


def add(session: Session, new: Draft) -> None:
    """Add prompts to the session's draft."""
    before = session.draft
    area = (
        (before.box, before.mask) if new.box is None and new.mask is None else (new.box, new.mask)
    )
    drawing.draw(session, new.plane, before.points + new.points, before.labels + new.labels, *area)


def bring_back(session: Session, refused: Draft) -> None:
    """Restore a refused draft, if need be as a correction of its object."""
    if refused.object_id is not None and refused.object_id in session.objects:
        drawing.continue_object(session, refused.object_id)
    drawing.draw(session, refused.plane, refused.points, refused.labels, refused.box, refused.mask)


AGAIN = "⚠ This object could not be accepted. It is open again, with its prompts."


class PendingRunner:
    """Processes the queue; a refused draft is set aside and reopened at the end.

    Parameters
    ----------
    accept : callable
        Accepts the mask on show; returns why not, "" if it did, None if the user is asked first, or
        is to be asked when nothing more is queued.
    remark : callable
        Takes a sentence for the user.
    """

    def __init__(self, accept: Callable[[], str | None], remark: Callable[[str], object]) -> None:
        self._accept, self._remark = accept, remark
        self._busy = False

    def go_on(self, annotation: Annotation) -> None:
        """Process the queue as far as possible; reentrant calls do nothing."""
        if self._busy:
            return
        self._busy = True
        try:
            while self._one(annotation):
                pass
        finally:
            self._busy = False

    def _one(self, annotation: Annotation) -> bool:
        """Do the next thing; False if there is none, or the model or the user has to answer."""
        pending, session = annotation.pending, annotation.session
        if annotation.waiting and not annotation.asking.failed:
            return False
        if pending.accepting is not None:
            return self._accept_awaited(annotation)
        if not session.draft.is_empty:
            return False
        if pending.later:
            return self._draw_next(annotation)
        if pending.refused:
            draft, why = pending.refused.pop(0)
            if annotation.step(lambda s: bring_back(s, draft)):
                if why is None:
                    pending.accept(session.request)
                else:
                    self._remark(why or AGAIN)
        return False

    def _accept_awaited(self, annotation: Annotation) -> bool:
        pending, session = annotation.pending, annotation.session
        wanted = pending.holds(session.request)
        pending.accepting = None
        if not wanted:
            return True
        why = "" if annotation.asking.failed else self._accept()
        if session.draft.is_empty:
            return True
        return self._put_aside(annotation, why)

    def _put_aside(self, annotation: Annotation, why: str | None) -> bool:
        """Set the open draft aside if more is queued; return False if it stays open."""
        pending, draft = annotation.pending, annotation.session.draft
        if draft.is_empty or not pending.later or not annotation.step(drawing.reject):
            return False
        pending.refused.append((draft, why))
        return True

    def _draw_next(self, annotation: Annotation) -> bool:
        """Draw the next object; False if it could not be drawn, and waits."""
        later = annotation.pending.later
        while later and (one := later[0]) is not None:
            if not annotation.step(partial(add, new=one)):
                return False
            later.pop(0)
        if later:
            later.pop(0)
            annotation.pending.accepting = annotation.session.request
        return True
