"""What is done between pressing *Accept* and the mask that it is about."""

from __future__ import annotations

from napari_sam.session.draft import Draft, Request
from napari_sam.widgets.drawn import Drawn

__all__ = ["Haste"]


class Haste:
    """Keeps it until that mask is there; else the next object's click would be one of the last's.

    Attributes
    ----------
    accepting : Request or None
        The question whose answer is accepted as soon as it comes.
    later : list of Draft or None
        What was drawn since, and None wherever that was accepted, too; oldest first.
    """

    def __init__(self) -> None:
        self.accepting: Request | None = None
        self.later: list[Draft | None] = []

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

    def forget(self) -> None:
        """Accept nothing by itself, and draw nothing later."""
        self.accepting = None
        self.later.clear()
