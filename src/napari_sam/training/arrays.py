"""Image and label files as arrays that fit each other, or the reason why they do not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image
from scipy import ndimage

from napari_sam.errors import InputError
from napari_sam.inference.image import check_image, contrast_range, to_rgb8
from napari_sam.io.labels import open_labels
from napari_sam.io.pictures import PNG, check_file, open_picture

__all__ = ["matched", "read_image", "read_labels", "to_rgb8_planes"]

MODES = {"P": "RGB", "PA": "RGB", "LA": "L"}  # Pillow's


def read_image(file: Path) -> NDArray[Any]:
    """Read a picture; the colours of a palette become RGB, transparency is dropped."""
    check_file(file)
    if file.suffix.lower() in PNG:
        with Image.open(file) as image:
            return np.asarray(image.convert(MODES.get(image.mode, image.mode)))
    with open_picture(file) as data:
        return np.asarray(data[...])


def read_labels(file: Path) -> NDArray[Any]:
    """Read labels; the numbers behind a palette's colours are the labels."""
    with open_labels(file) as data:
        return np.asarray(data[...])


def matched(image: ArrayLike, labels: ArrayLike) -> tuple[list[NDArray[Any]], NDArray[np.integer]]:
    """Turn a sample into planes of its channels and planes of its labels.

    Parameters
    ----------
    image : (..., H, W) array
        RGB and RGBA have their colours last; other channels, up to 4, stand last, before the rows
        or first.
    labels : (..., H, W) array of whole numbers
        0 is background or unknown. Leading axes are slices or moments.

    Returns
    -------
    channels : list of (N, H, W) or (N, H, W, 3) ndarray
        One for grey or RGB, else one for each channel.
    labels : (N, H, W) int

    Raises
    ------
    InputError
        If the two do not fit, or the labels are not one number per object.
    """
    image, labels = np.squeeze(image), np.squeeze(labels)
    if labels.ndim < 2:
        raise InputError(f"labels must have at least two axes; got shape {labels.shape}")
    if labels.ndim > 2 and labels.shape[-1] in (3, 4):
        raise InputError("the labels are a colour picture; each object needs a whole number")
    check_image(image.reshape(1, -1))
    plane = labels.shape[-2:]
    channels = [
        c.reshape(-1, *plane, *c.shape[labels.ndim :]) for c in _channels(image, labels.shape)
    ]
    labels = _numbers(labels).reshape(-1, *plane)
    _check_objects(labels)
    return channels, labels


def to_rgb8_planes(
    channels: list[NDArray[Any]], planes: NDArray[np.int64]
) -> list[NDArray[np.uint8]]:
    """Return some planes as (H, W, 3) uint8, stretched by the intensities of the whole stack.

    The first three channels become red, green and blue, each stretched on its own.

    Raises
    ------
    InputError
        If (nearly) all pixels are equal.
    """
    contrasts = [contrast_range(channel) for channel in channels[:3]]
    if all(low == high for low, high in contrasts):
        raise InputError(f"the picture is empty: (nearly) all values are {contrasts[0][0]:g}")
    colours = [
        [to_rgb8(channel[z], contrast) for z in planes]
        for channel, contrast in zip(channels, contrasts, strict=False)
    ]
    if len(colours) == 1:
        return colours[0]
    missing = [[np.zeros_like(rgb) for rgb in colours[0]]] * (3 - len(colours))
    together = zip(*colours, *missing, strict=True)
    return [np.stack([rgb[..., 0] for rgb in parts], axis=-1) for parts in together]


def _channels(image: NDArray[Any], shape: tuple[int, ...]) -> list[NDArray[Any]]:
    if image.shape == shape:
        return [image]
    if image.ndim == len(shape) + 1:
        if image.shape[:-1] == shape and image.shape[-1] in (3, 4):
            return [image[..., :3]]
        for axis in (image.ndim - 1, image.ndim - 3, 0):
            rest = image.shape[:axis] + image.shape[axis + 1 :]
            if rest == shape and image.shape[axis] <= 4:
                return list(np.moveaxis(image, axis, 0))
    raise InputError(
        f"image {image.shape} and labels {shape} do not fit; they must have the same axes, and "
        "the image may have up to 4 channels"
    )


def _numbers(labels: NDArray[Any]) -> NDArray[np.integer]:
    if labels.dtype.kind not in "biuf":
        raise InputError(f"labels must be whole numbers; got dtype {labels.dtype}")
    if labels.dtype.kind == "f" and not (np.isfinite(labels) & (labels == np.round(labels))).all():
        raise InputError("labels must be whole numbers; these have fractions or NaN")
    if labels.size and labels.min() < 0:
        raise InputError(f"labels must not be negative; got {labels.min()}")
    return labels if labels.dtype.kind in "iu" else labels.astype(np.int64)


def _check_objects(labels: NDArray[np.integer]) -> None:
    """Refuse planes without an object, and a mask that gives all objects one number."""
    first = next((plane for plane in labels if plane.any()), None)
    if first is None:
        raise InputError("the labels hold no object")
    if ((labels != 0) & (labels != first.max())).any():
        return
    pieces, count = ndimage.label(first, np.ones((3, 3)))
    if np.bincount(pieces.ravel())[1:].max() < np.count_nonzero(first) / 2:
        raise InputError(
            f"the labels hold one number, {first.max()}, in {count} separate pieces; each object "
            "needs a number of its own"
        )
