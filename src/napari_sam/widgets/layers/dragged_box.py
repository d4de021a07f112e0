"""Box that is being dragged: its corners in the picture, and its outline over the canvas.

An outline in a Shapes layer would be redrawn with all that napari computes when a layer changes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from napari.components import ViewerModel
from napari.layers import Layer
from numpy.typing import NDArray
from qtpy.QtCore import QPointF, Qt
from qtpy.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from qtpy.QtWidgets import QWidget

from napari_sam.widgets.layers.canvas import canvas_of
from napari_sam.widgets.layers.gestures import Gesture
from napari_sam.widgets.layers.prompt_pair import COLOURS

__all__ = ["DraggedBox", "Overlay", "box_corners"]


def box_corners(
    viewer: ViewerModel, layer: Layer, start: Sequence[float], end: Sequence[float]
) -> NDArray[np.float64]:
    """Return the (4, D) corners, in pixels of a layer, of a box between two positions in the world.

    Its sides lie along the axes of the layer that are in view.
    """
    first, last = (np.array(layer.world_to_data(at), dtype=float) for at in (start, end))
    row, column = (axis - viewer.dims.ndim for axis in viewer.dims.displayed)
    corners = np.array([first] * 4)
    corners[2:, row] = last[row]
    corners[1:3, column] = last[column]
    return corners


class DraggedBox:
    """Shows a box over the canvas of a viewer while it is dragged.

    Attributes
    ----------
    outline : Overlay or None
        What is drawn over the canvas; None without a window.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        canvas = canvas_of(viewer)
        self.outline = None if canvas is None else Overlay(canvas)

    def show(self, gesture: Gesture, layer: Layer) -> None:
        """Show the box of a gesture along the axes of a layer."""
        if self.outline is None:
            return
        shown = [axis - self._viewer.dims.ndim for axis in self._viewer.dims.displayed]
        corners = box_corners(self._viewer, layer, gesture.start, gesture.end)
        world = np.array([layer.data_to_world(corner) for corner in corners])[:, shown]
        begin, now = np.array(gesture.press[::-1]), np.array(gesture.at[::-1])  # (row, column)
        turned = (now - begin) * (world[2] - world[0]) < 0  # the view may be mirrored
        scale = self._viewer.scene.camera.zoom * np.where(turned, -1, 1)
        self.outline.show_corners(begin + (world - world[0]) * scale)

    def hide(self) -> None:
        """Show no box."""
        if self.outline is not None:
            self.outline.hide()

    def close(self) -> None:
        """Take the outline away."""
        if self.outline is not None:
            self.outline.hide()
            self.outline.deleteLater()
            self.outline = None


class Overlay(QWidget):
    """Polygon, or a line, over a canvas, which gets the mouse as if it were not there.

    Parameters
    ----------
    canvas : QWidget
        Over which it lies.
    closed : bool
        Whether its last corner is joined to the first.

    Attributes
    ----------
    corners : (N, 2) ndarray
        (row, column) in pixels of the canvas.
    """

    def __init__(self, canvas: QWidget, closed: bool = True) -> None:
        super().__init__(canvas)
        self._closed = closed
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.corners = np.zeros((4, 2))
        self.hide()

    def show_corners(self, corners: NDArray[np.float64]) -> None:
        """Show these corners."""
        self.corners = corners
        self.setGeometry(self.parentWidget().rect())  # type: ignore[union-attr]
        self.show()
        self.raise_()
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Draw."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        polygon = QPolygonF([QPointF(x, y) for y, x in self.corners])
        for colour, width in (("#ffffff", 4), (COLOURS["include"], 2)):  # a rim, as of the crosses
            painter.setPen(QPen(QColor(colour), width))
            if self._closed:
                painter.drawPolygon(polygon)
            else:
                painter.drawPolyline(polygon)
        painter.end()
