"""What to do next, in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_sam.session.target import Plane
from napari_sam.widgets.keys import KEYS
from napari_sam.widgets.prompt_layers import Tool

if TYPE_CHECKING:
    from napari_sam.widgets.annotation import Annotation

__all__ = ["NO_PICTURE", "next_step"]

NO_PICTURE = (
    "Open a picture: drag a file into the window, or take one from File > Open Sample > napari-sam."
)
START = {
    Tool.INCLUDE: "Click on an object.",
    Tool.EXCLUDE: "Start with Include or a box: Exclude only takes away from a mask.",
    Tool.BOX: "Press, drag and release to draw a box around an object.",
}


def next_step(annotation: Annotation) -> str:
    """Return the next thing to do."""
    session, seen = annotation.session, annotation.seen
    draft, accept, reject = session.draft, KEYS["accept"], KEYS["reject"]
    if not annotation.flat:
        return "The 3D view takes no prompts: go back to 2D with the button below the layer list."
    if seen is None:
        again = "This view does not show a slice of the picture: move the sliders back to it"
        turned = annotation.picture.channel_axis is not None
        return f"{again}{', the channels on one of them' if turned else ''}."
    if draft.plane not in ((), seen):
        return (
            f"Your object is on {name_of(draft.plane)}: go back there, "
            f"accept it ({accept}) or reject it ({reject})."
        )
    if draft.is_empty:
        return START[annotation.tool]
    if not draft.points_somewhere:
        return (
            "Click on the object with Include, or draw a box: Exclude only takes away from a mask."
        )
    if annotation.failed:
        return "Your prompts are kept. Change one, or choose another model, to try again."
    if session.mask is None and not annotation.has_model:
        return "Press Download to fetch the chosen model, or choose one that is here already."
    if session.mask is None:
        return "One moment…"
    if not session.mask.any():
        return f"Nothing found here. Add a point or a box, or start again ({reject})."
    if session.prediction is not None and len(session.prediction.masks) > 1:
        return (
            f"{accept} accepts this mask, {KEYS['cycle']} shows another. "
            "Or correct it: click with Include or Exclude."
        )
    return f"{accept} accepts this mask. Or correct it: click with Include or Exclude."


def name_of(plane: Plane) -> str:
    """Return a plane's name for people.

    Examples
    --------
    >>> name_of((12, None, None))
    'slice 12'
    >>> name_of((3, 12, None, None))
    'slice 3, 12'
    """
    return "slice " + ", ".join(str(at) for at in plane if at is not None)
