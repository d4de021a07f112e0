"""The side view of one annotation: what it shows, and what a click in it does."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial

import numpy as np
from napari.layers import Labels
from numpy.typing import NDArray
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget

from napari_sam.arrays import LazyArray
from napari_sam.planes import Plane, spanned
from napari_sam.session import drawing
from napari_sam.session.changed import What
from napari_sam.session.session import Session
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.common.timers import new_timer
from napari_sam.widgets.jobs.background import Background
from napari_sam.widgets.layers.navigate import go_to
from napari_sam.widgets.stack.side_view import SidePicture, SideView

__all__ = ["Sides"]

SIDE = 512  # pixels of a picture, at least half of them
REST_MS = 60
OPACITY = 0.4
NO_STACK = "Show a slice of a stack in the 2D view first."
OPEN = "Accept or reject what you are drawing first; then click in the side view."
LOCKED = "Object {} is locked; unlock it to go on with it."
HINT = "Click in a picture: the view turns there. {}"

Read = tuple[NDArray[np.uint8], NDArray[np.integer]]


class Sides:
    """Shows the planes across the slice in view through the place that was clicked on last.

    Parameters
    ----------
    annotation : Annotation
        Whose picture and objects.
    along : callable
        Returns the axis through the slices; None if there is none.
    parent : QWidget
        The view goes with it, while it is in no dock.
    """

    def __init__(
        self, annotation: Annotation, along: Callable[[], int | None], parent: QWidget
    ) -> None:
        self.view = SideView(parent)
        self.view.hide()
        self._annotation = annotation
        self._along = along
        self._place: tuple[float, float] | None = None  # on the slice in view
        self._background = Background("side view", self.view)
        self._wanted: list[Plane | None] = [None, None]
        self._soon = new_timer(REST_MS, self._read, self.view)
        annotation.pointing.clicked.connect(self._clicked)
        annotation.changed.connect(self._changed)
        annotation.began_afresh.connect(self.refresh)
        for which, pane in enumerate(self.view.panes):
            pane.clicked.connect(partial(self._go_on, which))

    def close(self) -> None:
        """Take the view away."""
        annotation = self._annotation
        annotation.pointing.clicked.disconnect(self._clicked)
        annotation.changed.disconnect(self._changed)
        annotation.began_afresh.disconnect(self.refresh)
        self._soon.stop()
        self._background.close()
        if self._dock is not None:
            annotation.viewer.window.remove_dock_widget(self.view)
        self.view.close()
        self.view.deleteLater()

    def toggle(self) -> None:
        """Open the view beside the canvas, or close it."""
        if self.view.isVisible():
            (self._dock or self.view).hide()
            return
        if not self._planes():
            self._annotation.remarked.emit(NO_STACK)
            return
        window = getattr(self._annotation.viewer, "window", None)
        if window is not None and self._dock is None:
            dock = window.add_dock_widget(self.view, name="Side view", area="left")
            main = self.view.window()
            if isinstance(main, QMainWindow):  # between napari's own column and the canvas
                beside = Qt.Orientation.Horizontal
                main.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, dock, beside)
        elif window is None:
            self.view.setWindowFlag(Qt.WindowType.Tool)
        for widget in filter(None, (self._dock, self.view)):
            widget.show()
        self.refresh()

    @property
    def _dock(self) -> QDockWidget | None:
        """Where the view is in napari's window; its cross takes it out again."""
        around = self.view.parentWidget()
        return around if isinstance(around, QDockWidget) else None

    def refresh(self) -> None:
        """Draw the planes anew soon, if they are in sight."""
        if self.view.isVisible():
            self._soon.start()

    def _clicked(self, row: float, column: float) -> None:
        self._place = row, column
        self.refresh()

    def _changed(self, what: What) -> None:
        if what & (What.OBJECTS | What.VIEW):
            self.refresh()

    def _planes(self) -> list[Plane]:
        """Return the two planes through the place; none if no slice of a stack is in view."""
        seen, axis = self._annotation.seen, self._along()
        if seen is None or axis is None or seen[axis] is None:
            return []
        row, column = self._at(seen)
        rows, columns = spanned(seen)
        across = ({axis: None, rows: row, columns: None}, {axis: None, rows: None, columns: column})
        return [tuple(one.get(i, fixed) for i, fixed in enumerate(seen)) for one in across]

    def _at(self, seen: Plane) -> tuple[int, int]:
        """Return the place on the slice in view; its middle if there was no click on it."""
        shape = self._annotation.picture.plane_shape(seen)
        place = self._place or ((shape[0] - 1) / 2, (shape[1] - 1) / 2)
        row, column = (min(max(round(at), 0), n - 1) for at, n in zip(place, shape, strict=True))
        return row, column

    def _read(self) -> None:
        annotation, planes = self._annotation, self._planes()
        if not planes:
            for which in (0, 1):
                self._wanted[which] = None
                self.view.panes[which].show_picture(None)
            return
        number = self._object(None)
        goes_on = "" if number is None else f"Object {number} goes on there."
        self.view.hint.setText(HINT.format(goes_on).rstrip())
        for which, plane in enumerate(planes):
            self._wanted[which] = plane
            work = _reading(annotation, plane)
            self._background.submit(work, partial(self._show, which, plane))

    def _show(self, which: int, plane: Plane, read: Future[Read]) -> None:
        annotation, seen = self._annotation, self._annotation.seen
        if plane != self._wanted[which] or seen is None or read.cancelled() or read.exception():
            return
        pixels, labels = read.result()
        if annotation.target is not None:
            pixels = _over(pixels, labels, annotation.target)
        axes, place = spanned(plane), dict(zip(spanned(seen), self._at(seen), strict=True))
        spacing = annotation.picture.axes.spacing
        at = [place.get(axis, seen[axis]) or 0 for axis in axes]
        pixel = [abs(spacing.scale[axis]) or 1.0 for axis in axes]
        shape = annotation.picture.plane_shape(plane)
        shown = SidePicture(pixels, shape, (pixel[0], pixel[1]), (at[0], at[1]))
        self.view.panes[which].show_picture(shown)
        down, right = (spacing.names[axis] or f"axis {axis}" for axis in axes)
        self.view.titles[which].setText(f"{right} to the right, {down} down")

    def _object(self, side: tuple[Plane, int, int] | None) -> int | None:
        """Return the object at a place of a side, else the one at the place on the slice."""
        annotation, seen = self._annotation, self._annotation.seen
        places = [] if seen is None else [(seen, *self._at(seen))]
        for plane, row, column in [side, *places] if side is not None else places:
            window = (row, column, row + 1, column + 1)
            if number := int(annotation.session.objects.owners(plane, window)[0, 0]):
                return number
        return None

    def _go_on(self, which: int, row: float, column: float, exclude: bool) -> None:
        """Turn the view to the plane that was clicked on, and prompt there."""
        annotation, plane = self._annotation, self._wanted[which]
        session, seen = annotation.session, annotation.seen
        if plane is None or seen is None:
            return
        draft = session.draft
        if not draft.is_empty and draft.plane not in ((), plane):
            annotation.remarked.emit(OPEN)
            return
        number = draft.object_id or self._object((plane, round(row), round(column)))
        held = None if number is None else session.objects.get(number)
        if held is not None and held.locked:
            annotation.remarked.emit(LOCKED.format(number))
            return
        go_to(annotation.viewer, annotation.picture, plane)
        self._place = row, column
        if held is not None and draft.is_empty:
            known = plane in held.sections
            annotation.step(partial(_open, object_id=held.id, plane=plane if known else None))
        annotation.pointing.put(self._world(plane, row, column), exclude)

    def _world(self, plane: Plane, row: float, column: float) -> tuple[float, ...]:
        """Return the position in the viewer of a place of a plane."""
        annotation = self._annotation
        data = np.array([at or 0 for at in plane], float)
        data[list(spanned(plane))] = row, column
        position = np.array(annotation.viewer.dims.point, float)
        position[len(position) - len(data) :] = annotation.picture.transform.to_world(data)
        return tuple(position)


