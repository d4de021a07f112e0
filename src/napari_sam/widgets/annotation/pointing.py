"""What a click in the canvas means: a prompt, or an object that is there already."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from psygnal import Signal

from napari_sam.session.changed import What
from napari_sam.widgets.annotation.queries import (
    Answer,
    Query,
    leave_unanswered,
    unanswered,
)
from napari_sam.widgets.common.keys import KEYS
from napari_sam.widgets.layers.canvas_mouse import CanvasMouse
from napari_sam.widgets.layers.dragged_box import DraggedBox
from napari_sam.widgets.layers.gestures import Gesture, Kind
from napari_sam.widgets.layers.image_stack import OURS
from napari_sam.widgets.layers.lit import what_clicks_do
from napari_sam.widgets.layers.navigate import pixel_at, place_at
from napari_sam.widgets.layers.prompt_layers import DRAWN, STROKES, Tool

if TYPE_CHECKING:
    from napari_sam.widgets.annotation.annotation import Annotation

__all__ = ["Pointing", "Touch"]

GESTURE, HIDDEN = "gesture", "hidden"
AGAIN = "Click on objects again"


class Touch(Enum):
    """How an object was clicked on."""

    CLICK = "click"
    EXCLUDE = "exclude"
    DOUBLE = "double"


class Pointing:
    """Turns gestures in the canvas into prompts, and tells of objects that were clicked on.

    Attributes
    ----------
    dragged : DraggedBox
        The box that is being dragged.
    touched : psygnal.Signal
        Emitted with an object, how it was clicked on and where in the world, while nothing is
        being drawn.
    stroked : psygnal.Signal
        Emitted with each gesture while the tool is one that makes no prompts.
    clicked : psygnal.Signal
        Emitted with row and column of each click on the slice in view.
    """

    touched = Signal(int, Touch, object)
    stroked = Signal(Gesture)
    clicked = Signal(float, float)

    def __init__(self, annotation: Annotation) -> None:
        self._annotation = annotation
        self._prompts = annotation.own_layers.prompts
        self.dragged = DraggedBox(annotation.viewer)
        self._mouse = CanvasMouse(annotation.viewer, self._takes)
        self._mouse.gesture.connect(self._follow)
        self._mouse.doubled.connect(self._doubled)
        self._prompts.lit.changed.connect(self._tell)

    @property
    def takes_clicks(self) -> bool:
        """True while clicks in the canvas are for us."""
        prompts = self._prompts
        return prompts.lit.on and not prompts.resting and self._annotation.flat

    def close(self) -> None:
        """Give the mouse back."""
        self._prompts.lit.changed.disconnect(self._tell)
        self._mouse.close()
        self.dragged.close()

    def _takes(self, plain: bool) -> bool:
        """Return whether a press is for us; with some tools it is for napari's Shapes layer."""
        annotation, prompts = self._annotation, self._prompts
        if not self.takes_clicks:
            return False
        if annotation.tool not in DRAWN:
            return True
        prompts.bring_tool() if plain else prompts.disarm()
        return not plain

    def _follow(self, gesture: Gesture) -> None:
        if self._annotation.tool in STROKES:
            self.stroked.emit(gesture)
            return
        if gesture.kind is Kind.STRETCH:
            self.dragged.show(gesture, self._prompts.both[0])
            return
        self.dragged.hide()
        if gesture.kind is Kind.CANCEL:
            return
        left = self._leave_unanswered(gesture)
        if gesture.kind is Kind.BOX:
            self._prompts.drop(gesture.start, gesture.end)
        else:
            self._click(gesture)
        if left:
            self._annotation.remarked.emit(unanswered())
        self._tell_hidden()

    def _leave_unanswered(self, gesture: Gesture) -> bool:
        """Let go of a mask about which a question has no answer, if a new object is drawn now."""
        annotation = self._annotation
        if self._excludes(gesture):
            return False
        at = pixel_at(annotation.viewer, annotation.picture, gesture.start)
        return leave_unanswered(annotation, [at] if at and gesture.kind is Kind.CLICK else [])

    def _excludes(self, gesture: Gesture) -> bool:
        return gesture.exclude or self._annotation.tool in (Tool.EXCLUDE, Tool.SCRIBBLE_OUT)

    def _click(self, gesture: Gesture) -> None:
        annotation = self._annotation
        if (place := place_at(annotation.viewer, annotation.picture, gesture.start)) is not None:
            self.clicked.emit(*place)
        exclude = self._excludes(gesture)
        found = self._object_at(gesture.start)
        if found is not None:
            how = Touch.EXCLUDE if exclude else Touch.CLICK
            self.touched.emit(found, how, gesture.start)
        else:
            self.put(gesture.start, exclude)

    def put(self, position: tuple[float, ...], exclude: bool = False) -> None:
        """Add a point at a position in the world."""
        self._prompts.put(position, "exclude" if exclude else "include")

    def _doubled(self, position: tuple[float, ...]) -> None:
        if self._annotation.tool in STROKES:
            return
        if (found := self._object_at(position)) is not None:
            self.touched.emit(found, Touch.DOUBLE, position)

    def _object_at(self, position: tuple[float, ...]) -> int | None:
        """Return the object that is clicked on; None while another is being drawn."""
        annotation, seen = self._annotation, self._annotation.seen
        if not annotation.session.draft.is_empty or seen is None:
            return None
        at = pixel_at(annotation.viewer, annotation.picture, position)
        if at is None:
            return None
        row, column = at
        window = (row, column, row + 1, column + 1)
        return int(annotation.session.objects.owners(seen, window)[0, 0]) or None

    def _tell_hidden(self) -> None:
        """Say that the mask cannot be seen, while its layer is hidden."""
        annotation = self._annotation
        annotation.queries.withdraw(HIDDEN)
        layers = [x for x in annotation.viewer.layers if x.metadata.get(OURS) == "preview"]
        if annotation.session.draft.is_empty or not layers or layers[0].visible:
            return
        layer = layers[0]
        show = Answer("Show it", lambda: setattr(layer, "visible", True), "In the layer list, too")
        text = f"Masks are not seen: the layer '{layer.name}' is hidden."
        annotation.queries.ask(Query(HIDDEN, text, (show,)))

    def _tell(self) -> None:
        """Say what clicks do while they are not ours."""
        annotation, lit = self._annotation, self._prompts.lit
        if lit.on:
            annotation.queries.withdraw(GESTURE)
        else:
            text = what_clicks_do(annotation.viewer.layers.selection.active)
            again = Answer(
                AGAIN, lambda: annotation.arm(annotation.tool), f"{KEYS['polarity']} does the same"
            )
            annotation.queries.ask(Query(GESTURE, text, (again,)))
        annotation.changed.emit(What.VIEW)
