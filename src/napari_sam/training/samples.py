"""Labelled pictures, from folders of samples or from pairs of layers."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_sam.errors import InputError
from napari_sam.reasons import reason
from napari_sam.training.arrays import matched, read_image, read_labels, to_rgb8_planes
from napari_sam.training.open_data import known
from napari_sam.training.pairs import Pair, find_pairs

__all__ = [
    "Picture",
    "data_digest",
    "load_pairs",
    "load_pictures",
    "make_picture",
    "pictures_from_arrays",
]

log = logging.getLogger(__name__)
SMALLEST = 9  # pixels; fewer are specks of the labelling
LARGEST = 0.9  # masks over this share of the picture are left out, as in the paper


@dataclass(frozen=True, eq=False)
class Picture:
    """One labelled plane.

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


def load_pictures(
    folder: Path,
    planes: int = 12,
    partial: bool = False,
    on_bad: Callable[[str, str], None] | None = None,
) -> list[Picture]:
    """Read all samples of a folder, see `napari_sam.training.pairs.find_pairs`.

    Parameters
    ----------
    planes, partial, on_bad
        See `load_pairs`.

    Raises
    ------
    InputError
        If no sample could be read at all.
    """
    pictures = load_pairs(find_pairs(folder, on_bad), planes, partial, on_bad)
    if not pictures:
        raise InputError(
            f"no usable sample below {folder}; each needs a folder with image.tif|png and "
            "labels.tif|png, or a picture such as cells.tif with cells_labels.tif beside it"
        )
    return pictures


def load_pairs(
    pairs: Iterable[Pair],
    planes: int = 12,
    partial: bool = False,
    on_bad: Callable[[str, str], None] | None = None,
) -> list[Picture]:
    """Read pictures and their labels.

    Parameters
    ----------
    pairs : iterable of Pair
    planes : int
        Most planes taken of a stack, evenly spaced among those that hold objects.
    partial : bool
        Whether only some of the objects are labelled, in all of the samples.
    on_bad : callable, optional
        Told the source and the reason of each sample that cannot be used, in place of the log; it
        is left out.
    """
    pictures: list[Picture] = []
    for one in pairs:
        try:
            image = read_image(_there(one.image, "image"))
            labels = read_labels(_there(one.labels, "labels"))
            pictures += _planes(one.dataset, one.source, image, labels, planes, partial)
        except Exception as error:  # files can be damaged in more ways than their readers name
            why = reason(error)
            if on_bad is None:
                log.warning("left out %s: %s", one.source, why)
            else:
                on_bad(one.source, why)
    return pictures


def pictures_from_arrays(
    name: str, image: ArrayLike, labels: ArrayLike, planes: int = 12, partial: bool = False
) -> list[Picture]:
    """Turn an image and its labels, such as a pair of layers, into pictures.

    Parameters
    ----------
    name : str
        Becomes data set and source.
    image : (..., H, W) array
        Grey, RGB or with up to 4 channels; see `napari_sam.training.arrays.matched`.
    labels : (..., H, W) array of whole numbers
    planes, partial
        See `load_pictures`.

    Raises
    ------
    InputError
        If the two do not fit or hold nothing to learn from.

    Examples
    --------
    >>> image, labels = np.zeros((20, 30)), np.zeros((20, 30), int)
    >>> image[5:10, 5:10], labels[5:10, 5:10] = 1, 7
    >>> [picture] = pictures_from_arrays("squares", image, labels)
    >>> picture.centres
    array([[7., 7.]])
    """
    return _planes(name, name, np.asarray(image), np.asarray(labels), planes, partial)


def make_picture(
    dataset: str,
    source: str,
    rgb: NDArray[np.uint8],
    labels: NDArray[np.integer],
    partial: bool = False,
    plane: int = 0,
) -> Picture:
    """Return a plane with its objects numbered and measured; see `Picture`."""
    values, numbers = np.unique(labels, return_inverse=True)  # however large the values are
    numbers = numbers.reshape(labels.shape).astype(np.int32) + (0 if values[0] == 0 else 1)
    flat, (rows, columns) = numbers.ravel(), np.indices(labels.shape).reshape(2, -1)
    areas = np.bincount(flat)
    areas[0] = 0
    ids = np.flatnonzero((areas >= SMALLEST) & (areas <= LARGEST * labels.size))
    sums = np.stack([np.bincount(flat, rows), np.bincount(flat, columns)], axis=1)
    centres = sums[ids] / areas[ids, None]
    diameters = np.sqrt(4 / np.pi * areas[ids])
    return Picture(dataset, source, rgb, numbers, ids, centres, diameters, partial, plane)


def data_digest(pictures: Iterable[Picture]) -> str:
    """Return the SHA-256 of all names, pixels and labels, whatever the order of the pictures."""
    parts = []
    for picture in pictures:
        said = f"{picture.source} {picture.plane} {picture.rgb.shape}"
        digest = hashlib.sha256(said.encode(errors="surrogateescape"))
        digest.update(picture.rgb.tobytes())
        digest.update(picture.labels.tobytes())
        parts.append(digest.digest())
    return hashlib.sha256(b"".join(sorted(parts))).hexdigest()


def _planes(
    dataset: str,
    source: str,
    image: NDArray[np.generic],
    labels: NDArray[np.generic],
    count: int,
    partial: bool,
) -> list[Picture]:
    channels, stack = matched(image, labels)
    full = np.flatnonzero(stack.any(axis=(1, 2)))
    chosen = []
    for first, last in known(source.partition("/")[0]).blocks or [(0, len(stack))]:
        block = full[(full >= first) & (full < last)]
        spaced = np.linspace(0, len(block) - 1, min(count, len(block))).round().astype(int)
        chosen.append(block[spaced])
    places = np.concatenate(chosen)
    pictures = [
        make_picture(dataset, source, rgb, stack[z], partial, int(z))
        for z, rgb in zip(places, to_rgb8_planes(channels, places), strict=True)
    ]
    found = [picture for picture in pictures if len(picture.ids)]
    if not found:
        raise InputError(
            f"every object is smaller than {SMALLEST} pixels or covers more than "
            f"{LARGEST:.0%} of the picture"
        )
    return found


def _there(path: Path | None, what: str) -> Path:
    if path is None:
        raise InputError(f"there is no {what}.tif or {what}.png")
    return path
