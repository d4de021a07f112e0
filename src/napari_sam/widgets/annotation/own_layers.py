"""The helper layers of an annotation: prompt layers and mask preview, synced with the session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_sam.masks import empty_mask
from napari_sam.planes import Plane
from napari_sam.session import drawing
from napari_sam.session.changed import What
from napari_sam.widgets.annotation.hints import not_taken
from napari_sam.widgets.annotation.queries import leave_unanswered, unanswered
from napari_sam.widgets.layers.preview import Preview
from napari_sam.widgets.layers.prompt_layers import DRAWN, PromptLayers, Tool
from napari_sam.widgets.layers.read_prompts import AreaPrompt, PlanePrompts, trim_box

if TYPE_CHECKING:
    from napari_sam.widgets.annotation.annotation import Annotation

__all__ = ["OwnLayers"]


class OwnLayers:
    """The prompt layers and the mask preview of one annotation.

    Attributes
    ----------
    prompts : PromptLayers
        What prompts are drawn in.
    preview : Preview
        The mask on show.
    """

    def __init__(self, annotation: Annotation) -> None:
        self._annotation = annotation
        self.preview = Preview(annotation.viewer, annotation.picture)
        self.prompts = PromptLayers(annotation.viewer, annotation.picture)
        if (seen := annotation.seen) is not None:  # or the first click would wait for the layer
            self.preview.show(empty_mask(annotation.picture.plane_shape(seen)), seen)
        self.prompts.changed.connect(self._read)

    def fits(self, plane: Plane, area: AreaPrompt) -> bool:
        """Return whether the image has this plane and the area lies inside it."""
        picture = self._annotation.picture
        if not picture.fits(plane, None if area.mask is None else area.mask.shape):
            return False
        return area.box is None or area.box == trim_box(area.box, picture.plane_shape(plane))

    def show(self) -> None:
        """Show the session's prompts and the queued boxes in the layers."""
        annotation = self._annotation
        self.prompts.show(annotation.session.draft, annotation.asking.boxes.waiting)

    def show_mask(self) -> None:
        """Show the session's current mask in the preview."""
        session = self._annotation.session
        self.preview.show(session.mask, session.draft.plane)

    def close(self) -> None:
        """Remove the layers."""
        self.prompts.changed.disconnect()
        self.prompts.close()
        self.preview.close()

    def _read(self) -> None:
        annotation = self._annotation
        drawn = self._on_one_plane()
        if drawn is None:
            self.show()
            annotation.remarked.emit(not_taken(annotation))
            return
        session, pending = annotation.session, annotation.pending
        if pending.holds(session.request) and pending.keep(session.draft, drawn):
            self.show()
            annotation.remarked.emit("Your last object is accepted as soon as its mask is there.")
            return
        drawn, said = self._without_unanswered(drawn)
        boxes, before = annotation.asking.boxes, session.draft
        boxes.waiting = self.prompts.still_there(boxes.waiting)
        box, mask, _ = drawn.area
        taken = annotation.step(
            lambda s: drawing.draw(s, drawn.plane, drawn.points, drawn.labels, box, mask)
        )
        if taken and (session.draft is not before or drawn.remark or drawn.separate):
            annotation.remarked.emit(" ".join(filter(None, (drawn.remark, said))))
        boxes.waiting += [(drawn.plane, area) for area in drawn.separate]
        self.show()  # also where nothing new was left of what was drawn
        if drawn.separate:
            annotation.asking.ask_boxes()
            annotation.changed.emit(What.DRAFT)

    def _without_unanswered(self, drawn: PlanePrompts) -> tuple[PlanePrompts, str]:
        """Keep only what is new of what is drawn, and what to say, if it is another object.

        That is an outline, or a scribble beside the mask whose question has no answer; clicks and
        boxes are told apart when they are made.
        """
        annotation, draft = self._annotation, self._annotation.session.draft
        tool = annotation.tool
        if tool not in DRAWN or tool is Tool.SCRIBBLE_OUT or not self.prompts.lit.on:
            return drawn, ""
        before = set(zip(draft.points, draft.labels, strict=True))
        now = zip(drawn.points, drawn.labels, strict=True)
        new = [point for point in now if point not in before]
        points, labels = [point for point, _ in new], [label for _, label in new]
        old_area = (drawn.area.box, drawn.area.mask) == (draft.box, draft.mask)
        nothing_new = not points and (old_area or drawn.area.box is None)
        if nothing_new or not leave_unanswered(annotation, points):
            return drawn, ""
        area = AreaPrompt(None) if old_area else drawn.area
        return drawn._replace(points=points, labels=labels, area=area), unanswered()

    def _on_one_plane(self) -> PlanePrompts | None:
        """Return what is drawn, None where no prompts are taken."""
        annotation, draft = self._annotation, self._annotation.session.draft
        plane = draft.plane or annotation.seen
        there = not draft.plane or annotation.picture.fits(draft.plane, None)
        if not annotation.flat or plane is None or not there or annotation.hidden:
            return None
        return self.prompts.read(draft, plane)
