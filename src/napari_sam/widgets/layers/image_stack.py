"""An Image layer as a stack of planes, and helper layers aligned with it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

import numpy as np
from napari.components import Dims
from napari.layers import Image, Layer
from napari.utils.events import Event
from psygnal import Signal

from napari_sam.arrays import LazyArray
from napari_sam.inference.channels import in_masks, mask_shape
from napari_sam.inference.pyramid import is_large
from napari_sam.io.label_stores.opening import too_large
from napari_sam.io.spacing import Spacing
from napari_sam.planes import Plane
from napari_sam.widgets.layers.channel_mix import Channel, LazyPlane, Mix, Read, finest
from napari_sam.widgets.layers.stack_axes import OURS, StackAxes, answer, channel_axis
from napari_sam.widgets.layers.transform import TRANSFORM, MaskTransform

__all__ = ["OURS", "ImageStack", "is_helper", "on_plane", "plane_at"]

WHOLE = 32  # bytes for each pixel of labels, masks and pictures of a plane that are held at once
TOO_LARGE = (
    "This slice of {:,} x {:,} pixels does not fit into the memory of this machine as a whole. The "
    "tab Prompt works in parts of it; for everything in it use the command napari-sam segment, "
    "which goes through the file tile by tile."
)
HELPERS = "points", "boxes", "preview", "outlines", "selected"


def is_helper(layer: Layer) -> bool:
    """Return whether a layer is a helper of a panel: prompts, preview, outlines or highlight."""
    return layer.metadata.get(OURS) in HELPERS


def on_plane(plane: Plane) -> tuple[int | slice, ...]:
    """Return the numpy index of a plane."""
    return tuple(slice(None) if at is None else at for at in plane)


def plane_at(position: Iterable[float], seen: Collection[int]) -> Plane:
    """Return the plane through a position in data coordinates, spanned by two axes."""
    return tuple(None if i in seen else round(float(at)) for i, at in enumerate(position))


class ImageStack:
    """An Image layer as a stack of planes; its masks have the same axes without the channel axis.

    Planes, shapes and positions are those of the masks; see `napari_sam.inference.channels`.

    Parameters
    ----------
    layer : napari.layers.Image
        Grey, RGB(A) or with an axis of channels; numpy, dask or zarr; of a multiscale layer the
        finest level.

    Attributes
    ----------
    changed : psygnal.Signal
        Emitted when the model sees other pixels from now on.
    redrawn : psygnal.Signal
        Emitted when pixels may have been changed in place, or others are in view.
    channel_axis : int or None
        As it was when the picture was made, or when its axes changed last.
    """

    changed = Signal()
    redrawn = Signal()

    def __init__(self, layer: Image) -> None:
        self.layer = layer
        self.channel_axis = channel_axis(layer)
        self._axes = layer.ndim, layer.rgb
        self._mix = Mix(_said_mix(layer, self.channels) or self.usual_mix())
        self._followed: set[Layer] = set()

    @property
    def data(self) -> LazyArray:
        """The pixel array: all axes of the layer, then the colours of an RGB image."""
        return finest(self.layer)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the masks (without channels)."""
        return mask_shape(self.data.shape[: self.layer.ndim], self.channel_axis)

    @property
    def ndim(self) -> int:
        """Number of axes of the masks."""
        return len(self.shape)

    @property
    def transform(self) -> MaskTransform:
        """The transform of the masks."""
        return MaskTransform(self.layer, self.data.shape[: self.layer.ndim], self.channel_axis)

    @property
    def spacing(self) -> Spacing:
        """The spacing of the masks."""
        return Spacing.of(self.ndim, self.transform.arguments)

    @property
    def axes(self) -> StackAxes:
        """What is known of the masks' axes: depth or time, and the pixel size."""
        return StackAxes(self.layer, self.shape, self.channel_axis)

    @property
    def axis_word(self) -> str:
        """What one step of the stack is called: "slice", or "frame" of a time series."""
        return self.axes.word

    @property
    def channels(self) -> list[Channel]:
        """The channels of the layer; a single one for a grey or RGB image."""
        if self.channel_axis is None:
            return [Channel(self.layer)]
        count = self.data.shape[self.channel_axis]
        return [Channel(self.layer, self.channel_axis, index) for index in range(count)]

    @property
    def mix(self) -> Mix:
        """The channel mix that the model gets."""
        return self._mix

    def usual_mix(self) -> tuple[Channel | None, ...]:
        """Return the default mix: a single channel, or the first three as RGB, as in training."""
        own = self.channels
        return (own[0],) if len(own) == 1 else (*own, None)[:3]

    def see(self, channels: tuple[Channel | None, ...]) -> None:
        """Set the channels for the model: a single one, or three as red, green and blue."""
        self._mix = Mix(channels)
        if self._followed:
            self.follow()
        self.changed.emit()

    def follow(self, connect: bool = True) -> None:
        """Connect to (or disconnect from) the data events of the layers."""
        for layer in self._followed:
            layer.events.data.disconnect(self.renew)
            layer.events.set_data.disconnect(self._tell_redrawn)
        seen = {channel.layer for channel in self._mix.channels if channel is not None}
        self._followed = {self.layer, *seen} if connect else set()
        for layer in self._followed:
            layer.events.data.connect(self.renew)
            layer.events.set_data.connect(self._tell_redrawn)

    def renew(self, event: Event | None = None) -> None:
        """Update the axes and the channel mix after a change of the data."""
        axes = self.layer.ndim, self.layer.rgb
        if axes != self._axes:  # what was said of the channels was said of other axes
            self._axes = axes
            self.layer.metadata.pop(OURS, None)
            self.channel_axis = channel_axis(self.layer)
        own, seen = set(self.channels), {c for c in self._mix.channels if c is not None}
        known = all(c in own or (c.axis is None and self.takes(c.layer)) for c in seen)
        self.see(self._mix.channels if known else self.usual_mix())

    def takes(self, layer: Image) -> bool:
        """Return whether a layer can be an extra channel: grey, of equal shape and position."""
        return (
            layer is not self.layer
            and not (self.layer.rgb or layer.rgb)
            and tuple(finest(layer).shape) == self.shape
            and self.transform.is_of(layer)
        )

    def turn(self, dims: Dims) -> None:
        """Reorder the viewer's axes so that the channel axis has a slider."""
        axis = (self.channel_axis or 0) + dims.ndim - self.layer.ndim
        if self.channel_axis is not None and axis in dims.displayed and axis != dims.order[0]:
            dims.order = (axis, *(other for other in dims.order if other != axis))

    def plane(self, dims: Dims) -> Plane | None:
        """Return the plane that the viewer shows; None in 3D or outside the image."""
        seen = [axis - (dims.ndim - self.layer.ndim) for axis in dims.displayed]
        if dims.ndisplay != 2 or min(seen) < 0 or self.channel_axis in seen:
            return None
        plane = plane_at(self.layer.world_to_data(dims.point), sorted(seen))
        sizes = zip(plane, self.data.shape, strict=False)
        if not all(i is None or 0 <= i < size for i, size in sizes):
            return None
        return in_masks(plane, self.channel_axis)

    def fits(self, plane: Plane, shape: tuple[int, ...] | None) -> bool:
        """Return whether the plane exists and, if given, the mask shape equals the plane's."""
        sizes = zip(plane, self.shape, strict=False)
        there = len(plane) == self.ndim and all(i is None or 0 <= i < size for i, size in sizes)
        return there and shape in (None, self.plane_shape(plane))

    def plane_shape(self, plane: Plane) -> tuple[int, int]:
        """Return (H, W) of a plane."""
        height, width = (n for n, i in zip(self.shape, plane, strict=True) if i is None)
        return height, width

    def too_large(self, plane: Plane) -> str:
        """Return why a plane cannot be worked on as a whole, as text; empty if it can."""
        height, width = self.plane_shape(plane)
        if not too_large((height, width, WHOLE), np.dtype(np.uint8)):
            return ""
        return TOO_LARGE.format(width, height)

    def reader(self, plane: Plane) -> Read:
        """Return a thread-safe function that reads a plane, (H, W) or (H, W, colours)."""
        return self._mix.reader(plane)

    def source(self, plane: Plane) -> Callable[[], LazyArray]:
        """Return what the model is given of a plane: a `reader`; of a large one a lazy array."""
        shape = self.plane_shape(plane)
        if not is_large(shape):
            return self.reader(plane)
        lazy = LazyPlane(self._mix, plane, shape)
        return lambda: lazy

    def view(self, plane: Plane, side: int) -> Read:
        """Return a function that reads the model's input for a plane, coarsely: (h, w, 3) uint8."""
        return self._mix.view(plane, max(1, max(self.plane_shape(plane)) // side))

    def sampler(self) -> Read | None:
        """Return a function that samples pixels of the whole stack; None for a single plane."""
        flat = self.layer.ndim - (self.channel_axis is not None) <= 2
        return None if flat else self._mix.sampler()

    @property
    def contrast_limits(self) -> tuple[float, float]:
        """Contrast limits of the first channel in the viewer."""
        first = next(channel for channel in self._mix.channels if channel is not None)
        low, high = first.layer.contrast_limits
        return low, high

    def on_move(self, callback: Callable[[Event], None], connect: bool = True) -> None:
        """Connect or disconnect a callback for changes of the layer's transform."""
        for name in TRANSFORM:
            event = getattr(self.layer.events, name)
            event.connect(callback) if connect else event.disconnect(callback)

    def _tell_redrawn(self, event: Event) -> None:
        self.redrawn.emit()


def _said_mix(layer: Image, channels: list[Channel]) -> tuple[Channel | None, ...] | None:
    """Return the channels that somebody wanted the model to see; None: nobody has said."""
    said = answer(layer).get("sees")
    own: dict[int | None, Channel] = dict(enumerate(channels))
    if not isinstance(said, list) or len(said) not in (1, 3):
        return None
    mix = tuple(own.get(index) for index in said)
    return mix if any(mix) else None
