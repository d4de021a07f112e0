"""A Points and a Shapes layer that are restored if deleted, with as many axes as the image."""

from __future__ import annotations

import math

import numpy as np
from napari.components import ViewerModel
from napari.layers import Layer, Points, Shapes
from napari.utils.events import Event
from psygnal import Signal
from qtpy.QtCore import QTimer

from napari_sam.widgets.layers.image_stack import OURS, ImageStack
from napari_sam.widgets.layers.transform import move

__all__ = ["COLOURS", "SYMBOLS", "PromptPair"]

COLOURS = {"include": "#0091ff", "exclude": "#ff6a00"}
SIZE, RIM = 11, 1.5  # pixels of the screen: small, so that an object is seen beside its cross
SYMBOLS = {"include": "cross", "exclude": "hbar"}


class PromptPair:
    """Keeps a Points and a Shapes layer over an image, despite deletion or a change of axes.

    Attributes
    ----------
    points : napari.layers.Points
        With a feature "polarity".
    boxes : napari.layers.Shapes
        For boxes, outlines and scribbles.
    polarity : str
        Of the next point, "include" or "exclude".
    edited : psygnal.Signal
        Emitted with each event of their data and features.
    renewed : psygnal.Signal
        Emitted when there is another `boxes` layer, which is empty.
    lost : psygnal.Signal
        Emitted when somebody has deleted a layer, and another one is there for it.
    """

    edited = Signal(Event)
    renewed = Signal()
    lost = Signal()

    def __init__(self, viewer: ViewerModel, picture: ImageStack) -> None:
        self.polarity = "include"
        self._viewer = viewer
        self._picture = picture
        self._going = False  # while one of the layers is being deleted
        self._soon = QTimer()
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(lambda: self.bring_back(*self.both))
        self.boxes = self._new_boxes()
        self.points = self._new_points()
        self.bring_back(*self.both)
        viewer.scene.camera.events.zoom.connect(self._fit_crosses)
        picture.on_move(self._follow)
        picture.changed.connect(self.renew)
        viewer.layers.events.removed.connect(self._removed)

    @property
    def both(self) -> tuple[Shapes, Points]:
        """The two layers, from bottom to top."""
        return self.boxes, self.points

    def bring_back(self, *layers: Layer) -> None:
        """Add missing layers: both at first, later those that were deleted.

        Not before whoever deletes is done: who deletes all layers one by one would never be.
        """
        if self._going and layers:
            self._soon.start()
            return
        for layer in layers:
            if layer not in self._viewer.layers:
                self._viewer.add_layer(layer)

    def renew(self) -> None:
        """Replace the layers if the image's or their own number of axes has changed."""
        axes = {self.points.ndim, self.boxes.ndim, self._picture.ndim}
        if len(axes) == 1 or self._picture.ndim == 1:  # of a single axis there is nothing to see
            return
        layers, old = self._viewer.layers, self.both
        active = layers.selection.active
        self.boxes, self.points = self._new_boxes(), self._new_points()
        self.renewed.emit()
        for before in old:
            before.events.disconnect(self._tell)
            if before in layers:
                layers.remove(before)
        self.bring_back(*self.both)
        for before, after in zip(old, self.both, strict=True):
            after.mode = before.mode
            active = after if active is before else active
        layers.selection.active = active

    def close(self) -> None:
        """Remove the layers."""
        self._soon.stop()
        self._viewer.scene.camera.events.zoom.disconnect(self._fit_crosses)
        self._viewer.layers.events.removed.disconnect(self._removed)
        self._picture.changed.disconnect(self.renew)
        self._picture.on_move(self._follow, connect=False)
        for layer in (self.points, self.boxes):
            layer.events.disconnect(self._tell)
            if layer in self._viewer.layers:
                self._viewer.layers.remove(layer)

    def _new_points(self) -> Points:
        layer = Points(
            ndim=self._picture.ndim,
            name="napari-sam points",
            features={"polarity": np.empty(0, dtype=object)},
            feature_defaults={"polarity": self.polarity},
            face_color="polarity",
            face_color_cycle=COLOURS,
            border_color="white",  # seen on dark pictures, and parts the colour from bright ones
            border_width=RIM / SIZE,
            antialiasing=0.5,
            symbol=SYMBOLS[self.polarity],
            size=self._cross_size(),
            canvas_size_limits=(
                0,
                SIZE,
            ),  # napari widens the borders of what a lower limit enlarges
            metadata={OURS: "points"},
            **self._picture.transform.arguments,
        )
        layer.events.data.connect(self._tell)
        layer.events.features.connect(self._tell)
        return layer

    def _cross_size(self) -> float:
        """Return the size in pixels of the picture of crosses that napari shrinks to `SIZE`.

        A power of two, so that few zooms change it; napari takes a click for one on a cross within
        this size.
        """
        pixel = self._viewer.scene.camera.zoom * abs(self._picture.transform.arguments["scale"][-1])
        return float(2.0 ** math.ceil(math.log2(SIZE / pixel)))

    def _fit_crosses(self) -> None:
        """Keep crosses as large on the screen as they are, at every zoom."""
        points, size = self.points, self._cross_size()
        if size == points.current_size:
            return
        with points.block_update_properties():
            points.current_size = size
        points.size = size

    def _new_boxes(self) -> Shapes:
        layer = Shapes(
            ndim=self._picture.ndim,
            name="napari-sam boxes",
            edge_color=COLOURS["include"],
            face_color="transparent",
            edge_width=max(self._picture.shape) / 400,  # seen when all of it is in view
            metadata={OURS: "boxes"},
            **self._picture.transform.arguments,
        )
        layer.events.data.connect(self._tell)
        layer.events.features.connect(self._tell)  # all that pasting shapes tells
        return layer

    def _removed(self, event: Event) -> None:
        if event.value is self.points:
            self.points.events.disconnect(self._tell)
            self.points = self._new_points()
        elif event.value is self.boxes:
            self.boxes.events.disconnect(self._tell)
            self.boxes = self._new_boxes()
            self.renewed.emit()
        else:
            return
        self._going = True
        self.lost.emit()
        self._going = False

    def _tell(self, event: Event) -> None:
        self.edited.emit(event)

    def _follow(self, event: Event | None = None) -> None:
        self.renew()
        for layer in (self.points, self.boxes):
            move(layer, self._picture.transform.arguments)
        self._fit_crosses()
