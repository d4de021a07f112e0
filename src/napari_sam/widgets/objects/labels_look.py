"""Look of a Labels layer: a light fill with outlines, outlines alone, or nothing."""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import Enum

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels
from napari.utils.colormaps import CyclicLabelColormap
from napari.utils.events import Event
from numpy.typing import NDArray
from qtpy.QtCore import QTimer

from napari_sam.planes import Plane
from napari_sam.widgets.common.timers import new_timer
from napari_sam.widgets.layers.image_stack import OURS, ImageStack, on_plane
from napari_sam.widgets.layers.labels_target import FULL, LIGHT
from napari_sam.widgets.layers.outlines import outlines, width_of
from napari_sam.widgets.layers.preview import Preview

__all__ = ["LabelsLook", "Look"]

NAME, ROLE = "napari-sam outlines", "outlines"
STRIP = 2**20  # pixels that are drawn at once: more would hold the window up
LARGEST = 2**25  # pixels of a plane
SOON_MS = 15  # many steps may follow each other


class Look(Enum):
    """What is shown of labels."""

    FILL = "filled"
    OUTLINE = "outlined"
    OFF = "hidden"


class LabelsLook:
    """Draws outlines of a Labels layer on the plane in view, and switches between its looks.

    Labels that the plugin has made have outlines from the start; those of somebody else stay as
    they are until another look is asked for. `close` leaves them filled.

    Parameters
    ----------
    viewer : ViewerModel
        Where.
    picture : ImageStack
        Over what.
    layer : napari.layers.Labels
        The labels, as an array.
    seen : callable
        Returns the plane in view, or None.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        picture: ImageStack,
        layer: Labels,
        seen: Callable[[], Plane | None],
    ) -> None:
        self._viewer, self._picture = viewer, picture
        self._layer, self._seen = layer, seen
        self._ours = layer.metadata.get(OURS) == "objects"
        self._opacity = layer.opacity or FULL
        self._preview = Preview(viewer, picture, NAME, opacity=1, role=ROLE)
        self._colours: NDArray[np.floating] | None = None
        self._soon = new_timer(SOON_MS, self._begin)
        self._more = new_timer(0, self._go_on)
        self._on = False  # whether there are outlines
        self._plane: Plane | None = None
        self._colormap = layer.colormap  # that of the outlines
        self._labels = self._drawn = np.zeros((0, 0), np.uint8)
        self._row = 0
        for event in self._events():
            event.connect(self.refresh)
        self.refresh()

    @property
    def look(self) -> Look:
        """What is shown now, whoever has chosen it."""
        if not self._layer.visible:
            return Look.OFF
        return Look.FILL if self._layer.opacity else Look.OUTLINE

    def switch(self) -> Look:
        """Show the next look: filled, outlined, hidden."""
        layer, look = self._layer, self.look
        if look is Look.OFF:
            layer.visible, layer.opacity = True, self._opacity
        elif look is Look.FILL and self._can_outline():
            self._opacity, layer.opacity = layer.opacity, 0
        else:
            layer.visible = False
        self.refresh()
        return self.look

    def refresh(self, event: Event | None = None) -> None:
        """Draw the outlines soon."""
        if not self._soon.isActive():
            self._soon.start()

    def follow_view(self) -> None:
        """Draw the outlines soon if another plane is in view than the one they are on."""
        if self._seen() != self._plane:
            self.refresh()

    def close(self) -> None:
        """Remove the outlines; fill the labels if they were outlined only."""
        for event in self._events():
            event.disconnect(self.refresh)
        self._soon.stop()
        self._more.stop()
        self._turn(False)
        if self._layer in self._viewer.layers:
            self._preview.close()
        else:  # whoever has just removed it may be about to remove the outlines, and must find them
            preview = self._preview  # which the timer would not keep by itself
            QTimer.singleShot(0, lambda: preview.close())

    def _events(self) -> list[Event]:
        names = "set_data", "paint", "visible", "opacity", "colormap", "show_selected_label"
        return [getattr(self._layer.events, name) for name in names]

    def _can_outline(self) -> bool:
        colours = self._layer.colormap
        if not isinstance(colours, CyclicLabelColormap) or len(colours.colors) > 256:
            return False
        data, plane = self._layer.data, self._seen()
        if not isinstance(data, np.ndarray) or data.shape != self._picture.shape:
            return False  # somebody has changed the labels, or the picture
        return plane is not None and math.prod(self._picture.plane_shape(plane)) <= LARGEST

    def _turn(self, on: bool) -> None:
        """Turn outlines on or off; without them the labels are filled as clearly as before."""
        layer = self._layer
        if not on and layer.visible and not layer.opacity:
            layer.opacity = self._opacity
        if on != self._on:
            self._on = on
            self._preview.set_visible(on)
            before, now = (FULL, LIGHT) if on else (LIGHT, FULL)
            if self._ours and layer.opacity == before:
                layer.opacity = now

    def _begin(self) -> None:
        self._more.stop()
        self._plane, look = self._seen(), self.look
        wanted = look is Look.OUTLINE or (look is Look.FILL and self._ours)
        self._turn(wanted and self._can_outline() and self._layer in self._viewer.layers)
        if self._plane is None or not self._on:
            return
        self._labels, self._row = self._layer.data[on_plane(self._plane)], 0
        self._drawn = np.zeros(self._labels.shape, np.uint8)
        self._colormap = self._layer.colormap
        self._go_on()

    def _go_on(self) -> None:
        """Draw some rows; show all of them after the last."""
        height, width = self._drawn.shape
        first, wide = self._row, width_of(self._drawn.shape)
        last = self._row = min(height, first + max(1, STRIP // width))
        above, colormap = max(0, first - wide), self._colormap
        labels = self._labels[above : last + wide]
        if colormap.use_selection:
            labels = np.where(labels == colormap.selection, labels, 0)
        drawn = outlines(labels, len(colormap.colors) - 1, wide)
        self._drawn[first:last] = drawn[first - above : last - above]
        if last < height:
            self._more.start()
            return
        self._preview.recolour(colormap.colors[1:])
        self._preview.show(self._drawn, self._plane or ())
        self._preview.raise_above(self._layer)