def _open(session: Session, object_id: int, plane: Plane | None) -> None:
    """Open an object on a plane that it has a section on; None: on any other."""
    if plane is None:
        drawing.continue_object(session, object_id)
    else:
        drawing.reopen(session, object_id, plane)


def _reading(annotation: Annotation, plane: Plane) -> Callable[[], Read]:
    """Return a function for the thread that reads a plane and its labels, coarsely."""
    picture = annotation.picture
    height, width = shape = picture.plane_shape(plane)
    step = max(1, max(shape) // SIDE)
    view, labels = picture.view(plane, SIDE), annotation.session.labels.read(plane)

    def read() -> Read:
        pixels = view()
        if labels is None:
            return pixels, np.zeros(pixels.shape[:2], np.uint8)
        return pixels, _whole(labels, height, width)[::step, ::step]

    return read


def _whole(labels: LazyArray, height: int, width: int) -> NDArray[np.integer]:
    return np.asarray(labels[slice(0, height), slice(0, width)])


def _over(
    pixels: NDArray[np.uint8], labels: NDArray[np.integer], layer: Labels
) -> NDArray[np.uint8]:
    """Return pixels (h, w, 3) with labels (h, w) over them, in the colours of a layer."""
    colours = np.asarray(layer.colormap.map(labels))[..., :3] * 255
    mixed = np.where((labels != 0)[..., None], (1 - OPACITY) * pixels + OPACITY * colours, pixels)
    return mixed.astype(np.uint8)
