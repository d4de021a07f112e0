"""The Points and Shapes layers that prompts are drawn in, and how they become plain numbers."""

from __future__ import annotations

from enum import Enum

import numpy as np
from napari.components import ViewerModel
from napari.layers import Layer, Points, Shapes
from napari.layers.base import ActionType
from napari.utils.events import Event
from numpy.typing import NDArray
from psygnal import Signal

from napari_sam.session.draft import Draft
from napari_sam.session.target import Plane
from napari_sam.widgets.drawn import POLARITY, Drawn, read_prompts
from napari_sam.widgets.picture import OURS, Picture
from napari_sam.widgets.place import move

__all__ = ["PromptLayers", "Tool"]

COLOURS = {"include": "#0091ff", "exclude": "#ff6a00"}
SYMBOLS = {"include": "cross", "exclude": "hbar"}


class Tool(Enum):
    """What a press of the mouse button draws."""

    INCLUDE = "include"
    EXCLUDE = "exclude"
    BOX = "box"


class PromptLayers:
    """A Points and a Shapes layer over a picture.

    Parameters
    ----------
    viewer : ViewerModel
        Where.
    picture : Picture
        Over what.
    """

    changed = Signal()

    def __init__(self, viewer: ViewerModel, picture: Picture) -> None:
        self._viewer = viewer
        self._picture = picture
        self._showing = False
        self._next = "include"
        self.boxes = self._new_boxes()
        self.points = self._new_points()
        self._bring_back(self.boxes, self.points)
        picture.on_move(self._follow)
        viewer.layers.events.removed.connect(self._removed)

    def arm(self, tool: Tool) -> None:
        """Make the mouse draw with this tool."""
        layers = self._viewer.layers
        self._bring_back(self.boxes, self.points)
        if tool is Tool.BOX:
            layers.selection.active = self.boxes
            self.boxes.mode = "add_rectangle"
            return
        layers.selection.active = self.points
        self._next = tool.value
        self._set_polarity()
        self.points.mode = "add"

    def disarm(self) -> None:
        """Make the mouse move the view again."""
        self.points.mode = self.boxes.mode = "pan_zoom"

    def read(self, draft: Draft, seen: Plane) -> Drawn | None:
        """Return the prompts as they are now.

        Parameters
        ----------
        draft : Draft
            What they were; its plane is the only one on which prompts are taken.
        seen : Plane
            The plane that the viewer shows, for when nothing was drawn yet.

        Returns
        -------
        Drawn or None
            None if a prompt lies on another plane than the draft's.
        """
        plane = draft.plane or seen
        axes = [axis for axis, at in enumerate(plane) if at is None]
        rectangles = [np.asarray(corners) for corners in self.boxes.data]
        for position in [*self.points.data, *(corners[0] for corners in rectangles)]:
            if self._picture.plane_at(position, axes) != plane:
                return None
        shape = self._picture.plane_shape(plane)
        return read_prompts(plane, shape, self.points.data, self._polarity(), rectangles)

    def show(self, draft: Draft) -> None:
        """Make the layers hold exactly the prompts of a draft."""
        axes = [axis for axis, at in enumerate(draft.plane) if at is None]

        def positions(points: list[tuple[float, float]]) -> NDArray[np.float64]:
            full = np.zeros((len(points), self._picture.ndim))
            if points:
                full[:] = [at or 0 for at in draft.plane]
                full[:, axes] = points
            return full

        points = positions(list(draft.points))
        names = [POLARITY[label] for label in draft.labels]
        corners = []
        if draft.box is not None:
            y0, x0, y1, x1 = draft.box
            corners = [positions([(y0, x0), (y0, x1), (y1, x1), (y1, x0)])]
        wanted = [*[self.boxes] * len(corners), *[self.points] * bool(names)]
        self._bring_back(*wanted)
        self._showing = True
        try:
            if not (_same([self.points.data], [points]) and list(self._polarity()) == names):
                self.points.selected_data = set()
                self.points.data = points
                if names:
                    self.points.features = {"polarity": names}
                    self.points.symbol = [SYMBOLS[name] for name in names]
                self._set_polarity()
            if not _same(self.boxes.data, corners):
                self.boxes.data = []
                if corners:
                    self.boxes.add_rectangles(corners)
                self.boxes.selected_data = set()
        finally:
            self._showing = False

    def close(self) -> None:
        """Take the layers away."""
        self._viewer.layers.events.removed.disconnect(self._removed)
        self._picture.on_move(self._follow, connect=False)
        for layer in (self.points, self.boxes):
            layer.events.disconnect(self._edited)
            if layer in self._viewer.layers:
                self._viewer.layers.remove(layer)

    def _new_points(self) -> Points:
        layer = Points(
            ndim=self._picture.ndim,
            name="napari-sam points",
            features={"polarity": np.empty(0, dtype=object)},
            feature_defaults={"polarity": self._next},
            face_color="polarity",
            face_color_cycle=COLOURS,
            border_color="polarity",  # a border of its own colour would cover small symbols
            border_color_cycle=COLOURS,
            symbol=SYMBOLS[self._next],
            size=6,
            canvas_size_limits=(11, 18),
            metadata={OURS: "points"},
            **self._picture.place(),
        )
        layer.events.data.connect(self._edited)
        layer.events.features.connect(self._edited)
        return layer

    def _new_boxes(self) -> Shapes:
        layer = Shapes(
            ndim=self._picture.ndim,
            name="napari-sam boxes",
            edge_color=COLOURS["include"],
            face_color="transparent",
            edge_width=max(self._picture.shape) / 400,  # seen when all of it is in view
            metadata={OURS: "boxes"},
            **self._picture.place(),
        )
        layer.events.data.connect(self._edited)
        return layer

    def _bring_back(self, *layers: Layer) -> None:
        """Add layers that are missing: at first both, later one that somebody has deleted."""
        for layer in layers:
            if layer not in self._viewer.layers:
                self._viewer.add_layer(layer)

    def _removed(self, event: Event) -> None:
        if event.value is self.points:
            self.points.events.disconnect(self._edited)
            self.points = self._new_points()
        elif event.value is self.boxes:
            self.boxes.events.disconnect(self._edited)
            self.boxes = self._new_boxes()
        else:
            return
        self.changed.emit()

    def _edited(self, event: Event) -> None:
        finished = event.type == "features" or event.action in (
            ActionType.ADDED,
            ActionType.CHANGED,
            ActionType.REMOVED,
        )
        if event.type == "features" and self.points.mode == "add":
            self.points.selected_data = set()  # the mark of the selection would hide small objects
        whole = len(self.points.features) == len(self.points.data)
        if finished and whole and not self._showing:
            self.changed.emit()

    def _set_polarity(self) -> None:
        with self.points.block_update_properties():  # else the selected points change too
            self.points.feature_defaults = {"polarity": self._next}
            self.points.current_symbol = SYMBOLS[self._next]

    def _polarity(self) -> list[str]:
        return list(self.points.features["polarity"])

    def _follow(self, event: Event | None = None) -> None:
        for layer in (self.points, self.boxes):
            move(layer, self._picture.place())


def _same(held: list[NDArray[np.float64]], wanted: list[NDArray[np.float64]]) -> bool:
    return len(held) == len(wanted) and all(map(np.array_equal, held, wanted))
