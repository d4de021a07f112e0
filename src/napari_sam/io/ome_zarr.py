"""Labels as OME-Zarr, whole or to be filled: the version is that of the parent image, if any."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_sam.arrays import Labels, LazyArray
from napari_sam.errors import InputError
from napari_sam.files import Json, replacing_folder
from napari_sam.io.ome_parent import VERSIONS, ParentImage, listing, parent_of
from napari_sam.io.spacing import NO_UNIT, ORDER, Spacing
from napari_sam.masks import Box, tiles_of

if TYPE_CHECKING:
    import zarr

__all__ = ["create_ome_zarr", "write_ome_zarr"]

TYPES = {"t": "time", "c": "channel"}
ALONE = 2048**2  # pixels of a plane that need no coarser level
CHUNK = 1024  # pixels along rows and columns
MOST = 2**25  # pixels of a plane that are read at once
SMALL = 512  # of a chunk that is written anew for every object
VERSION: Literal["0.4", "0.5"] = "0.4"  # every reader of OME-Zarr knows it
FORMATS: dict[str, Literal[2, 3]] = {"0.4": 2, "0.5": 3}
ZLIB = {"id": "zlib", "level": 1}
QUICK = {"id": "blosc", "cname": "lz4", "clevel": 5, "shuffle": 1, "blocksize": 0}


def write_ome_zarr(path: Path, labels: LazyArray, spacing: Spacing) -> None:
    """Write labels to OME-Zarr, plane by plane, and of large planes part by part.

    Axes are put into the specification's order: time, channel, z, y, x. Labels in the group
    "labels" of a picture get as many levels as the picture, and are listed there. Elsewhere planes
    of more than 2,048 x 2,048 pixels get levels of half as many rows and columns until they are
    below 1,024.

    Parameters
    ----------
    path : Path
        The folder, which ends in ".zarr"; labels that are there already are replaced.
    labels : array-like of int
        Read one plane at a time.
    spacing : Spacing
        Of its axes.

    Raises
    ------
    InputError
        If there is something else at `path`, or labels with more than five axes, or if the list of
        the picture's labels cannot be read.
    """
    import zarr

    check_replaceable(path)
    parent = parent_of(path)
    axes = spacing.axes
    order = sorted(range(len(axes)), key=lambda axis: ORDER.index(axes[axis]))
    shapes = _shapes(labels.shape, axes, parent)
    if parent is None and math.prod(labels.shape[-2:]) > ALONE:
        shapes = _halved(labels.shape)
    zarr_format = parent.zarr_format if parent else FORMATS[VERSION]
    about = _about(path, spacing, order, shapes, parent, zarr_format)
    with listing(path, parent) if parent else nullcontext(), replacing_folder(path) as part:
        group = zarr.create_group(part, zarr_format=zarr_format, attributes=about)
        for level, shape in enumerate(shapes):
            array = _empty(group, str(level), [shape[axis] for axis in order], labels.dtype, axes)
            _write(array, labels, shape, order)


def create_ome_zarr(
    path: Path,
    shape: Sequence[int],
    dtype: DTypeLike,
    spacing: Spacing,
    version: Literal["0.4", "0.5"] = VERSION,
) -> None:
    """Create empty labels as OME-Zarr, to be written chunk by chunk.

    Chunks have 512 x 512 pixels. There are as many levels as the picture has whose group "labels"
    they are in; else rows and columns are halved until they are below 1,024.

    Parameters
    ----------
    path : Path
        The folder, which ends in ".zarr" and does not exist.
    shape : sequence of int
        Of its axes.
    dtype : dtype-like
        Of its numbers.
    spacing : Spacing
        Of its axes, in the specification's order: time, channel, z, y, x.
    version : {"0.4", "0.5"}
        Of OME-Zarr, where no picture says it.

    Raises
    ------
    InputError
        If something is at `path`, or there are more than five axes, or they stand in another order.
    """
    import zarr

    axes = spacing.axes
    order = sorted(range(len(axes)), key=lambda axis: ORDER.index(axes[axis]))
    if path.exists():
        raise InputError(f"{path} is there already; choose another name")
    if order != list(range(len(axes))):
        raise InputError(f"the axes of an OME-Zarr stand in the order of {ORDER}; got {axes}")
    parent = parent_of(path)
    shapes = _shapes(shape, axes, parent) if parent else _halved(shape)
    zarr_format = parent.zarr_format if parent else FORMATS[version]
    about = _about(path, spacing, order, shapes, parent, zarr_format)
    with listing(path, parent) if parent else nullcontext(), replacing_folder(path) as part:
        group = zarr.create_group(part, zarr_format=zarr_format, attributes=about)
        for level, one in enumerate(shapes):
            _empty(group, str(level), one, np.dtype(dtype), axes, SMALL, QUICK)


def _halved(shape: Sequence[int]) -> list[tuple[int, ...]]:
    """Return shapes of which each has half as many rows and columns, until few are left."""
    shapes = [tuple(shape)]
    while max(shapes[-1][-2:]) > CHUNK:
        *others, height, width = shapes[-1]
        shapes.append((*others, -(-height // 2), -(-width // 2)))
    return shapes


def _shapes(shape: Sequence[int], axes: str, parent: ParentImage | None) -> list[tuple[int, ...]]:
    """Return the shape of each level, of which there are as many as of the picture."""
    levels = parent.levels if parent else ({},)
    finest = levels[0]
    return [
        tuple(
            max(1, round(n * level.get(axis, 1) / max(1, finest.get(axis, 1))))
            for n, axis in zip(shape, axes, strict=True)
        )
        for level in levels
    ]


def _empty(
    group: zarr.Group,
    name: str,
    shape: Sequence[int],
    dtype: np.dtype[np.generic],
    axes: str,
    chunk: int = CHUNK,
    compressor: Json = ZLIB,
) -> zarr.Array[Any]:
    """Make an array of a level, its axes in the order of the specification."""
    if group.metadata.zarr_format == 2:
        separator = {"name": "v2", "separator": "/"}
        more: Json = {"compressors": compressor, "chunk_key_encoding": separator}
    else:
        more = {"dimension_names": sorted(axes, key=ORDER.index)}
    return group.create_array(
        name,
        shape=shape,
        chunks=(*(1 for _ in shape[:-2]), *(max(1, min(n, chunk)) for n in shape[-2:])),
        dtype=np.dtype(dtype.name),  # in the byte order of this machine
        fill_value=0,
        **more,
    )


def _write(
    array: zarr.Array[Any], labels: LazyArray, shape: Sequence[int], order: Sequence[int]
) -> None:
    """Write a level; of a coarser one each pixel is the label in its middle."""
    middles = [
        ((np.arange(n) + 0.5) * whole / n).astype(int)
        for n, whole in zip(shape, labels.shape, strict=True)
    ]
    rows, columns = middles[-2:]
    for index in np.ndindex(*shape[:-2]):
        place = tuple(middles[axis][at] for axis, at in enumerate(index))
        there = tuple(index[axis] for axis in order[:-2])
        for top, left, bottom, right in _pieces(shape, labels.shape):
            part = _seen(labels, place, rows[top:bottom], columns[left:right])
            if part.any():  # what is not written is zero
                array[(*there, slice(top, bottom), slice(left, right))] = part


def _seen(
    labels: LazyArray, place: tuple[int, ...], rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> Labels:
    """Return the labels of a plane in these rows and columns; a small plane is read whole."""
    height, width = labels.shape[-2:]
    if height * width <= MOST:
        plane = np.asarray(labels[place])
        whole = (len(rows), len(columns)) == (height, width)
        return plane if whole else plane[np.ix_(rows, columns)]
    width = int(columns[-1] - columns[0]) + 1
    parts = -(-(int(rows[-1] - rows[0]) + 1) * width // MOST)
    seen = []
    for some in np.array_split(rows, min(parts, len(rows))):  # no more is in memory at once
        box = slice(int(some[0]), int(some[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
        part = np.asarray(labels[(*place, *box)])
        seen.append(part[np.ix_(some - some[0], columns - columns[0])])
    return np.concatenate(seen)


def _pieces(shape: Sequence[int], whole: Sequence[int]) -> Iterator[Box]:
    """Yield parts of a level's plane, all of it if no more than that is read at once."""
    height, width = shape[-2:]
    if whole[-2] * whole[-1] <= MOST:
        return iter([(0, 0, height, width)])
    wider = max(1, whole[-1] // width)
    return tiles_of((0, 0, height, width), max(SMALL, 4 * CHUNK // wider))


def check_replaceable(path: Path) -> None:
    """Refuse to overwrite anything but labels."""
    import zarr

    if not path.exists():
        return
    try:
        about: Any = zarr.open_group(path, mode="r").attrs
    except Exception:  # no zarr group, whatever it is
        about = {}
    if "image-label" not in about and "image-label" not in about.get("ome", {}):
        raise InputError(f"{path} is there already and holds no labels; choose another name")


def _about(
    path: Path,
    spacing: Spacing,
    order: Sequence[int],
    shapes: Sequence[tuple[int, ...]],
    parent: ParentImage | None,
    zarr_format: Literal[2, 3],
) -> Json:
    """Return the metadata that the specification asks for."""
    axes = []
    for axis in order:
        letter, unit = spacing.axes[axis], spacing.units[axis]
        one = {"name": letter, "type": TYPES.get(letter, "space")}
        axes.append(one if unit == NO_UNIT or letter == "c" else {**one, "unit": unit})
    scales: Json = {
        "name": path.name.removesuffix(".zarr").removesuffix(".ome"),
        "axes": axes,
        "datasets": [
            {"path": str(level), "coordinateTransformations": _place(spacing, order, shapes, shape)}
            for level, shape in enumerate(shapes)
        ],
    }
    label: Json = {}
    if parent:
        depth = len(path.absolute().relative_to(parent.path).parts)
        label["source"] = {"image": "../" * depth}
    if zarr_format == 3:
        return {"ome": {"version": VERSIONS[3], "multiscales": [scales], "image-label": label}}
    return {
        "multiscales": [{"version": VERSION, **scales}],
        "image-label": {"version": VERSION, **label},
    }


def _place(
    spacing: Spacing,
    order: Sequence[int],
    shapes: Sequence[tuple[int, ...]],
    shape: tuple[int, ...],
) -> list[Json]:
    """Return distance of the pixels of a level, and where the first one lies."""
    wider = [whole / n for whole, n in zip(shapes[0], shape, strict=True)]
    scale = [spacing.scale[axis] * wider[axis] for axis in order]
    shift = [
        spacing.translate[axis] + spacing.scale[axis] * (wider[axis] - 1) / 2 for axis in order
    ]
    return [{"type": "scale", "scale": scale}, {"type": "translation", "translation": shift}]
