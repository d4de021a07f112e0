"""The part of the panel that changes objects by strokes and by rules of shape."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from napari.components import ViewerModel
from qtpy.QtCore import QObject

from napari_sam.session.edit import curation
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.common.keys import KEYS, NAMES
from napari_sam.widgets.edit.cleaning import Cleaning
from napari_sam.widgets.edit.cutting import Cutting
from napari_sam.widgets.edit.strokes import StrokeReader, objects_along
from napari_sam.widgets.layers.gestures import Gesture
from napari_sam.widgets.layers.prompt_layers import Tool

__all__ = ["Editing"]


class Editing(QObject):
    """Cuts, joins and cleans the objects of the current annotation.

    Parameters
    ----------
    viewer : ViewerModel
        Where strokes are drawn.
    selected : callable
        Returns the ids of the objects that are selected in the list.

    Attributes
    ----------
    cleaning : Cleaning
        The rules of shape.
    actions : dict of str to callable
        What can be done, by the names of the list's menu and of the keys.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        selected: Callable[[], Sequence[int]],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._strokes: _Strokes | None = None
        self.cleaning = Cleaning(viewer, selected, self)
        self.actions: dict[str, Callable[[], None]] = {
            "cut": lambda: self._arm(Tool.CUT),
            "join": lambda: self._arm(Tool.JOIN),
            "clean": self.cleaning.open,
        }

    @property
    def busy(self) -> bool:
        """True while something is worked out."""
        return self.cleaning.busy or (self._strokes is not None and self._strokes.cutting.busy)

    def follow(self, annotation: Annotation | None) -> None:
        """Switch to the objects of this annotation."""
        if self._strokes is not None:
            self._strokes.close()
        self._strokes = None if annotation is None else _Strokes(self._viewer, annotation, self)
        self.cleaning.follow(annotation)

    def close(self) -> None:
        """Stop all work and release the annotation."""
        self.follow(None)
        self.cleaning.close()

    def _arm(self, tool: Tool) -> None:
        if self._strokes is not None:
            self._strokes.arm(tool)


class _Strokes:
    """What strokes and clicks do while a tool for them is lit."""

    def __init__(self, viewer: ViewerModel, annotation: Annotation, parent: QObject) -> None:
        self._annotation = annotation
        self._reader = StrokeReader(viewer, annotation.picture)
        self.cutting = Cutting(annotation, parent)
        annotation.pointing.stroked.connect(self._read)

    def arm(self, tool: Tool) -> None:
        self._annotation.arm(tool)
        back = f"{KEYS['polarity']} goes back to clicks for new objects"
        self._annotation.remarked.emit(f"{NAMES[tool.value]}; {back}.")

    def close(self) -> None:
        self._annotation.pointing.stroked.disconnect(self._read)
        self.cutting.close()
        self._reader.close()

    def _read(self, gesture: Gesture) -> None:
        path, plane = self._reader.read(gesture), self._annotation.seen
        if not path or plane is None:
            return
        shape, met = self._annotation.picture.plane_shape(plane), dict[int, int]()
        self._annotation.remarked.emit("")
        if not self._annotation.step(lambda s: met.update(objects_along(s, plane, path, shape))):
            return
        if self._annotation.tool is Tool.JOIN:
            self._join(list(met))
        elif met:
            most = max(met, key=lambda number: met[number])
            open_one = self.cutting.object_id
            self.cutting.draw(open_one if open_one in met else most, plane, path)
        else:
            self._annotation.remarked.emit("There is no object on this slice below what you drew.")

    def _join(self, ids: list[int]) -> None:
        if len(ids) < 2:
            what = f"object {ids[0]} alone" if ids else "no object"
            self._annotation.remarked.emit(
                f"What you drew lies on {what}: draw from one object into another one."
            )
        elif self._annotation.step(lambda session: curation.merge(session, sorted(ids))):
            names = f"{', '.join(map(str, sorted(ids)[:-1]))} and {max(ids)}"
            self._annotation.remarked.emit(
                f"Objects {names} are object {min(ids)} now. {KEYS['undo']} undoes it."
            )
