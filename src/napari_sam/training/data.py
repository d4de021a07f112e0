"""Labelled pictures from a folder, and crops of them as the model will see them."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage
from skimage.measure import regionprops
from skimage.segmentation import relabel_sequential

from napari_sam.errors import InputError
from napari_sam.inference.image import contrast_range, resize, to_rgb8

__all__ = ["Crop", "Picture", "load_pictures", "random_crop", "split"]

log = logging.getLogger(__name__)
SMALLEST = 9  # pixels; fewer are specks of the labelling
LARGEST = 0.9  # masks over this share of the picture are left out, as in the paper


@dataclass(frozen=True, eq=False)
class Picture:
    """One labelled plane.

    Parameters
    ----------
    dataset, source : str
        Data set and sample folder; planes of one stack share their source.
    rgb : (H, W, 3) uint8
        The picture after the model's own intensity rule.
    labels : (H, W) int32
        0 is background or unknown, 1..n the objects.
    ids : (n,) int
        The objects that are large enough to be one and cover at most 90 % of the picture.
    centres : (n, 2) float
        Their centres (row, column).
    diameters : (n,) float
        Diameter of a disc of each object's area.
    """

    dataset: str
    source: str
    rgb: NDArray[np.uint8]
    labels: NDArray[np.int32]
    ids: NDArray[np.int64]
    centres: NDArray[np.float64]
    diameters: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Crop:
    """A square sample: rgb (S, S, 3) uint8, labels (S, S) int32; valid (S, S) bool, no padding."""

    rgb: NDArray[np.uint8]
    labels: NDArray[np.int32]
    valid: NDArray[np.bool_]


def load_pictures(folder: Path, planes: int = 12) -> list[Picture]:
    """Read every folder below `folder` that holds an ``image`` and a ``labels`` file.

    Stacks give up to `planes` evenly spaced planes that hold objects. A sample that cannot be
    used is named in the log and left out.

    Raises
    ------
    InputError
        If no sample could be read at all.
    """
    pictures: list[Picture] = []
    for labels_file in sorted(folder.rglob("labels.*")):
        source = labels_file.parent
        try:
            image_file = next(
                f for f in sorted(source.glob("image.*")) if f.suffix in (".tif", ".png")
            )
            image, labels = _read(image_file), _read(labels_file)
            dataset = source.relative_to(folder).parts[0]
            pictures.extend(
                _planes(dataset, str(source.relative_to(folder)), image, labels, planes)
            )
        except (StopIteration, OSError, ValueError) as error:
            log.warning("left out %s: %s", source, error or "no image file")
    if not pictures:
        raise InputError(
            f"no usable sample below {folder}; each needs image.tif|png and labels.tif|png"
        )
    return pictures


def split(pictures: list[Picture], every: int = 10) -> tuple[list[Picture], list[Picture]]:
    """Split by source into (training, held out), one in `every` held out, always the same ones."""
    held = {
        p.source
        for p in pictures
        if int(hashlib.sha1(p.source.encode()).hexdigest(), 16) % every == 0
    }
    return [p for p in pictures if p.source not in held], [p for p in pictures if p.source in held]


def random_crop(picture: Picture, size: int, rng: np.random.Generator) -> Crop:
    """Cut a random crop around a random object, at a random scale and orientation.

    The object is chosen first, then the diameter at which it will be seen (log-uniform, 14 to 140
    model pixels), so that small and large cells of all data sets are seen at all sizes.
    """
    k = rng.integers(len(picture.diameters))
    diameter = np.exp(rng.uniform(np.log(14), np.log(0.55 * size)))
    # at least the scale at which the picture fills the sample, as small pictures do in use
    least = max(0.3, size / max(picture.labels.shape))
    scale = max(least, min(5.0, diameter / picture.diameters[k]))
    stretch = np.exp(rng.uniform(-0.15, 0.15))
    scales = np.array([scale * stretch, scale / stretch])
    side = size / scales  # of the crop, in picture pixels
    centre = picture.centres[k] + rng.uniform(-0.35, 0.35, 2) * side
    room = np.maximum(np.array(picture.labels.shape) - side, 0)
    top, left = np.clip(centre - side / 2, 0, room).astype(int)
    height, width = np.ceil(side).astype(int)
    region = np.s_[top : top + height, left : left + width]
    cut = picture.labels[region]
    rows, columns = (
        int(np.clip(round(n * s), 1, size)) for n, s in zip(cut.shape, scales, strict=True)
    )
    rgb = np.zeros((size, size, 3), np.uint8)
    labels = np.zeros((size, size), np.int32)
    valid = np.zeros((size, size), bool)
    inside = np.s_[:rows, :columns]
    rgb[inside] = _jitter(resize(np.ascontiguousarray(picture.rgb[region]), (rows, columns)), rng)
    nearest = Image.fromarray(cut).resize((columns, rows), Image.Resampling.NEAREST)
    labels[inside] = np.asarray(nearest)
    valid[inside] = True
    turns, flip = int(rng.integers(4)), int(rng.integers(2))
    parts = [np.rot90(a, turns)[:, :: 1 - 2 * flip] for a in (rgb, labels, valid)]
    return Crop(*(np.ascontiguousarray(a) for a in parts))


def _jitter(rgb: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Vary gamma, contrast, polarity, colours, sharpness and noise as microscopes do."""
    x = rgb.astype(np.float32) / 255
    if rng.random() < 0.5:
        x = x ** np.exp(rng.uniform(-0.6, 0.6))
    if rng.random() < 0.5:
        low, high = rng.uniform(-0.1, 0.25), rng.uniform(0.6, 1.1)
        x = x * (high - low) + low
    if rng.random() < 0.25:
        x = 1 - x
    if rng.random() < 0.2:
        x = x[..., rng.permutation(3)]
    if rng.random() < 0.15:
        x = np.repeat(x.mean(axis=2, keepdims=True), 3, axis=2)
    if rng.random() < 0.2:
        x = ndimage.gaussian_filter(x, (*[rng.uniform(0.3, 1.5)] * 2, 0))
    if rng.random() < 0.3:
        grey = rng.normal(0, rng.uniform(0.01, 0.08), x.shape[:2]).astype(np.float32)
        x = x + grey[..., None]
    return (np.clip(x, 0, 1) * 255 + 0.5).astype(np.uint8)


