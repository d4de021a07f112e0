"""Labelled pictures, from folders of samples or from pairs of layers."""

from __future__ import annotations

import csv
import hashlib
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_sam.errors import InputError
from napari_sam.training.arrays import ENDINGS, matched, read_image, read_labels, to_rgb8_planes
from napari_sam.training.open_data import known

__all__ = ["Picture", "data_digest", "load_pictures", "make_picture", "pictures_from_arrays"]

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
    """Read every folder below `folder` that holds an ``image`` and a ``labels`` file.

    The first folder below `folder` is the data set; a sample's source is its path, always with
    the data set's name, so that a set has the same sources whether it is read alone or with others.

    Parameters
    ----------
    planes : int
        Most planes taken of a stack, evenly spaced among those that hold objects.
    partial : bool
        Whether only some of the objects are labelled, in all of the samples.
    on_bad : callable, optional
        Told the source and the reason of each sample that cannot be used. It is named in the log,
        too, and left out.

    Raises
    ------
    InputError
        If no sample could be read at all.
    """
    folder = folder.resolve()
    pictures: list[Picture] = []
    modalities = _modalities(folder)
    for place in _sample_folders(folder):
        parts = place.relative_to(folder).parts
        source = "/".join(parts if len(parts) > 1 else place.parts[-2:])
        dataset, _, sample = source.partition("/")
        try:
            image, labels = read_image(_file(place, "image")), read_labels(_file(place, "labels"))
            stratum = known(dataset).stratum(modalities.get((dataset, sample), ""))
            name = f"{dataset}, {stratum}" if stratum else dataset
            pictures += _planes(name, source, image, labels, planes, partial)
        except Exception as error:  # files can be damaged in more ways than their readers name
            reason = str(error) or type(error).__name__
            log.warning("left out %s: %s", source, reason)
            if on_bad is not None:
                on_bad(source, reason)
    if not pictures:
        raise InputError(
            f"no usable sample below {folder}; each needs a folder with image.tif|png and "
            "labels.tif|png"
        )
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
        digest = hashlib.sha256(f"{picture.source} {picture.plane} {picture.rgb.shape}".encode())
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


def _sample_folders(folder: Path) -> list[Path]:
    files = (f for f in folder.rglob("*") if f.suffix.lower() in ENDINGS)
    return sorted({f.parent for f in files if f.stem in ("image", "labels")})


def _file(place: Path, stem: str) -> Path:
    for file in sorted(place.glob(f"{stem}.*")):
        if file.suffix.lower() in ENDINGS:
            return file
    raise InputError(f"there is no {stem}.tif or {stem}.png")


def _modalities(folder: Path) -> dict[tuple[str, str], str]:
    """Read the kinds of picture from the manifest of a collection of data sets, if there is one."""
    for file in (folder / "manifest.csv", folder.parent / "manifest.csv"):
        if file.is_file():
            with file.open(newline="", encoding="utf-8") as lines:
                rows = list(csv.DictReader(lines))
            return {(r.get("dataset", ""), r.get("name", "")): r.get("modality", "") for r in rows}
    return {}
