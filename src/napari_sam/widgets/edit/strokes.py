"""Strokes on the canvas: lines of gestures, and the objects that lie below them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from napari.components import ViewerModel
from qtpy.QtWidgets import QWidget

from napari_sam.planes import Plane
from napari_sam.session.adopt import object_at
from napari_sam.session.session import Session
from napari_sam.widgets.layers.canvas import canvas_of
from napari_sam.widgets.layers.dragged_box import Overlay
from napari_sam.widgets.layers.gestures import Gesture, Kind
from napari_sam.widgets.layers.image_stack import ImageStack
from napari_sam.widgets.layers.navigate import place_at

__all__ = ["StrokeReader", "objects_along"]

Path = tuple[tuple[float, float], ...]


class StrokeReader:
    """Makes strokes of gestures, and shows them over the canvas while they are drawn.

    Parameters
    ----------
    viewer : ViewerModel
        Whose canvas.
    picture : ImageStack
        In whose pixels strokes are.
    """

    def __init__(self, viewer: ViewerModel, picture: ImageStack) -> None:
        self._viewer, self._picture = viewer, picture
        canvas: QWidget | None = canvas_of(viewer)
        self._line = None if canvas is None else Overlay(canvas, closed=False)
        self._world: list[tuple[float, ...]] = []
        self._screen: list[tuple[float, float]] = []

    def read(self, gesture: Gesture) -> Path:
        """Return the stroke that ends with a gesture, or a single place for a click.

        Empty while it is being drawn, where it is nothing, and where no plane is in view.
        """
        if gesture.kind is Kind.CANCEL or gesture.exclude:
            self.forget()
            return ()
        if gesture.kind is Kind.CLICK:
            return self._path([gesture.start])
        if not self._world:
            self._world, self._screen = [gesture.start], [gesture.press]
        self._world.append(gesture.end)
        self._screen.append(gesture.at)
        if gesture.kind is Kind.STRETCH:
            if self._line is not None:
                self._line.show_corners(np.array(self._screen)[:, ::-1])
            return ()
        drawn = self._world
        self.forget()
        return self._path(drawn)

    def forget(self) -> None:
        """Forget a stroke that is under way."""
        self._world, self._screen = [], []
        if self._line is not None:
            self._line.hide()

    def close(self) -> None:
        """Take the line away."""
        self.forget()
        if self._line is not None:
            self._line.deleteLater()
            self._line = None

    def _path(self, world: Sequence[tuple[float, ...]]) -> Path:
        places = [place_at(self._viewer, self._picture, at) for at in world]
        return tuple(place for place in places if place is not None)


def objects_along(
    session: Session, plane: Plane, path: Path, shape: tuple[int, int]
) -> dict[int, int]:
    """Return the objects below a stroke, in its order, and how many of its pixels lie on each.

    Labels that are no objects yet become some.

    Parameters
    ----------
    session : Session
        Whose objects.
    plane : Plane
        Where.
    path : tuple of (row, column)
        In pixels.
    shape : (H, W)
        Of the plane.

    Raises
    ------
    InputError
        If a label cannot become an object.
    """
    met: dict[int, int] = {}
    for row, column in _pixels(path):
        if 0 <= row < shape[0] and 0 <= column < shape[1]:
            number = object_at(session, plane, row, column)
            if number is not None:
                met[number] = met.get(number, 0) + 1
    return met


def _pixels(path: Path) -> list[tuple[int, int]]:
    """Return the pixels along a path, in order, each once."""
    vertices = np.array(path, float)
    steps = np.abs(np.diff(vertices, axis=0)).max(axis=1, initial=0)
    gone = np.concatenate([[0.0], np.cumsum(steps)])
    at = np.linspace(0, gone[-1], int(np.ceil(gone[-1])) + 1)
    dense = np.stack([np.interp(at, gone, axis) for axis in vertices.T], axis=1)
    return list(dict.fromkeys((round(row), round(column)) for row, column in dense.tolist()))
