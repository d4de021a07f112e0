"""Labels as OME-Zarr: one label image of one level, in the layout of NGFF 0.4."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from napari_sam.errors import InputError
from napari_sam.files import replacing_folder
from napari_sam.io.spacing import NO_UNIT, ORDER, Spacing

__all__ = ["write_ome_zarr"]

TYPES = {"t": "time", "c": "channel"}
CHUNK = 1024  # pixels along rows and columns
VERSION = "0.4"  # every reader of OME-Zarr knows it


def write_ome_zarr(path: Path, labels: Any, spacing: Spacing) -> None:
    """Write labels plane by plane.

    Axes are put into the specification's order: time, channel, z, y, x.

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
        If there is something else at `path`, or labels with more than five axes.
    """
    import zarr

    check_place(path)
    axes = spacing.axes
    order = sorted(range(len(axes)), key=lambda axis: ORDER.index(axes[axis]))
    shape = tuple(labels.shape[axis] for axis in order)
    with replacing_folder(path) as part:
        group = zarr.create_group(part, zarr_format=2, attributes=_about(path, spacing, order))
        array = group.create_array(
            "0",
            shape=shape,
            chunks=(*(1 for _ in shape[:-2]), *(max(1, min(n, CHUNK)) for n in shape[-2:])),
            dtype=labels.dtype,
            compressors={"id": "zlib", "level": 1},  # type: ignore[arg-type]
            chunk_key_encoding={"name": "v2", "separator": "/"},
            fill_value=0,
        )
        for index in np.ndindex(*labels.shape[:-2]):
            plane = np.asarray(labels[index])
            if plane.any():  # what is not written is zero
                array[tuple(index[axis] for axis in order[:-2])] = plane


def check_place(path: Path) -> None:
    """Refuse to replace anything but labels.

    Raises
    ------
    InputError
        If something else is there.
    """
    import zarr

    if not path.exists():
        return
    try:
        about: Any = zarr.open_group(path, mode="r").attrs
    except Exception:  # no zarr group, whatever it is
        about = {}
    if "image-label" not in about and "image-label" not in about.get("ome", {}):
        raise InputError(f"{path} is there already and holds no labels; choose another name")


def _about(path: Path, spacing: Spacing, order: list[int]) -> dict[str, Any]:
    """Return the metadata that the specification asks for."""
    axes = []
    for axis in order:
        letter, unit = spacing.axes[axis], spacing.units[axis]
        one = {"name": letter, "type": TYPES.get(letter, "space")}
        axes.append(one if unit == NO_UNIT or letter == "c" else {**one, "unit": unit})
    place = [
        {"type": "scale", "scale": [spacing.scale[axis] for axis in order]},
        {"type": "translation", "translation": [spacing.translate[axis] for axis in order]},
    ]
    return {
        "multiscales": [
            {
                "version": VERSION,
                "name": path.name.removesuffix(".zarr").removesuffix(".ome"),
                "axes": axes,
                "datasets": [{"path": "0", "coordinateTransformations": place}],
            }
        ],
        "image-label": {"version": VERSION},
    }
