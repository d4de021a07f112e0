"""Accept what was accepted before its mask was there, then do what was done since."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from napari_sam.session.session import Session
from napari_sam.widgets.annotation import Annotation
from napari_sam.widgets.haste import add, bring_back

__all__ = ["CatchingUp"]

AGAIN = "⚠ This object could not be accepted. It is open again, with its prompts."


class CatchingUp:
    """What is refused takes nothing else along: it is put aside, and open again at the end.

    Parameters
    ----------
    accept : callable
        Accepts the mask on show; returns why not, "" if it did, None if it asks the user first.
    remark : callable
        Takes a sentence for the user.
    """

    def __init__(self, accept: Callable[[], str | None], remark: Callable[[str], object]) -> None:
        self._accept, self._remark = accept, remark
        self._busy = False

    def go_on(self, annotation: Annotation) -> None:
        """Do as much as can be done now; what it does leads back here."""
        if self._busy:
            return
        self._busy = True
        try:
            while self._one(annotation):
                pass
        finally:
            self._busy = False

    def put_aside(self, annotation: Annotation, why: str = "") -> bool:
        """Go on without the open object if there is more to do; False if it stays open."""
        haste, draft = annotation.haste, annotation.session.draft
        if draft.is_empty or not haste.later or not annotation.step(Session.reject):
            return False
        haste.refused.append((draft, why))
        return True

    def _one(self, annotation: Annotation) -> bool:
        """Do the next thing; False if there is none, or the model or the user has to answer."""
        haste, session = annotation.haste, annotation.session
        if annotation.waiting and not annotation.failed:
            return False
        if haste.accepting is not None:
            return self._accept_awaited(annotation)
        if not session.draft.is_empty:
            return False
        if haste.later:
            return self._draw_next(annotation)
        if haste.refused:
            draft, why = haste.refused.pop(0)
            if annotation.step(lambda s: bring_back(s, draft)):
                self._remark(why or AGAIN)
        return False

    def _accept_awaited(self, annotation: Annotation) -> bool:
        haste, session = annotation.haste, annotation.session
        wanted = haste.holds(session.request)
        haste.accepting = None
        if not wanted:
            return True
        why = "" if annotation.failed else self._accept()
        if why is None or session.draft.is_empty:
            return True
        return self.put_aside(annotation, why)

    def _draw_next(self, annotation: Annotation) -> bool:
        """Draw the next object; False if it could not be drawn, and waits."""
        later = annotation.haste.later
        while later and (one := later[0]) is not None:
            if not annotation.step(partial(add, new=one)):
                return False
            later.pop(0)
        if later:
            later.pop(0)
            annotation.haste.accepting = annotation.session.request
        return True
