"""The channel axis of an image, and the axes of its masks. No torch here.

Masks have no channels. Viewers align the last axes of arrays, so a leading channel axis is left
out of the masks, and one further in or last stays, with one entry that stands for all channels:

========================  ===================
picture                   masks
========================  ===================
(C, Y, X)                 (Y, X)
(C, Z, Y, X)              (Z, Y, X)
(Z, C, Y, X)              (Z, 1, Y, X)
(T, Y, X, C)              (T, Y, X, 1)
========================  ===================
"""

from __future__ import annotations

from collections.abc import Sequence

from napari_sam.planes import Plane

__all__ = ["FEW", "in_image", "in_masks", "likely_channels", "mask_shape", "named_channels"]

NAMES = {"c", "ch", "chan", "channel", "channels", "colour", "color", "wavelength", "lambda"}
FEW = range(2, 6)  # this many entries look like channels rather than slices or moments


def named_channels(labels: Sequence[str]) -> int | None:
    """Return the only axis that is labelled as channels, else None.

    Examples
    --------
    >>> named_channels(("t", "C", "y", "x"))
    1
    >>> named_channels(("-3", "-2", "-1"))
    """
    named = [axis for axis, label in enumerate(labels) if label.strip().lower() in NAMES]
    return named[0] if len(named) == 1 else None


def likely_channels(shape: Sequence[int]) -> int | None:
    """Return the axis whose length suggests channels, else None; the user should confirm it.

    Looked for where channels usually stand: last, before the rows, first.

    Examples
    --------
    >>> likely_channels((3, 512, 512)), likely_channels((9, 512, 512, 2))
    (0, 3)
    >>> likely_channels((512, 3))
    """
    if len(shape) < 3:
        return None
    places = (len(shape) - 1, len(shape) - 3, 0)
    return next((axis for axis in places if shape[axis] in FEW), None)


def mask_shape(shape: Sequence[int], channels: int | None) -> tuple[int, ...]:
    """Return the shape of the masks of an image.

    Parameters
    ----------
    shape : sequence of int
        Of the picture, without the colours of RGB.
    channels : int or None
        The axis of the channels.

    Examples
    --------
    >>> mask_shape((3, 512, 512), 0), mask_shape((9, 3, 512, 512), 1)
    ((512, 512), (9, 1, 512, 512))
    """
    return tuple(
        1 if axis == channels else int(size)
        for axis, size in enumerate(shape)
        if not axis == channels == 0
    )


def in_image(plane: Plane, channels: int | None, channel: int) -> Plane:
    """Map a plane of the masks to the plane of one channel of the image.

    Examples
    --------
    >>> in_image((None, None), 0, 2), in_image((7, 0, None, None), 1, 2)
    ((2, None, None), (7, 2, None, None))
    """
    if channels is None:
        return plane
    return (*plane[:channels], channel, *plane[channels + (channels > 0) :])


def in_masks(plane: Plane, channels: int | None) -> Plane:
    """Map a plane of the image to the plane of its masks.

    Examples
    --------
    >>> in_masks((2, None, None), 0), in_masks((7, 2, None, None), 1)
    ((None, None), (7, 0, None, None))
    """
    if channels is None:
        return plane
    return (*plane[:channels], *[0] * (channels > 0), *plane[channels + 1 :])