def _read(file: Path) -> NDArray[Any]:
    return tifffile.imread(file) if file.suffix == ".tif" else np.asarray(Image.open(file))


def _planes(
    dataset: str, source: str, image: NDArray[Any], labels: NDArray[Any], count: int
) -> list[Picture]:
    """Split a sample into planes; the shapes say which axes the picture has."""
    if labels.ndim == 2:
        if image.ndim == 3 and image.shape[1:] == labels.shape and image.shape[0] < 5:
            image = _channels_last(image)
        if image.shape[:2] != labels.shape:
            raise InputError(f"image {image.shape} and labels {labels.shape} do not fit")
        pairs = [(image, labels)]
    else:
        if image.shape[: labels.ndim] != labels.shape:
            raise InputError(f"image {image.shape} and labels {labels.shape} do not fit")
        full = np.flatnonzero(labels.any(axis=(1, 2)))
        chosen = full[np.unique(np.linspace(0, len(full) - 1, count).round().astype(int))]
        pairs = [(image[z], labels[z]) for z in chosen]
    contrast = contrast_range(image)
    planes = (_picture(dataset, source, to_rgb8(i, contrast), lab) for i, lab in pairs)
    found = [p for p in planes if len(p.ids)]
    if not found:
        raise InputError("its labels hold no object")
    return found


def _channels_last(image: NDArray[Any]) -> NDArray[Any]:
    """Turn (C, H, W) into (H, W, 3), each channel stretched on its own, missing ones left black."""
    channels = [to_rgb8(c, contrast_range(c))[..., 0] for c in image[:3]]
    channels += [np.zeros_like(channels[0])] * (3 - len(channels))
    return channels[0] if len(image) == 1 else np.stack(channels, axis=-1)


def _picture(dataset: str, source: str, rgb: NDArray[np.uint8], labels: NDArray[Any]) -> Picture:
    labels = relabel_sequential(labels.astype(np.int64))[0].astype(np.int32)
    regions = [r for r in regionprops(labels) if SMALLEST <= r.area <= LARGEST * labels.size]
    centres = np.array([r.centroid for r in regions]).reshape(-1, 2)
    diameters = np.array([r.equivalent_diameter_area for r in regions])
    ids = np.array([r.label for r in regions], dtype=np.int64)
    return Picture(dataset, source, rgb, labels, ids, centres, diameters)
