"""Text of questions and messages about the axes of an image."""

from __future__ import annotations

from napari.layers import Image

from napari_sam.io.spacing import SYMBOLS, Spacing
from napari_sam.widgets.common.wording import count
from napari_sam.widgets.layers.channel_mix import finest
from napari_sam.widgets.layers.image_stack import ImageStack
from napari_sam.widgets.layers.transform import transform_of

__all__ = [
    "COLOURS",
    "COLOURS_TIP",
    "NO_COLOURS",
    "NO_COLOURS_TIP",
    "RECALLED",
    "TIPS",
    "channel_question",
    "choices",
    "from_file",
    "question",
]

COLOURS = "Colours"
COLOURS_TIP = "Channels: one mask counts for all of them; the model sees them as colours"
NO_COLOURS = "No"
NO_COLOURS_TIP = "Each slice has masks of its own"
TIPS = (
    "An object goes through the slices as a body, and has a volume",
    "An object is followed from frame to frame, and measured in each",
)
RECALLED = "Taken as {}, as you said before. Options, Stack of, changes it."


def choices(picture: ImageStack) -> list[str]:
    """Return what the leading axes may be, in the order of "z", "t" or "tz", "zt"."""
    sizes = [picture.shape[axis] for axis in picture.axes.leading]
    if len(sizes) == 1:
        return ["Slices in depth", "Time points"]
    if len(sizes) == 2:
        return [
            f"{sizes[0]} time points, {sizes[1]} slices",
            f"{sizes[0]} slices, {sizes[1]} time points",
        ]
    return []


def question(picture: ImageStack) -> str:
    """Return the question what the leading axes are."""
    name, sizes = picture.layer.name, [picture.shape[axis] for axis in picture.axes.leading]
    if len(sizes) == 1:
        return f"'{name}' holds {sizes[0]:,} images: slices in depth, or time points?"
    return f"'{name}' holds {sizes[0]:,} times {sizes[1]:,} images: which are the time points?"


def channel_question(picture: ImageStack, axis: int) -> str:
    """Return the question whether an axis holds channels."""
    name, size = picture.layer.name, finest(picture.layer).shape[axis]
    if picture.axes.leading == [axis]:
        return f"'{name}' holds {size} images: colours, slices in depth, or time points?"
    return f"Axis {axis} of '{name}' has {size} entries: are they colours?"


def from_file(layer: Image, file: Spacing) -> str:
    """Return what the file says, and the layer does not; empty if that is nothing."""
    own = Spacing.of(layer.ndim, transform_of(layer))
    said = []
    for axis, size in enumerate(finest(layer).shape[: layer.ndim - 2]):
        noun = {"t": "time point", "z": "slice", "c": "colour"}.get(file.known[axis])
        if noun and not own.known[axis]:
            said.append(count(size, noun))
    if not own.measured and own.completed(file).measured:
        said.append(_pixel_size(file))
    return f"From the file: {', '.join(said)}." if said else ""


def _pixel_size(spacing: Spacing) -> str:
    """Return the size of a pixel in words.

    Examples
    --------
    >>> _pixel_size(Spacing.of(2, {"scale": (0.325, 0.325), "units": ("micrometer",) * 2}))
    '0.325 µm a pixel'
    """
    height, width = spacing.scale[-2:]
    unit = SYMBOLS.get(spacing.units[-1], spacing.units[-1])
    size = f"{width:.3g}" if height == width else f"{height:.3g} x {width:.3g}"
    said = f"{size} {unit} a pixel"
    depth = spacing.known.index("z") if "z" in spacing.known else None
    if depth is None or spacing.units[depth] != spacing.units[-1]:
        return said
    return f"{said}, {spacing.scale[depth]:.3g} {unit} from slice to slice"
