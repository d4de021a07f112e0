"""Mouse of a viewer's canvas: gestures are read there, whatever layer is active."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.utils.events import Event
from psygnal import Signal

from napari_sam.widgets.layers.gestures import Gesture, GestureReader, Pointer

__all__ = ["CanvasMouse"]

LEFT, RIGHT, MIDDLE = 1, 2, 3
SPACE = "Space"


class CanvasMouse:
    """Reads gestures from the mouse callbacks of a viewer, before any layer does.

    Layers get what is read here, too: the active one has to be in its mode "pan_zoom", where it
    does nothing. While Space is held, the mouse moves the view, as everywhere in napari.

    Parameters
    ----------
    viewer : ViewerModel
        Whose canvas.
    takes : callable
        Called at each press, with whether it is the left button without Alt; tells whether the
        press is to be read.

    Attributes
    ----------
    gesture : psygnal.Signal
        Emitted with each gesture.
    doubled : psygnal.Signal
        Emitted with the position in the world of a double click, after the click that it begins
        with.
    """

    gesture = Signal(Gesture)
    doubled = Signal(object)

    def __init__(self, viewer: ViewerModel, takes: Callable[[bool], bool]) -> None:
        self._viewer = viewer
        self._takes = takes
        self._reader = GestureReader()
        self._taken = self._space = self._closed = False
        self._lists = viewer.mouse_drag_callbacks, viewer.mouse_double_click_callbacks
        self._kept: dict[Any, Any] = {}
        for calls, own in zip(self._lists, (self._drag, self._double), strict=True):
            calls[:] = [own, *(self._held_back(call) for call in calls)]
        self._space_before = viewer.bind_key(SPACE, self._hold_space, overwrite=True)

    def cancel(self) -> None:
        """Forget a gesture that is under way."""
        self._tell(self._reader.cancel())

    def close(self) -> None:
        """Give the mouse back."""
        self._closed = True
        for calls, own in zip(self._lists, (self._drag, self._double), strict=True):
            calls[:] = [self._kept.get(call, call) for call in calls if call != own]
        self._viewer.bind_key(SPACE, self._space_before, overwrite=True)  # None: unbinds

    def _held_back(self, call: Any) -> Any:
        """Return a callback of napari's own that does nothing with what is read here.

        napari zooms with Alt and a drag, and with a double click.
        """
        if not str(getattr(call, "__module__", "")).startswith("napari."):
            return call

        def unless_taken(viewer: ViewerModel, event: Event) -> Any:
            return None if self._taken else call(viewer, event)

        self._kept[unless_taken] = call
        return unless_taken

    def _reads(self, event: Event) -> bool:
        """Return whether an event is to be read here, and no tool of napari's gets it."""
        if self._closed or self._space or event.button not in (LEFT, RIGHT):
            return False
        return self._takes(event.button == LEFT and "Alt" not in event.modifiers)

    def _drag(self, viewer: ViewerModel, event: Event) -> Generator[None, None, None]:
        pans = event.button == MIDDLE and not self._closed
        self._taken = pans or self._reads(event)
        if not self._taken:
            return
        event.handled = True  # the camera neither pans nor zooms
        follow = self._pan(event) if pans else self._read(event)
        yield from follow

    def _read(self, event: Event) -> Generator[None, None, None]:
        button = event.button
        self._tell(self._reader.press(_pointer(event, button)))
        yield
        while event.type == "mouse_move":
            self._tell(self._reader.move(_pointer(event, button)))
            yield
        self._tell(self._reader.release(_pointer(event, button)))

    def _pan(self, event: Event) -> Generator[None, None, None]:
        """Keep the place that was pressed below the mouse."""
        shown = list(event.dims_displayed)
        held = np.array(event.position)[shown]
        yield
        while event.type == "mouse_move":
            camera = self._viewer.scene.camera
            by = held - np.array(event.position)[shown]
            camera.center = (*camera.center[: -len(shown)], *(camera.center[-len(shown) :] + by))
            yield

    def _double(self, viewer: ViewerModel, event: Event) -> None:
        self._taken = self._reads(event)
        if self._taken:
            event.handled = True
            self.doubled.emit(tuple(event.position))

    def _tell(self, gesture: Gesture | None) -> None:
        if gesture is not None and not self._closed:
            self.gesture.emit(gesture)

    def _hold_space(self, viewer: ViewerModel) -> Generator[None, None, None]:
        """Do what napari does while Space is held, and read no gesture meanwhile."""
        self._space = True
        self.cancel()
        layer = viewer.layers.selection.active
        before = None if layer is None else str(layer.mode)
        if layer is not None:
            layer.mode = "pan_zoom"
        try:
            yield
        finally:
            self._space = False
        if layer is not None and before is not None:
            layer.mode = before


def _pointer(event: Event, button: int) -> Pointer:
    screen = float(event.pos[0]), float(event.pos[1])
    return Pointer(screen, tuple(event.position), button == RIGHT or "Alt" in event.modifiers)
