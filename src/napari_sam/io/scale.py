"""Axis names and pixel size from image file metadata."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_sam.errors import InputError
from napari_sam.files import Json
from napari_sam.io.images.find import PHOTOS, TIFFS
from napari_sam.io.images.microscopes import scale_of
from napari_sam.io.images.pixels import TURNS
from napari_sam.io.images.read import open_image
from napari_sam.io.images.stores import finest_level, ome_attributes, store_axes
from napari_sam.io.images.tiffs import ORIENTATION, tiff_axes
from napari_sam.io.labels import OUTLINES
from napari_sam.io.spacing import NO_UNIT, SYMBOLS, Spacing

if TYPE_CHECKING:
    from tifffile import TiffPageSeries

__all__ = ["read_spacing", "spacing_of_array"]

logger = logging.getLogger(__name__)

NAMES = {symbol: name for name, symbol in SYMBOLS.items()}
NAMES |= dict.fromkeys(("um", "micron", "microns", "\\u00B5m"), "micrometer")  # ImageJ's


def read_spacing(path: Path, ndim: int) -> Spacing:
    """Return an image's spacing, from TIFF of OME, ImageJ or LSM, OME-Zarr, or through bioio.

    What a file does not say, or says in a way that cannot be understood, is as if nothing were
    known: a scale of 1; of what it says and nobody can understand a warning tells.

    Parameters
    ----------
    path : Path
        A picture that can be read.
    ndim : int
        Number of its axes, without the colours of RGB.
    """
    about: Json = {}
    try:
        if path.suffix.lower() in TIFFS:
            about = _of_tiff(path)
        elif path.is_dir():
            about = _of_zarr(path)
        elif path.suffix.lower() not in (*PHOTOS, *OUTLINES, ".roi"):
            about = scale_of(path)
        if len(about.get("axis_labels", ())) == ndim + 1:  # colours are last
            about = {key: values[:-1] for key, values in about.items()}
        if {len(values) for values in about.values()} <= {ndim}:
            return _checked(path, Spacing.of(ndim, about))
    except Exception:  # anybody may write anything into a file
        logger.warning("%s: what it says of its axes and their scale is not understood", path)
    return Spacing.usual(ndim)


def spacing_of_array(path: Path, shape: Sequence[int]) -> Spacing | None:
    """Return the spacing of an array that was read from a file; no pixels are read.

    Whoever has read it may have taken channels apart, or left out axes of one entry.

    Parameters
    ----------
    path : Path
        The file.
    shape : sequence of int
        Of the array, without the colours of RGB.

    Returns
    -------
    Spacing or None
        None if the file cannot be read, says nothing of axes, or is not as the array.
    """
    if path.suffix.lower() in PHOTOS:
        return None
    try:
        with open_image(path) as image:
            there = image.plain_shape
    except InputError as error:
        logger.info("what %s says of its axes is not known: %s", path, error)
        return None
    spacing = read_spacing(path, len(there))
    axes = _axes_left(spacing, there, tuple(shape))
    return None if axes is None else spacing.taken(axes)


def _axes_left(
    spacing: Spacing, there: tuple[int, ...], shape: tuple[int, ...]
) -> tuple[int, ...] | None:
    """Return which axes of a file an array has; None if that is not clear.

    Examples
    --------
    >>> spacing = Spacing.of(4, {"axis_labels": "tcyx"})
    >>> _axes_left(spacing, (5, 3, 20, 30), (5, 20, 30))
    (0, 2, 3)
    >>> _axes_left(spacing, (5, 3, 20, 30), (3, 20, 30))
    """
    free = {axis for axis, n in enumerate(there[:-2]) if n == 1 or spacing.known[axis] == "c"}
    gone, axes = len(there) - len(shape), range(len(there))
    if gone < 0:
        return None
    ways = [
        tuple(axis for axis in axes if axis not in left_out)
        for left_out in combinations(sorted(free), gone)
    ]
    fitting = [kept for kept in ways if tuple(there[axis] for axis in kept) == shape]
    names = {tuple(spacing.known[axis] for axis in kept) for kept in fitting}
    return fitting[0] if len(names) == 1 else None


def _checked(path: Path, spacing: Spacing) -> Spacing:
    """Return a spacing without distances that are none."""
    if 0 not in spacing.scale and all(map(math.isfinite, (*spacing.scale, *spacing.translate))):
        return spacing
    logger.warning("%s: its pixels cannot lie %s apart; left out", path, spacing.scale)
    usual = Spacing.usual(len(spacing.names))
    return replace(usual, names=spacing.names)


def _of_tiff(path: Path) -> Json:
    import tifffile

    with tifffile.TiffFile(path) as file:
        axes = _named(file.series[0])
        if file.is_ome:
            image = tifffile.xml2dict(file.ome_metadata or "")["OME"]["Image"]
            pixels = (image[0] if isinstance(image, list) else image)["Pixels"]
            sizes = {
                letter: (pixels[key], NAMES.get(pixels.get(f"{key}Unit", "µm"), NO_UNIT))
                for letter in "zyx"
                if (key := f"PhysicalSize{letter.upper()}") in pixels
            }
        elif file.lsm_metadata:  # metres
            steps = {letter: file.lsm_metadata[f"VoxelSize{letter.upper()}"] for letter in "zyx"}
            sizes = {letter: (1e6 * step, "micrometer") for letter, step in steps.items()}
        elif file.imagej_metadata and "unit" in file.imagej_metadata:
            unit = NAMES.get(file.imagej_metadata.get("unit", ""), NO_UNIT)
            x, y = file.series[0].keyframe.resolution  # pixels in one unit
            steps = {"z": file.imagej_metadata.get("spacing", 1), "y": 1 / y, "x": 1 / x}
            sizes = {letter: (step, unit) for letter, step in steps.items()}
        else:
            sizes = {}
        turned = "t" in TURNS.get(file.series[0].keyframe.tags.valueof(ORIENTATION), "")
    known = [sizes.get(letter, (1, NO_UNIT)) for letter in axes]
    if turned:
        known[-2:] = known[-1], known[-2]
    scale, units = zip(*known, strict=True)
    return {"axis_labels": axes, "scale": scale, "units": units}


def _named(series: TiffPageSeries) -> str:
    """Return the letters of a TIFF's axes in the order of the open picture's."""
    return "".join(series.axes[axis] for axis in tiff_axes(series.axes)[0]).lower()


def _of_zarr(path: Path) -> Json:
    import zarr

    attributes: Any = zarr.open(path, mode="r").attrs
    scales = ome_attributes(attributes).get("multiscales", [{}])[0]
    if "axes" not in scales:
        return {}
    axes = [one if isinstance(one, dict) else {"name": one} for one in scales["axes"]]
    about = {
        "axis_labels": [one["name"] for one in axes],
        "units": [one.get("unit", NO_UNIT) for one in axes],
    }
    for step in scales["datasets"][0].get("coordinateTransformations", ()):
        key = {"scale": "scale", "translation": "translate"}[step["type"]]
        about[key] = step[step["type"]]
    array, names = finest_level(path)
    order = store_axes(names, array.shape)[0] if names else range(len(axes))
    return {key: [values[axis] for axis in order] for key, values in about.items()}
