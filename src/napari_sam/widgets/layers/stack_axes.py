"""Meaning of an Image layer's axes: as the user says, as the layer does, or its file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypedDict, Unpack, cast

from napari.layers import Image

from napari_sam.inference.channels import named_channels
from napari_sam.io.spacing import Spacing
from napari_sam.planes import Plane
from napari_sam.widgets.layers.transform import transform_of

__all__ = [
    "OURS",
    "Said",
    "StackAxes",
    "answer",
    "channel_axis",
    "layer_spacing",
    "remember",
    "said_channels",
]

OURS = "napari-sam"
"""Our one metadata key: the role of a layer of ours, or what is known of a picture's axes."""

WORDS = {"t": "frame"}  # of the others a step is a slice


class Said(TypedDict, total=False):
    """What the user, or the file, says of a layer's axes."""

    channel_axis: int | None  # None: it is a stack
    sees: list[int | None] | None  # which of them the model sees
    recalled: bool  # whether it was said of other pictures
    axes: dict[int, str]  # "t" or "z" of axes that the file does not name
    file: Spacing | None  # of its file; None: that does not say


def answer(layer: Image) -> Said:
    """Return what is stored of the axes in the layer's metadata."""
    said = layer.metadata.get(OURS)
    return cast(Said, said) if isinstance(said, dict) else {}


def remember(layer: Image, **said: Unpack[Said]) -> None:
    """Store what is known of the axes in the layer's metadata."""
    layer.metadata[OURS] = {**answer(layer), **said}


def channel_axis(layer: Image) -> int | None:
    """Return the channel axis of a layer: as the user says, the axis labels, or its file."""
    if layer.rgb or layer.ndim < 3:
        return None
    axis = answer(layer).get("channel_axis", said_channels(layer))
    return axis if axis in range(layer.ndim) else None


def said_channels(layer: Image) -> int | None:
    """Return the axis that the axis labels or the file name as channels, else None."""
    named, file = named_channels(layer.axis_labels), answer(layer).get("file")
    if named is not None or file is None or len(file.names) != layer.ndim:
        return named
    return named_channels(file.names)


def layer_spacing(layer: Image) -> Spacing:
    """Return axis names and pixel size: as the user says, the layer, or else its file."""
    spacing = Spacing.of(layer.ndim, transform_of(layer))
    known = answer(layer)
    file, axes = known.get("file"), known.get("axes", {})
    if file is not None and len(file.names) == layer.ndim:
        spacing = spacing.completed(file)
    names = (axes.get(axis, name) for axis, name in enumerate(spacing.names))
    return replace(spacing, names=tuple(names))


@dataclass(frozen=True)
class StackAxes:
    """Axes of the masks over an image: which are depth, time and channels, and the pixel size.

    Parameters
    ----------
    layer : napari.layers.Image
        The image.
    shape : tuple of int
        Of the masks.
    channels : int or None
        Axis of the channels in the image.
    """

    layer: Image
    shape: tuple[int, ...]
    channels: int | None

    @property
    def spacing(self) -> Spacing:
        """Axis names and pixel size of the masks; only the axis of channels is called so."""
        spacing, channels = layer_spacing(self.layer), self.channels
        names = [
            "c" if axis == channels else "" if spacing.known[axis] == "c" else name
            for axis, name in enumerate(spacing.names)
        ]
        kept = [axis for axis in range(self.layer.ndim) if not axis == channels == 0]
        return replace(spacing, names=tuple(names)).taken(kept)

    @property
    def leading(self) -> list[int]:
        """Axes of the masks along which slices follow each other: all but two, and channels."""
        channels = self.channels or None
        return [axis for axis in range(len(self.shape)) if axis != channels][:-2]

    @property
    def unnamed(self) -> list[int]:
        """Leading axes of which nobody has said whether they are depth or time.

        Where one of two is known the other one is, too.
        """
        known = self.spacing.known
        open_ones = [axis for axis in self.leading if not known[axis] and self.shape[axis] > 1]
        told = {known[axis] for axis in self.leading} & {"t", "z"}
        return [] if told and len(open_ones) == 1 else open_ones

    @property
    def word(self) -> str:
        """What one step of the stack is called: "slice", or "frame" of a time series."""
        words = [self.word_of(axis) for axis in self.leading]
        return words[0] if len(set(words)) == 1 else "slice"

    def word_of(self, axis: int) -> str:
        """Return what one step along an axis of the masks is called: "slice" or "frame"."""
        known = self.spacing.known
        others = {known[other] for other in self.leading if other != axis}
        letter = known[axis] or ("t" if "z" in others and len(self.leading) == 2 else "z")
        return WORDS.get(letter, "slice")

    def name_of(self, plane: Plane) -> str:
        """Return what a plane is called, such as "slice 12" or "frame 3, slice 12"."""
        leading, channels = set(self.leading), self.channels or None
        steps = [
            (self.word_of(axis) if axis in leading else "", at)
            for axis, at in enumerate(plane)
            if at is not None and axis != channels
        ]
        words = [word for word, _ in steps if word]
        if len(set(words)) < 2:  # "slice 3, 12"
            return f"{words[0] if words else 'slice'} {', '.join(str(at) for _, at in steps)}"
        return ", ".join(f"{word} {at}" for word, at in steps if word)
