"""The Points and Shapes layers that prompts are drawn in, and their conversion to arrays."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

import numpy as np
from napari.components import ViewerModel
from napari.layers import Layer, Points, Shapes
from napari.layers.base import ActionType
from napari.utils.events import Event
from numpy.typing import NDArray
from psygnal import Signal
from qtpy.QtCore import QTimer

from napari_sam.planes import Plane
from napari_sam.session.draft import Draft
from napari_sam.widgets.layers.dragged_box import box_corners
from napari_sam.widgets.layers.image_stack import ImageStack, plane_at
from napari_sam.widgets.layers.lit import Lit
from napari_sam.widgets.layers.prompt_pair import COLOURS, SYMBOLS, PromptPair
from napari_sam.widgets.layers.read_prompts import (
    POLARITY,
    AreaPrompt,
    PlanePrompts,
    Shape,
    read_prompts,
)
from napari_sam.widgets.layers.shapes import traced

__all__ = ["DRAWN", "STROKES", "PromptLayers", "Tool"]


class Tool(Enum):
    """Drawing tool of the mouse."""

    INCLUDE = "include"
    EXCLUDE = "exclude"
    BOX = "box"
    OUTLINE = "outline"
    ELLIPSE = "ellipse"
    SCRIBBLE = "scribble"
    SCRIBBLE_OUT = "scribble out"
    BOXES = "boxes"
    CUT = "cut"
    JOIN = "join"


# Of the Shapes layer, for the tools with which napari draws.
MODES = {
    Tool.OUTLINE: "add_polygon_lasso",
    Tool.ELLIPSE: "add_ellipse",
    Tool.SCRIBBLE: "add_path",
    Tool.SCRIBBLE_OUT: "add_path",
}

DRAWN = frozenset(MODES)

# These change objects that are there, and make no prompts.
STROKES = frozenset({Tool.CUT, Tool.JOIN})

# In these modes napari tells of a shape while it still needs it to finish the drawing.
UNFINISHED = ("add_path", "add_polygon", "add_polygon_lasso", "add_polyline")


class PromptLayers:
    """Reads and shows the prompts of one object in a Points and a Shapes layer over an image.

    Attributes
    ----------
    lit : Lit
        Whether clicks in the canvas are ours.
    changed : psygnal.Signal
        Emitted when somebody has drawn something, or taken it away.
    """

    changed = Signal()

    def __init__(self, viewer: ViewerModel, picture: ImageStack) -> None:
        self._viewer = viewer
        self._picture = picture
        self._showing = False
        self._outline = AreaPrompt(None)  # that was drawn last, to be shown as it was drawn
        self._each = False
        self._tool = Tool.INCLUDE
        self._asleep: dict[Layer, str] | None = None  # at rest: the modes that there were
        self._forget_shapes()
        self._pair = PromptPair(viewer, picture)
        self._pair.edited.connect(self._edited)
        self._pair.renewed.connect(self._forget_shapes)
        self._pair.lost.connect(self.changed.emit)
        self.lit = Lit(viewer, self._draws)

    def arm(self, tool: Tool) -> None:
        """Take the clicks for a tool; while paused, on resuming."""
        self._tool = tool
        self._pair.bring_back(*self._pair.both)
        self._each = tool is Tool.BOXES
        if tool in (Tool.INCLUDE, Tool.SCRIBBLE):
            self._pair.polarity = "include"
        elif tool in (Tool.EXCLUDE, Tool.SCRIBBLE_OUT):
            self._pair.polarity = "exclude"
        self._set_polarity()
        if self.resting:
            self._asleep = {}
            return
        with self.lit.quietly():
            self._points.mode = self._boxes.mode = "pan_zoom"
        self.bring_tool()
        self.lit.light()

    def bring_tool(self) -> None:
        """Activate the layer that draws for the tool, if it is one of those."""
        if self._tool not in MODES or self._boxes not in self._viewer.layers:
            return
        self._boxes.visible = True  # no layer draws while it is hidden
        with self.lit.quietly():
            self._boxes.mode = MODES[self._tool]
            self._viewer.layers.selection.active = self._boxes
        out = self._tool is Tool.SCRIBBLE_OUT
        with self._boxes.block_update_properties():  # else the selected shapes change too
            self._boxes.current_edge_color = COLOURS["exclude" if out else "include"]

    def put(self, position: Sequence[float], polarity: str) -> None:
        """Add a point at a position in the world, as if it had been drawn in the layer."""
        self._pair.bring_back(self._points)
        before, self._pair.polarity = self._pair.polarity, polarity
        self._set_polarity()
        self._showing = True  # napari tells of a point twice
        try:
            self._points.add(self._points.world_to_data(position))
            self._points.selected_data = set()  # its mark would hide small objects
        finally:
            self._showing, self._pair.polarity = False, before
            self._set_polarity()
        self.changed.emit()

    def drop(self, start: Sequence[float], end: Sequence[float]) -> None:
        """Draw a box from corner to corner in the world."""
        self._pair.bring_back(self._boxes)
        corners = box_corners(self._viewer, self._boxes, start, end)
        self._boxes.add(corners, shape_type="rectangle", edge_color=COLOURS["include"])
        self._boxes.selected_data = set()

    def disarm(self) -> None:
        """Switch both layers to pan and zoom."""
        with self.lit.quietly():
            self._points.mode = self._boxes.mode = "pan_zoom"
        if self.resting:
            self._asleep = {}

    @property
    def resting(self) -> bool:
        """True while drawing is paused."""
        return self._asleep is not None

    def rest(self) -> None:
        """Pause drawing until `wake`."""
        if self.resting:
            return
        modes = {layer: str(layer.mode) for layer in (self._points, self._boxes)}
        self.disarm()
        self._asleep = modes
        self.lit.rest()

    def wake(self) -> None:
        """Resume drawing; restore the layer modes, or activate a tool that was chosen meanwhile.

        A layer that was selected meanwhile stays that, unless another one draws.
        """
        modes, self._asleep = self._asleep, None
        if modes is None:
            return
        if modes.keys() == {self._points, self._boxes}:
            with self.lit.quietly():
                for layer, mode in modes.items():
                    layer.mode = mode
            if self.lit.on:
                self.bring_tool()
        elif self._viewer.dims.ndisplay == 2:
            self.arm(self._tool)
        self.lit.wake()

    def read(self, draft: Draft, seen: Plane) -> PlanePrompts | None:
        """Return the prompts that the layers hold.

        Parameters
        ----------
        draft : Draft
            What they were; its plane is the only one on which prompts are taken.
        seen : Plane
            The plane that the viewer shows, for when nothing was drawn yet.

        Returns
        -------
        PlanePrompts or None
            None if a prompt lies on another plane than the draft's, or has other axes.
        """
        if self._points.ndim != self._picture.ndim or self._boxes.ndim != self._picture.ndim:
            return None  # somebody has put in what has other axes
        plane = draft.plane or seen
        axes = [axis for axis, at in enumerate(plane) if at is None]
        shapes = self._shapes()[: -1 if self._drawing else None]
        new = [one for one in shapes if not any(_same(one, known) for known in self._shown)]
        there = [*self._points.data, *(at for one in new for at in one.vertices)]
        for position in there:  # what is nowhere is left out below
            if np.isfinite(position).all() and plane_at(position, axes) != plane:
                return None
        finite = np.isfinite(self._points.data).all(axis=1, keepdims=True)
        kept = any(_same(one, known) for known in self._shown[:1] for one in shapes)
        drawn = read_prompts(
            plane,
            self._picture.plane_shape(plane),
            (np.where(finite, self._points.data, np.nan), self._polarity()),
            AreaPrompt(draft.box, draft.mask) if kept else AreaPrompt(None),
            new,
            self._pair.polarity,
            self._each,
        )
        self._outline = drawn.area if drawn.area.shape is not None else self._outline
        return drawn

    def show(self, draft: Draft, waiting: Sequence[tuple[Plane, AreaPrompt]] = ()) -> None:
        """Show exactly the prompts of a draft and the queued areas.

        A shape that is only half drawn is left alone; what is shown follows when it is finished.
        What lies on a plane that the picture does not have any more cannot be shown.
        """
        self._pair.renew()
        if not self._picture.fits(draft.plane, None):
            draft = Draft()
        points = self._positions(list(draft.points), draft.plane)
        names = [POLARITY[label] for label in draft.labels]
        shapes = [self._shape(area, plane) for plane, area in waiting]
        if draft.box is not None or draft.mask is not None:
            shapes.insert(0, self._shape(AreaPrompt(draft.box, draft.mask), draft.plane))
        self._pair.bring_back(*[self._boxes] * bool(shapes), *[self._points] * bool(names))
        self._showing = True
        try:
            same_points = np.array_equal(self._points.data, points)
            if not (same_points and list(self._polarity()) == names):
                self._points.selected_data = set()
                self._points.data = points
                self._points.features = {"polarity": np.array(names, dtype=object)}
                if names:
                    self._points.symbol = [SYMBOLS[name] for name in names]
                self._set_polarity()
            if not self._drawing:
                self._show_shapes(shapes)
        finally:
            self._showing = False

    def still_there(
        self, waiting: list[tuple[Plane, AreaPrompt]]
    ) -> list[tuple[Plane, AreaPrompt]]:
        """Return the queued areas whose shapes still exist in the layer."""
        if not waiting or len(self._shown) < len(waiting):
            return waiting
        there, shown = self._shapes(), self._shown[-len(waiting) :]
        return [
            one
            for one, shape in zip(waiting, shown, strict=True)
            if any(_same(shape, other) for other in there)
        ]

    @property
    def both(self) -> tuple[Shapes, Points]:
        """The two layers, from bottom to top."""
        return self._pair.both

    @property
    def _points(self) -> Points:
        return self._pair.points

    @property
    def _boxes(self) -> Shapes:
        return self._pair.boxes

    def close(self) -> None:
        """Remove the layers, and give the clicks back."""
        self.lit.close()
        self._pair.close()

    def _forget_shapes(self) -> None:
        self._drawing = False  # a shape that is not finished yet
        self._wanted: list[Shape] = []  # shapes shown last, as they were meant
        self._shown: list[Shape] = []  # and as the layer holds them

    def _draws(self, layer: Layer, mode: str) -> bool:
        return layer is self._boxes and mode == MODES.get(self._tool)

    def _edited(self, event: Event) -> None:
        if event.source is self._boxes:
            if event.type == "data" and event.action == ActionType.ADDING:
                self._drawing = True
            elif event.type == "data" and event.action == ActionType.ADDED:
                self._drawing = str(self._boxes.mode) in UNFINISHED
                if self._drawing:
                    QTimer.singleShot(0, self._finished)
            if self._drawing:
                return
        finished = event.type == "features" or event.action in (
            ActionType.ADDED,
            ActionType.CHANGED,
            ActionType.REMOVED,
        )
        if event.source is self._points and event.type == "features" and self._points.mode == "add":
            self._points.selected_data = set()  # the mark of the selection would hide small objects
        whole = len(self._points.features) == len(self._points.data)
        if finished and whole and not self._showing:
            self.changed.emit()

    def _finished(self) -> None:
        self._drawing = False
        self.changed.emit()

    def _set_polarity(self) -> None:
        if "polarity" not in self._points.features:
            self._points.features = {"polarity": np.array(self._polarity(), dtype=object)}
        with self._points.block_update_properties():  # else the selected points change too
            self._points.feature_defaults = {"polarity": self._pair.polarity}
            self._points.current_symbol = SYMBOLS[self._pair.polarity]

    def _show_shapes(self, shapes: list[Shape]) -> None:
        if _all_same(shapes, self._wanted) and _all_same(self._shapes(), self._shown):
            return
        self._boxes.data = []
        if shapes:
            self._boxes.add(
                [one.vertices for one in shapes],
                shape_type=[one.kind for one in shapes],
                edge_color=COLOURS["include"],
            )
        self._boxes.selected_data = set()
        self._wanted, self._shown = shapes, self._shapes()

    def _shapes(self) -> list[Shape]:
        kinds, data = self._boxes.shape_type, self._boxes.data
        return [
            Shape(str(kind), np.array(vertices)) for kind, vertices in zip(kinds, data, strict=True)
        ]

    def _shape(self, area: AreaPrompt, plane: Plane) -> Shape:
        """Return the shape that shows an area: an outline as it was drawn, if that is known."""
        if area.mask is None:
            y0, x0, y1, x1 = area.box or (0.0, 0.0, 0.0, 0.0)
            corners = [(y0, x0), (y0, x1), (y1, x1), (y1, x0)]
            return Shape("rectangle", self._positions(corners, plane))
        known = self._outline if area.shape is None else area
        if known.shape is not None and known.mask == area.mask:
            axes = [axis for axis, at in enumerate(plane) if at is None]
            return Shape(known.shape.kind, self._positions(known.shape.vertices[:, axes], plane))
        return Shape("polygon", self._positions(traced(area.mask.full()), plane))

    def _positions(
        self, points: Sequence[tuple[float, float]] | NDArray[np.float64], plane: Plane
    ) -> NDArray[np.float64]:
        """Return (N, D) positions in the picture of points in a plane."""
        full = np.zeros((len(points), self._picture.ndim))
        if len(points):
            full[:] = [at or 0 for at in plane]
            full[:, [axis for axis, at in enumerate(plane) if at is None]] = points
        return full

    def _polarity(self) -> list[str]:
        features = self._points.features
        known = "polarity" in features  # else somebody has put others in its place
        return list(features["polarity"]) if known else [""] * len(self._points.data)


def _same(one: Shape, other: Shape) -> bool:
    return one.kind == other.kind and np.array_equal(one.vertices, other.vertices)


def _all_same(some: list[Shape], others: list[Shape]) -> bool:
    return len(some) == len(others) and all(map(_same, some, others))
