"""Which axis of a picture holds its channels, and which of them the model sees."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from napari.components import ViewerModel
from napari.layers import Image
from qtpy.QtCore import QObject, QSignalBlocker, Signal
from qtpy.QtWidgets import QComboBox

from napari_sam.inference.channels import likely_channels, named_channels
from napari_sam.settings import load_settings, save_settings
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.layers.channel_mix import Channel, Read, finest
from napari_sam.widgets.layers.image_stack import ImageStack, answer, remember
from napari_sam.widgets.prompt.channel_controls import SIDE, ChannelControls

__all__ = ["Channels", "guess"]

STACK = "None: a stack"
COLOURS = "Red, green and blue"
DARK = "none"


class Channels(QObject):
    """Asks about the channels of the picture being annotated, and carries the choice to it.

    Parameters
    ----------
    viewer : ViewerModel
        Whose layers may serve as further channels, and whose slice is shown.
    controls : ChannelControls
        The widgets.
    """

    axis_changed = Signal()  # masks have other axes from now on

    def __init__(
        self, viewer: ViewerModel, controls: ChannelControls, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.picture: ImageStack | None = None
        self._guess: int | None = None
        self._sources: list[Channel] = []
        self._viewer = viewer
        self._controls = c = controls
        c.yes.clicked.connect(lambda: self._say(self._guess))
        c.no.clicked.connect(lambda: self._say(None))
        c.axis.activated.connect(lambda index: self._say(index - 1 if index else None))
        c.sees.activated.connect(self._choose)
        for box in c.colours:
            box.activated.connect(self._choose_colours)
        c.view.source = self._reader
        for event in self._view_events():
            event.connect(c.view.refresh)
        for event in self._layer_events():
            event.connect(self._fill)
        viewer.dims.events.ndisplay.connect(self._turn)
        self._fill()

    def recall(self, layer: Image) -> None:
        """Take over what was said of other pictures like this one, if nobody spoke of this."""
        axis = guess(layer)
        said = None if axis is None else load_settings().channels.get(_pattern(layer, axis))
        if said is not None:
            remember(layer, channel_axis=axis if said else None, recalled=said)

    def follow(self, annotation: Annotation | None) -> None:
        """Serve its picture from now on; ask about the channels if nobody has said."""
        if self.picture is not None:
            self.picture.changed.disconnect(self._renew)
        self.picture = picture = None if annotation is None else annotation.picture
        if picture is not None:
            picture.changed.connect(self._renew)
        self._ask()
        self._fill()

    def _renew(self) -> None:
        """Ask about the axes that the picture has now, and show the choices that there are."""
        self._ask()
        self._fill()

    def _ask(self) -> None:
        picture = self.picture
        self._guess = None if picture is None else guess(picture.layer)
        question = note = ""
        if picture is not None:
            if self._guess is not None:
                question = f"Is {_pattern(picture.layer, self._guess)} the channels?"
            elif answer(picture.layer).get("recalled"):
                axis = _pattern(picture.layer, picture.channel_axis or 0)
                note = f"Taken as channels, as you said before: {axis}. More options change it."
        self._controls.ask(question, note)

    def close(self) -> None:
        """Follow the viewer no longer."""
        self.follow(None)
        for event in self._view_events():
            event.disconnect(self._controls.view.refresh)
        for event in self._layer_events():
            event.disconnect(self._fill)
        self._viewer.dims.events.ndisplay.disconnect(self._turn)
        self._controls.view.close()

    def _turn(self, event: object = None) -> None:
        if self.picture is not None:
            self.picture.turn(self._viewer.dims)

    def _view_events(self) -> list[Any]:
        events = self._viewer.dims.events
        return [events.point, events.ndisplay, events.order]

    def _layer_events(self) -> list[Any]:
        return [self._viewer.layers.events.inserted, self._viewer.layers.events.removed]

    def _say(self, axis: int | None) -> None:
        if self.picture is not None:
            self._controls.ask("")
            layer, before = self.picture.layer, self.picture.channel_axis
            likely = likely_channels(finest(layer).shape)
            if likely is not None and axis in (likely, None):
                settings = load_settings()
                channels = {**settings.channels, _pattern(layer, likely): axis is not None}
                save_settings(replace(settings, channels=channels))
            remember(layer, channel_axis=axis, recalled=False)
            if axis != before:
                remember(layer, sees=None)
                self.axis_changed.emit()

    def _choose(self, index: int) -> None:
        if index < len(self._sources):
            self._see((self._sources[index],))
        else:
            self._see((*self._sources, None)[:3])

    def _choose_colours(self) -> None:
        choices = [None, *self._sources]
        self._see(tuple(choices[box.currentIndex()] for box in self._controls.colours))

    def _see(self, channels: tuple[Channel | None, ...]) -> None:
        if self.picture is not None and any(channels):  # of nothing there is no mask
            self.picture.see(channels)
            if all(one is None or one in self.picture.channels for one in channels):
                remember(self.picture.layer, sees=[one and one.index for one in channels])
        self._fill()

    def _reader(self) -> Read | None:
        picture = self.picture
        plane = None if picture is None else picture.plane(self._viewer.dims)
        return None if picture is None or plane is None else picture.view(plane, SIDE)

    def _fill(self, event: object = None) -> None:
        """Show the choices as they are now."""
        c, picture = self._controls, self.picture
        if picture is None:
            c.show_rows(axis=False, sees=False, mix=False, view=False)
            return
        layer = picture.layer
        others = [one for one in self._viewer.layers if isinstance(one, Image)]
        self._sources = [*picture.channels, *(Channel(one) for one in others if picture.takes(one))]
        if not {*picture.mix.channels} <= {None, *self._sources}:  # a layer was taken away
            picture.see(picture.usual_mix())
        seen = picture.mix.channels
        axes = [] if layer.rgb or layer.ndim < 3 else list(range(layer.ndim))
        sizes = [f"Axis {axis}, {picture.data.shape[axis]} long" for axis in axes]
        _refill(c.axis, [STACK, *sizes], [None, *axes].index(picture.channel_axis))
        names = [one.layer.name if one.axis is None else str(one.index) for one in self._sources]
        coloured, many = picture.mix.coloured, len(names) > 1
        chosen = len(names) if coloured else self._sources.index(seen[0])  # type: ignore[arg-type]
        greys = [
            f"{'' if one.axis is None else 'Channel '}{name}, grey"
            for one, name in zip(self._sources, names, strict=True)
        ]
        _refill(c.sees, [*greys, COLOURS], chosen)
        if coloured:
            for box, channel in zip(c.colours, seen, strict=True):
                _refill(box, [DARK, *names], [None, *self._sources].index(channel))
        c.show_rows(axis=bool(axes), sees=many, mix=many and coloured, view=True)
        c.view.refresh()


def guess(layer: Image) -> int | None:
    """Return the axis that may hold channels and must be asked about, else None."""
    known = "channel_axis" in answer(layer) or named_channels(layer.axis_labels) is not None
    return None if layer.rgb or known else likely_channels(finest(layer).shape)


def _pattern(layer: Image, axis: int) -> str:
    return f"axis {axis} of {layer.ndim} ({finest(layer).shape[axis]} long)"


def _refill(box: QComboBox, entries: list[str], chosen: int) -> None:
    with QSignalBlocker(box):
        box.clear()
        box.addItems(entries)
        box.setCurrentIndex(chosen)
