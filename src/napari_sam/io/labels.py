"""Reader and writer of label images: TIFF, OME-Zarr, and PNG for a single plane.

`napari_sam.io.export` writes these and all other formats.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from napari_sam.arrays import Array, LazyArray
from napari_sam.errors import InputError
from napari_sam.files import Json, replacing
from napari_sam.io.images.find import PNG, TIFF, ZARR, find_images
from napari_sam.io.images.pixels import LazyImage
from napari_sam.io.images.read import open_image
from napari_sam.io.label_checks import check_are_labels
from napari_sam.io.ome_zarr import write_ome_zarr
from napari_sam.io.spacing import MOST_AXES, NO_UNIT, SYMBOLS, Spacing
from napari_sam.masks import slices, tiles_of
from napari_sam.numbering import check_numbers

__all__ = ["OUTLINES", "TABLE", "check_output", "open_labels", "write_labels"]

JPEG = (".jpeg", ".jpg")
OUTLINES, TABLE = (".json", ".geojson", ".zip"), (".csv",)
IMAGEJ = "tzcyx"  # its order of axes
MOST, TILE = 2**26, 1024  # pixels of a plane in one piece, and of a tile's side where it is larger
MAX_CLASSIC_TIFF = 2**31  # bytes beyond which a TIFF needs larger offsets


@contextmanager
def open_labels(path: Path) -> Iterator[LazyImage]:
    """Open a label image lazily, as a context manager; palette indices are the labels.

    Raises
    ------
    InputError
        If the file is missing or cannot be read, or holds colours, numbers changed by JPEG, or
        a grey picture and no labels; where it is read, if labels are no whole numbers or below
        zero.
    """
    find_images([path])
    if path.suffix.lower() in JPEG:
        raise InputError(f"{path} cannot be read as labels: a .jpg changes numbers; take a .png")
    with open_image(path, numbers=True) as labels:
        check_are_labels(path, labels)
        yield labels


def check_output(output: Path, *inputs: Path) -> None:
    """Refuse an output path that would overwrite an input, or has an unsupported suffix."""
    if output.suffix.lower() not in (*TIFF, *ZARR, *PNG, *OUTLINES, *TABLE):
        raise InputError(
            "objects are written as .tif, .zarr, .png if they are 2D, .json (COCO), .geojson, "
            f".zip (ROIs), or .csv (measurements); got {output}"
        )
    if any(output.resolve() == one.resolve() for one in inputs):
        raise InputError(f"{output} is an input, too; give the result another name")


def write_labels(path: Path, labels: LazyArray, spacing: Spacing | None = None) -> None:
    """Write a label image atomically, compressed, in its own dtype.

    Parameters
    ----------
    path : Path
        Its ending says the format: .ome.tif, .tif or .tiff, .zarr, .png. A .tif is what ImageJ
        reads by itself, as long as ImageJ has such numbers (8 and 16 bits); else an OME-TIFF.
    labels : array-like of int
        Any number of axes, the last two are rows and columns; one plane is read at a time, and of
        planes above 8,192 x 8,192 one tile. Floats
        that are whole numbers become integers.
    spacing : Spacing, optional
        What the axes are called and how far apart pixels lie.

    Raises
    ------
    InputError
        If they are no whole numbers, if a PNG cannot hold them, or if an OME-Zarr would need more
        than five axes, or would replace something that is no labels.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "cells.tif"
    >>> write_labels(path, np.arange(24, dtype=np.uint32).reshape(2, 3, 4))
    >>> with open_labels(path) as labels:
    ...     print(labels.shape, labels.dtype, labels[1, 2, 3])
    (2, 3, 4) uint32 23
    """
    labels = _whole(labels)
    if path.suffix.lower() in PNG:
        _write_png(path, labels)
    elif path.suffix.lower() in ZARR:
        write_ome_zarr(path, labels, spacing or Spacing.usual(len(labels.shape)))
    else:
        _write_tiff(path, labels, spacing or Spacing.usual(len(labels.shape)))


def _whole(labels: LazyArray) -> LazyArray:
    """Return labels of integers as they are, to be read plane by plane; others as integers."""
    pixels = len(labels.shape) > 1 and 0 not in labels.shape
    plain = labels.dtype.kind in "iu" and pixels and not np.ma.isMA(labels)
    return labels if plain else check_numbers(labels[...])


def _write_png(path: Path, labels: LazyArray) -> None:
    from PIL import Image

    plane = check_numbers(labels[...])
    if plane.ndim != 2 or plane.max(initial=0) > 65535:
        raise InputError(f"{path}: a .png holds one slice and ids up to 65535; write a .tif")
    small = plane.astype("uint8" if plane.max(initial=0) < 256 else "uint16")
    with replacing(path) as part:
        Image.fromarray(small).save(part, format="PNG")


def _write_tiff(path: Path, labels: LazyArray, spacing: Spacing) -> None:
    """Write a TIFF of ImageJ or an OME-TIFF, which say what the axes are; else a plain one.

    OME knows no integers of 64 bits and no more than five axes, and axes of one entry get lost when
    either is read.
    """
    import tifffile

    shape, dtype = labels.shape, labels.dtype
    known = len(shape) <= MOST_AXES and dtype.itemsize <= 4 and 1 not in shape[:-2]
    big = int(np.prod(shape)) * dtype.itemsize > MAX_CLASSIC_TIFF
    small = not big and shape[-2] * shape[-1] <= MOST  # ImageJ knows no tiles
    imagej = known and small and _is_for_imagej(path, dtype, spacing)
    about: Json = {"ome": False, "metadata": {}}
    if imagej:
        about = _about_imagej(spacing)
    elif known:
        about = {"ome": True, "metadata": _about(spacing)}
    tiled: Json = {"tile": (TILE, TILE)} if shape[-2] * shape[-1] > MOST else {}
    with replacing(path) as part:
        tifffile.imwrite(
            part,
            _tiles(labels) if tiled else (np.asarray(labels[i]) for i in np.ndindex(*shape[:-2])),
            shape=shape,
            dtype=dtype,
            compression="zlib",
            photometric="minisblack",
            bigtiff=big,
            **tiled,
            **about,
        )


def _tiles(labels: LazyArray) -> Iterator[Array]:
    """Yield the tiles of each plane, row by row, filled up with zeros at its far borders."""
    height, width = labels.shape[-2:]
    for index in np.ndindex(*labels.shape[:-2]):
        for box in tiles_of((0, 0, height, width), TILE):
            part = np.asarray(labels[(*index, *slices(box))])
            yield np.pad(part, [(0, TILE - n) for n in part.shape])


def _is_for_imagej(path: Path, dtype: np.dtype[Any], spacing: Spacing) -> bool:
    ome = path.stem.lower().endswith(".ome")
    order = [IMAGEJ.index(letter) for letter in spacing.axes]
    return not ome and dtype in (np.uint8, np.uint16) and order == sorted(order)


def _about_imagej(spacing: Spacing) -> Json:
    axes = spacing.axes
    steps = dict(zip(axes, spacing.scale, strict=True))
    units = dict(zip(axes, spacing.units, strict=True))
    metadata: Json = {"axes": axes.upper()}
    about: Json = {"imagej": True, "metadata": metadata}
    if steps["y"] > 0 and steps["x"] > 0 and steps.get("z", 1) > 0:
        about["resolution"] = 1 / steps["x"], 1 / steps["y"]
        metadata["spacing"] = steps.get("z", 1.0)
        unit = units["x"]
        metadata["unit"] = SYMBOLS.get(unit, "pixel").replace("µm", "micron")
        if unit == NO_UNIT or {units["y"], units.get("z", unit)} != {unit}:
            metadata["unit"] = "pixel"
    if units.get("t") == "second":
        metadata["finterval"] = steps["t"]
    return about


def _about(spacing: Spacing) -> Json:
    about: Json = {"axes": spacing.axes.upper()}
    for letter, step, unit in zip(spacing.axes, spacing.scale, spacing.units, strict=True):
        if letter in "zyx" and step > 0 and (step, unit) != (1, NO_UNIT):
            about[f"PhysicalSize{letter.upper()}"] = step
            about[f"PhysicalSize{letter.upper()}Unit"] = SYMBOLS.get(unit, "pixel")
        elif letter == "t" and unit in SYMBOLS:
            about["TimeIncrement"] = step
            about["TimeIncrementUnit"] = SYMBOLS[unit]
    return about
