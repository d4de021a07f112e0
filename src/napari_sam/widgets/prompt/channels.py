"""Choice of an image's channel axis, and of the channels that the model gets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from napari.components import ViewerModel
from napari.layers import Image
from qtpy.QtCore import QObject, QSignalBlocker, Signal
from qtpy.QtWidgets import QComboBox

from napari_sam.inference.channels import likely_channels, named_channels
from napari_sam.settings import load_settings, save_settings
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.common.connections import Connections
from napari_sam.widgets.layers.channel_mix import Channel, Read, finest
from napari_sam.widgets.layers.image_stack import ImageStack, answer, remember
from napari_sam.widgets.prompt.channel_controls import SIDE, ChannelControls

__all__ = ["Channels", "guess"]

STACK = "None: a stack"
COLOURS = "Red, green and blue"
DARK = "none"


class Channels(QObject):
    """Asks for the channel axis of the annotated image, and applies the chosen channels.

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
        self._viewer = viewer
        self._controls = c = controls
        self._presenter: _ChannelsPresenter | None = None
        c.yes.clicked.connect(lambda: self._do(_ChannelsPresenter.confirm))
        c.no.clicked.connect(lambda: self._do(lambda one: one.say(None)))
        c.axis.activated.connect(lambda at: self._do(lambda one: one.say(at - 1 if at else None)))
        c.sees.activated.connect(lambda at: self._do(lambda one: one.choose(at)))
        for box in c.colours:
            box.activated.connect(lambda: self._do(_ChannelsPresenter.choose_colours))
        self.follow(None)

    def recall(self, layer: Image) -> None:
        """Apply the settings saved for similar images, if this layer has none."""
        axis = guess(layer)
        said = None if axis is None else load_settings().channels.get(_pattern(layer, axis))
        if said is not None:
            remember(layer, channel_axis=axis if said else None, recalled=said)

    def follow(self, annotation: Annotation | None) -> None:
        """Switch to this annotation's image; ask for the channel axis if it is unknown."""
        if self._presenter is not None:
            self._presenter.close()
            self._presenter = None
        if annotation is None:
            self._controls.ask("")
            self._controls.show_rows(axis=False, sees=False, mix=False, view=False)
        else:
            self._presenter = _ChannelsPresenter(self, annotation.picture)

    def close(self) -> None:
        """Disconnect from the viewer."""
        self.follow(None)
        self._controls.view.close()

    def _do(self, step: Callable[[_ChannelsPresenter], object]) -> None:
        if self._presenter is not None:
            step(self._presenter)


class _ChannelsPresenter:
    """Presenter of the channel options of one image."""

    def __init__(self, part: Channels, picture: ImageStack) -> None:
        self._part = part
        self._picture = picture
        self._viewer = part._viewer
        self._controls = part._controls
        self._guess: int | None = None
        self._sources: list[Channel] = []
        self._controls.view.source = self._reader
        self._connections = connections = Connections()
        dims, layers = part._viewer.dims.events, part._viewer.layers.events
        connections.add(dims.point, self._controls.view.refresh)
        connections.add(dims.order, self._controls.view.refresh)
        connections.add(dims.ndisplay, self._turn)
        connections.add(layers.inserted, self._fill)
        connections.add(layers.removed, self._fill)
        connections.add(picture.changed, self._renew)
        self._renew()

    def close(self) -> None:
        self._controls.view.source = lambda: None
        self._connections.close()

    def confirm(self) -> None:
        self.say(self._guess)

    def say(self, axis: int | None) -> None:
        """Set the channel axis, or none, and save it for similar images."""
        self._controls.ask("")
        layer, before = self._picture.layer, self._picture.channel_axis
        likely = likely_channels(finest(layer).shape)
        if likely is not None and axis in (likely, None):
            settings = load_settings()
            channels = {**settings.channels, _pattern(layer, likely): axis is not None}
            save_settings(replace(settings, channels=channels))
        remember(layer, channel_axis=axis, recalled=False)
        if axis != before:
            remember(layer, sees=None)
            self._part.axis_changed.emit()

    def choose(self, index: int) -> None:
        """Pass a single channel to the model, or as many as it takes."""
        if index < len(self._sources):
            self._see((self._sources[index],))
        else:
            self._see((*self._sources, None)[:3])

    def choose_colours(self) -> None:
        """Pass the channels selected as red, green and blue to the model."""
        choices = [None, *self._sources]
        self._see(tuple(choices[box.currentIndex()] for box in self._controls.colours))

    def _turn(self, event: object = None) -> None:
        self._picture.turn(self._viewer.dims)
        self._controls.view.refresh()

    def _renew(self) -> None:
        """Ask about the axes that the picture has now, and show the choices that there are."""
        layer, question, note = self._picture.layer, "", ""
        self._guess = guess(layer)
        if self._guess is not None:
            question = f"Is {_pattern(layer, self._guess)} the channels?"
        elif answer(layer).get("recalled"):
            axis = _pattern(layer, self._picture.channel_axis or 0)
            note = f"Taken as channels, as you said before: {axis}. Options changes it."
        self._controls.ask(question, note)
        self._fill()

    def _see(self, channels: tuple[Channel | None, ...]) -> None:
        picture = self._picture
        if any(channels):  # of nothing there is no mask
            picture.see(channels)
            if all(one is None or one in picture.channels for one in channels):
                remember(
                    picture.layer, sees=[one if one is None else one.index for one in channels]
                )
        self._fill()

    def _reader(self) -> Read | None:
        plane = self._picture.plane(self._viewer.dims)
        return None if plane is None else self._picture.view(plane, SIDE)

    def _fill(self, event: object = None) -> None:
        """Show the choices as they are now."""
        c, picture, layer = self._controls, self._picture, self._picture.layer
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
    """Return the axis that may hold channels, to ask the user about; None if there is none."""
    known = "channel_axis" in answer(layer) or named_channels(layer.axis_labels) is not None
    return None if layer.rgb or known else likely_channels(finest(layer).shape)


def _pattern(layer: Image, axis: int) -> str:
    return f"axis {axis} of {layer.ndim} ({finest(layer).shape[axis]} long)"


def _refill(box: QComboBox, entries: list[str], chosen: int) -> None:
    with QSignalBlocker(box):
        box.clear()
        box.addItems(entries)
        box.setCurrentIndex(chosen)
