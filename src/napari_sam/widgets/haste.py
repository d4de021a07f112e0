"""What is done between pressing *Accept* and the mask that it is about."""

from __future__ import annotations

from napari_sam.session.draft import Draft, Request
from napari_sam.session.session import Session
from napari_sam.widgets.drawn import Drawn

__all__ = ["Haste", "add", "bring_back"]


class Haste:
    """Keeps it until that mask is there; else the next object's click would be one of the last's.

    Attributes
    ----------
    accepting : Request or None
        The question whose answer is accepted as soon as it comes.
    later : list of Draft or None
        What was drawn since, and None wherever that was accepted, too; oldest first.
    refused : list of (Draft, str)
        What could not be accepted while more was to come, and why; oldest first.
    """

    def __init__(self) -> None:
        self.accepting: Request | None = None
        self.later: list[Draft | None] = []
        self.refused: list[tuple[Draft, str]] = []

    def accept(self, request: Request | None) -> None:
        """Accept the answer to this question when it comes, or what was drawn since."""
        if not self.holds(request):
            self.accepting = request
        elif self.later and self.later[-1] is not None:
            self.later.append(None)

    def holds(self, request: Request | None) -> bool:
        """Tell whether the answer to this question is accepted already."""
        return request is not None and request is self.accepting

    def keep(self, draft: Draft, drawn: Drawn) -> bool:
        """Keep what was added to a draft; False if it was corrected, or nothing was added."""
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
        """Take the last thing back that was done meanwhile; say what, empty if there is nothing."""
        if self.accepting is None:
            return ""
        if self.later and self.later.pop() is not None:
            return "Your last prompt is taken back."
        if not self.later:
            self.accepting = None
        return "Your last object is not accepted yet."

    def drop_last(self) -> bool:
        """Throw the last object away that was drawn meanwhile; False if there is none."""
        if self.accepting is None or not self.later:
            return False
        if self.later[-1] is None:
            self.later.pop()
        while self.later and self.later[-1] is not None:
            self.later.pop()
        return True


def add(session: Session, new: Draft) -> None:
    """Draw more."""
    before = session.draft
    area = (
        (before.box, before.mask) if new.box is None and new.mask is None else (new.box, new.mask)
    )
    session.draw(new.plane, before.points + new.points, before.labels + new.labels, *area)


def bring_back(session: Session, refused: Draft) -> None:
    """Draw again what was refused, of an object that was open as its correction."""
    if refused.object_id is not None and refused.object_id in session.objects:
        session.continue_object(refused.object_id)
    session.draw(refused.plane, refused.points, refused.labels, refused.box, refused.mask)
