"""Whether clicks are ours, or go to a tool of napari's that somebody picked on purpose."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from napari.components import ViewerModel
from napari.layers import Labels, Layer, Points, Shapes
from napari.utils.events import Event
from psygnal import Signal

__all__ = ["Lit", "what_clicks_do"]

PAN_ZOOM = "pan_zoom"
CROSSHAIR = "crosshair"


class Lit:
    """Follows the modes of napari's layer controls while a tool of the panel is lit.

    As long as it is lit, the active layer is in its mode "pan_zoom", in which it does nothing with
    clicks; to select another layer changes nothing. A mode that somebody picks puts the light out.
    At rest all modes are napari's, and nothing that is picked counts.

    Parameters
    ----------
    viewer : ViewerModel
        Whose layers.
    draws : callable
        Tells whether a layer in this mode draws for the tool that is lit.

    Attributes
    ----------
    on : bool
        Whether clicks are ours.
    changed : psygnal.Signal
        Emitted when it goes on or out, or clicks do something else while it is out.
    """

    changed = Signal()

    def __init__(self, viewer: ViewerModel, draws: Callable[[Layer, str], bool]) -> None:
        self.on = True
        self._viewer = viewer
        self._draws = draws
        self._quiet = self._resting = False
        self._taker: Layer | None = None  # whose tool was picked
        self._active: Layer | None = None
        # Last, because napari sets the cursor then.
        viewer.layers.selection.events.active.connect(self._follow, position="last")
        viewer.layers.events.removed.connect(self._removed)
        self._follow()

    @property
    def taker(self) -> Layer | None:
        """The layer whose tool was picked last; None while lit."""
        return None if self.on else self._taker

    def light(self) -> None:
        """Take the clicks."""
        was, self.on, self._taker = self.on, True, None
        self._calm()
        self._point()
        if not was:
            self.changed.emit()

    def rest(self) -> None:
        """Leave the canvas to napari until `wake`, after which it is lit if it is now."""
        self._resting = True
        self._give_back_cursor()

    def wake(self) -> None:
        """Take the clicks again, if they were ours before."""
        self._resting = False
        self._calm()
        self._point()

    @contextmanager
    def quietly(self) -> Iterator[None]:
        """Set modes that nobody has picked."""
        before, self._quiet = self._quiet, True
        try:
            yield
        finally:
            self._quiet = before

    def close(self) -> None:
        """Give the clicks back."""
        events = self._viewer.layers.selection.events
        events.active.disconnect(self._follow)
        self._viewer.layers.events.removed.disconnect(self._removed)
        self._attend(None)
        self._give_back_cursor()

    def _follow(self, event: Event | None = None) -> None:
        self._attend(self._viewer.layers.selection.active)
        self._calm()
        self._point()
        if not self.on and not self._resting:
            self.changed.emit()

    def _give_back_cursor(self) -> None:
        if (active := self._viewer.layers.selection.active) is not None:
            self._viewer.cursor.style = active.cursor

    def _attend(self, layer: Layer | None) -> None:
        if self._active is not None:
            self._active.events.mode.disconnect(self._mode_set)
        self._active = layer
        if layer is not None:
            layer.events.mode.connect(self._mode_set, position="last")

    def _calm(self) -> None:
        """Let the active layer do nothing with clicks, unless it draws for us."""
        layer, ours = self._active, self.on and not self._resting
        if ours and layer is not None and not self._draws(layer, str(layer.mode)):
            with self.quietly():
                layer.mode = PAN_ZOOM

    def _point(self) -> None:
        """Show that a click is a click on the picture."""
        if self.on and not self._resting and self._viewer.dims.ndisplay == 2:
            self._viewer.cursor.style = CROSSHAIR

    def _mode_set(self, event: Event) -> None:
        layer, mode = event.source, str(event.source.mode)
        if self._quiet or self._resting:
            return
        if not self.on:
            self._taker = layer
            self.changed.emit()
        elif mode != PAN_ZOOM and not self._draws(layer, mode):
            self.on, self._taker = False, layer
            self.changed.emit()
        else:
            self._point()

    def _removed(self, event: Event) -> None:
        """Take the clicks again when what they went to is gone."""
        if not self.on and event.value is self._taker:
            self.light()


def what_clicks_do(layer: Layer | None) -> str:
    """Return what napari does with a click while this layer is active.

    Examples
    --------
    >>> what_clicks_do(None)
    'Dragging now moves the view.'
    """
    mode = PAN_ZOOM if layer is None else str(layer.mode)
    if layer is None or mode == PAN_ZOOM:
        return "Dragging now moves the view."
    name = f"'{layer.name}'"
    if mode == "transform":
        return f"Dragging now moves or turns {name}."
    if isinstance(layer, Labels):
        return LABELS.get(mode, "Clicks now go to {}.").format(name)
    if isinstance(layer, Points):
        return POINTS.get(mode, "Clicks now go to {}.").format(name)
    if isinstance(layer, Shapes):
        draws = mode.startswith("add_")
        return f"Clicks now draw in {name}." if draws else f"Clicks now change shapes of {name}."
    return f"Clicks now go to {name}."


LABELS = {
    "paint": "Clicks now paint in {}.",
    "erase": "Clicks now erase in {}.",
    "fill": "Clicks now fill in {}.",
    "polygon": "Clicks now draw a polygon in {}.",
    "pick": "Clicks now pick a label of {}.",
}
POINTS = {
    "add": "Clicks now add points to {}.",
    "select": "Clicks now move points of {}.",
}
