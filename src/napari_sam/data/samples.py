"""Labelled images, read from folders of samples or made of arrays."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from napari_sam.data.pairs import FilePair, data_set_rules, find_pairs
from napari_sam.errors import InputError
from napari_sam.inference.image import check_image, contrast_range, to_rgb8
from napari_sam.io.images.read import open_image
from napari_sam.io.labels import open_labels
from napari_sam.numbering import check_numbers
from napari_sam.reasons import reason

__all__ = [
    "LabelledImage",
    "data_digest",
    "evenly_spaced",
    "images_from_arrays",
    "labelled_image",
    "load_images",
    "load_pairs",
    "match_axes",
    "to_rgb8_planes",
]

log = logging.getLogger(__name__)
SMALLEST = 9  # pixels; fewer are specks of the labelling
LARGEST = 0.9  # masks over this share of the picture are left out, as in the paper


@dataclass(frozen=True, eq=False)
class LabelledImage:
    """One slice: an RGB image with its labels and measured objects.

    Parameters
    ----------
    dataset, source : str
        Data set (or a stratum of it) and sample; planes of one stack share their source.
    rgb : (H, W, 3) uint8
        The picture, stretched by the percentiles of its whole stack.
    labels : (H, W) int32
        0 is background or unknown, 1..n the objects.
    ids : (n,) int64
        The objects that are large enough to be one and cover at most 90 % of the picture.
    centres : (n, 2) float
        Their centres (row, column).
    diameters : (n,) float
        Diameter of a disc of each object's area.
    partial : bool
        Whether only some objects are labelled: other pixels are unknown, never background.
    plane : int
        Index in the stack.
    """

    dataset: str
    source: str
    rgb: NDArray[np.uint8]
    labels: NDArray[np.int32]
    ids: NDArray[np.int64]
    centres: NDArray[np.float64]
    diameters: NDArray[np.float64]
    partial: bool = False
    plane: int = 0


def load_images(
    folder: Path,
    max_planes: int = 12,
    partial: bool = False,
    on_bad: Callable[[str, str], None] | None = None,
) -> list[LabelledImage]:
    """Read all samples of a folder, see `napari_sam.data.pairs.find_pairs`.

    Parameters
    ----------
    max_planes, partial, on_bad
        See `load_pairs`.

    Raises
    ------
    InputError
        If no sample could be read at all.
    """
    images = load_pairs(find_pairs(folder, on_bad), max_planes, partial, on_bad)
    if not images:
        raise InputError(
            f"no usable sample below {folder}; each needs a folder with image.tif|png and "
            "labels.tif|png, or a picture such as cells.tif with cells_labels.tif beside it"
        )
    return images


def load_pairs(
    pairs: Iterable[FilePair],
    max_planes: int = 12,
    partial: bool = False,
    on_bad: Callable[[str, str], None] | None = None,
) -> list[LabelledImage]:
    """Read pairs of image and label files.

    Parameters
    ----------
    pairs : iterable of FilePair
    max_planes : int
        Most planes taken of a stack, evenly spaced among those that hold objects.
    partial : bool
        Whether only some of the objects are labelled, in all of the samples.
    on_bad : callable, optional
        Told the source and the reason of each sample that cannot be used, in place of the log; it
        is left out.
    """
    images: list[LabelledImage] = []
    for one in pairs:
        try:
            with open_image(_there(one.image, "image")) as pixels:
                image = np.asarray(pixels[...])
            with open_labels(_there(one.labels, "labels")) as numbers:
                labels = np.asarray(numbers[...])
            images += _planes(one.dataset, one.source, image, labels, max_planes, partial)
        except Exception as error:  # files can be damaged in more ways than their readers name
            why = reason(error)
            if on_bad is None:
                log.warning("left out %s: %s", one.source, why)
            else:
                on_bad(one.source, why)
    return images


def images_from_arrays(
    name: str, image: ArrayLike, labels: ArrayLike, max_planes: int = 12, partial: bool = False
) -> list[LabelledImage]:
    """Return labelled images from arrays of an image and its labels, such as a pair of layers.

    Parameters
    ----------
    name : str
        Becomes data set and source.
    image : (..., H, W) array
        Grey, RGB or with up to 4 channels; see `napari_sam.data.samples.match_axes`.
    labels : (..., H, W) array of whole numbers
    max_planes, partial
        See `load_images`.

    Raises
    ------
    InputError
        If the two do not fit or hold nothing to learn from.

    Examples
    --------
    >>> image, labels = np.zeros((20, 30)), np.zeros((20, 30), int)
    >>> image[5:10, 5:10], labels[5:10, 5:10] = 1, 7
    >>> [image] = images_from_arrays("squares", image, labels)
    >>> image.centres
    array([[7., 7.]])
    """
    return _planes(name, name, np.asarray(image), np.asarray(labels), max_planes, partial)


def labelled_image(
    dataset: str,
    source: str,
    rgb: NDArray[np.uint8],
    labels: NDArray[np.integer],
    partial: bool = False,
    plane: int = 0,
) -> LabelledImage:
    """Return a slice with its objects numbered and measured; see `LabelledImage`."""
    values, numbers = np.unique(labels, return_inverse=True)  # however large the values are
    numbers = numbers.reshape(labels.shape).astype(np.int32) + (0 if values[0] == 0 else 1)
    flat, (rows, columns) = numbers.ravel(), np.indices(labels.shape).reshape(2, -1)
    areas = np.bincount(flat)
    areas[0] = 0
    ids = np.flatnonzero((areas >= SMALLEST) & (areas <= LARGEST * labels.size))
    sums = np.stack([np.bincount(flat, rows), np.bincount(flat, columns)], axis=1)
    centres = sums[ids] / areas[ids, None]
    diameters = np.sqrt(4 / np.pi * areas[ids])
    return LabelledImage(dataset, source, rgb, numbers, ids, centres, diameters, partial, plane)


def data_digest(images: Iterable[LabelledImage]) -> str:
    """Return the SHA-256 of all names, pixels and labels, whatever the order of the images."""
    parts = []
    for image in images:
        said = f"{image.source} {image.plane} {image.rgb.shape}"
        digest = hashlib.sha256(said.encode(errors="surrogateescape"))
        digest.update(image.rgb.tobytes())
        digest.update(image.labels.tobytes())
        parts.append(digest.digest())
    return hashlib.sha256(b"".join(sorted(parts))).hexdigest()


def _planes(
    dataset: str,
    source: str,
    image: NDArray[np.generic],
    labels: NDArray[np.generic],
    max_planes: int,
    partial: bool,
) -> list[LabelledImage]:
    channels, stack = match_axes(image, labels)
    full = np.flatnonzero(stack.any(axis=(1, 2)))
    chosen = []
    for first, last in data_set_rules(source.partition("/")[0]).blocks or [(0, len(stack))]:
        block = full[(full >= first) & (full < last)]
        chosen.append(block[evenly_spaced(len(block), max_planes)])
    places = np.concatenate(chosen)
    every = (
        labelled_image(dataset, source, rgb, stack[z], partial, int(z))
        for z, rgb in zip(places, to_rgb8_planes(channels, places), strict=True)
    )
    found = [one for one in every if len(one.ids)]
    if not found:
        raise InputError(
            f"every object is smaller than {SMALLEST} pixels or covers more than "
            f"{LARGEST:.0%} of the picture"
        )
    return found


def evenly_spaced(count: int, max_count: int | None) -> NDArray[np.int64]:
    """Return up to `max_count` evenly spaced indices out of `count`."""
    wanted = count if max_count is None else min(count, max_count)
    return np.unique(np.linspace(0, count - 1, wanted).round().astype(np.int64))


def _there(path: Path | None, what: str) -> Path:
    if path is None:
        raise InputError(f"there is no {what}.tif or {what}.png")
    return path


def match_axes(
    image: ArrayLike, labels: ArrayLike
) -> tuple[list[NDArray[np.generic]], NDArray[np.integer]]:
    """Return the channels and the labels of a sample as matching stacks of slices.

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
    labels = check_numbers(labels).reshape(-1, *plane)
    _check_objects(labels)
    return channels, labels


def to_rgb8_planes(
    channels: list[NDArray[np.generic]], planes: NDArray[np.int64]
) -> list[NDArray[np.uint8]]:
    """Return some slices as (H, W, 3) uint8, with the contrast of the whole stack.

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


def _channels(image: NDArray[np.generic], shape: tuple[int, ...]) -> list[NDArray[np.generic]]:
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


def _check_objects(labels: NDArray[np.integer]) -> None:
    """Raise for labels without an object, and for a mask that gives all objects one number."""
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
