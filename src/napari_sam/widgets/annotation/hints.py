"""Status messages that tell the user what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_sam.planes import Plane
from napari_sam.session.objects import Status
from napari_sam.widgets.annotation.queries import REMAINDER
from napari_sam.widgets.common.keys import KEYS
from napari_sam.widgets.layers.prompt_layers import STROKES, Tool

if TYPE_CHECKING:
    from napari_sam.widgets.annotation.annotation import Annotation
    from napari_sam.widgets.layers.image_stack import ImageStack

__all__ = [
    "CHANNELS",
    "NO_PICTURE",
    "gone",
    "next_step",
    "not_taken",
    "place_of",
    "word_of",
]

NO_PICTURE = "Open a picture: drag a file into the window, or begin with a sample below."
CHANNELS = "look at what is said of its channels under Options."
START = {
    Tool.INCLUDE: "Click on an object.",
    Tool.EXCLUDE: "Start with Include or a box: Exclude only takes away from a mask.",
    Tool.BOX: "Press, drag and release to draw a box around an object.",
    Tool.OUTLINE: "Press and draw around an object; roughly is enough.",
    Tool.ELLIPSE: "Press, drag and release to lay an ellipse over an object.",
    Tool.SCRIBBLE: "Press and draw a line on an object.",
    Tool.SCRIBBLE_OUT: "Start with a scribble on an object: this one only takes away from a mask.",
    Tool.BOXES: "Draw a box around every object; each becomes an object of its own.",
    Tool.CUT: "Draw a line across an object to cut it, or click in each of its parts.",
    Tool.JOIN: "Draw a line from one object into another one; they become one.",
}


def gone() -> str:
    """Return the message that the drawn object's slice is not there any more."""
    return (
        "The object being drawn is on a slice that the picture does not have any more. "
        f"{KEYS['reject']} lets go of it."
    )


def not_taken(annotation: Annotation) -> str:
    """Return the message why the last prompt was discarded."""
    if annotation.hidden:
        return "Not taken: the panel is hidden. Show it to go on drawing."
    plane = annotation.session.draft.plane
    if plane and not annotation.picture.fits(plane, None):
        return f"⚠ {gone()}"
    if annotation.flat and annotation.seen is not None:
        return "Not taken: what was drawn lies on another slice."
    return "Not taken: prompts need a slice of the picture in the 2D view."


def next_step(annotation: Annotation) -> str:
    """Return the message for the next user action."""
    session, seen = annotation.session, annotation.seen
    draft, accept, reject = session.draft, KEYS["accept"], KEYS["reject"]
    if draft.plane and not annotation.picture.fits(draft.plane, None):
        return f"{reject} lets go of the object whose slice is gone; then click on another."
    if not annotation.flat:
        return "The 3D view takes no prompts: go back to 2D with the button below the layer list."
    if seen is None:
        again = "This view does not show a slice of the picture: move the sliders back to it"
        turned = annotation.picture.channel_axis is not None
        return f"{again}{', the channels on one of them' if turned else ''}."
    if not annotation.own_layers.prompts.lit.on:
        return f"Clicks go to a tool of napari's: {KEYS['polarity']} brings them back to objects."
    if draft.plane not in ((), seen):
        return (
            f"Your object is {place_of(draft.plane, annotation.picture)}: go back there, "
            f"accept it ({accept}) or reject it ({reject})."
        )
    if annotation.edit is not None:
        return f"Nothing is written yet: {accept} writes it, {reject} leaves all as it is."
    if draft.is_empty and annotation.asking.boxes.busy:
        return "One moment…"
    if draft.is_empty and (ids := annotation.proposed):
        what = f"{len(ids)} new objects wait" if len(ids) > 1 else f"Object {ids[0]} waits"
        return f"{what}: {accept} accepts all on this slice, {KEYS['undo']} takes the last back."
    if draft.is_empty:
        strokes = annotation.tool in STROKES
        selected = "" if strokes else _look_at_selected(annotation, seen)
        return selected or START[annotation.tool]
    if draft.object_id is not None and not draft.has_prompts and not draft.shows_held:
        return (
            f"Object {draft.object_id} goes on: click on it or draw a box. "
            f"{reject} leaves it as it is."
        )
    if not draft.points_somewhere:
        return (
            "Click on the object with Include, or draw a box: Exclude only takes away from a mask."
        )
    if annotation.asking.failed:
        return "Your prompts are kept. Change one, or choose another model, to try again."
    if session.mask is None and annotation.model is None:
        return "Press Download under Options to fetch the model, or choose one that is here."
    if session.mask is None:
        return "One moment…"
    if not session.mask.any():
        return f"Nothing found here. Add a point or a box, or start again ({reject})."
    query = annotation.queries.current
    if query is not None and query.kind == REMAINDER:
        return f"Nothing is written yet: choose above, or throw this mask away ({reject})."
    if draft.shows_held:
        return (
            f"Object {draft.object_id} is open: correct it with Include or Exclude, then {accept}. "
            f"{reject} leaves it as it was."
        )
    if session.prediction is not None and len(session.prediction.masks) > 1:
        return (
            f"{accept} accepts this mask, {KEYS['cycle']} shows another. "
            "Or correct it: click with Include or Exclude."
        )
    return f"{accept} accepts this mask. Or correct it: click with Include or Exclude."


def _look_at_selected(annotation: Annotation, seen: Plane) -> str:
    """Return what to do with the object that is selected in the list; empty if none is."""
    number = annotation.selected
    held = None if number is None else annotation.session.objects.get(number)
    if held is None:
        return ""
    next_unsure, again = KEYS["next_unsure"], KEYS["open"]
    section = held.sections.get(seen)
    if section is None:
        return (
            f"Object {number} is not on this slice: {KEYS['continue']} draws it here, "
            f"{next_unsure} goes to the next unsure one."
        )
    if section.mask is None:
        return (
            f"Object {number} was not found on this slice. {KEYS['accept_slice']} if it is not "
            f"here, {KEYS['continue']} to draw it."
        )
    if held.locked:
        return f"Object {number} is locked: {KEYS['lock']} unlocks it."
    if section.status is Status.ACCEPTED:
        return (
            f"Object {number} is accepted here: {again} opens it again, {next_unsure} goes to the "
            "next unsure one. Or click on a new object."
        )
    return (
        f"Is object {number} right here? {KEYS['accept_slice']} accepts this slice, "
        f"{KEYS['unclear']} marks it unclear, {again} opens it to correct it."
    )


def word_of(picture: ImageStack, axis: int) -> str:
    """Return what a step along an axis is called: a frame in time, else a slice."""
    return picture.axes.word_of(axis)


def place_of(plane: Plane, picture: ImageStack) -> str:
    """Return where a plane is, to go on a sentence: "on slice 12", "in frame 12"."""
    name = picture.axes.name_of(plane)
    return f"{'in' if name.startswith('frame') else 'on'} {name}"
