"""Write and read objects in every supported format, chosen by the file's suffix."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_sam.arrays import LazyArray
from napari_sam.errors import InputError
from napari_sam.files import Json
from napari_sam.io.labels import OUTLINES, TABLE, open_labels, write_labels
from napari_sam.io.measurements import write_measurements
from napari_sam.io.objects.coco import read_coco, write_coco
from napari_sam.io.objects.geojson import read_geojson, write_geojson
from napari_sam.io.objects.instances import Instances, cut_out, paint
from napari_sam.io.objects.rois import read_rois, write_rois
from napari_sam.io.scale import read_spacing
from napari_sam.io.spacing import Spacing

__all__ = [
    "INSTANCE_FILES",
    "OUTLINES",
    "as_labels",
    "read_all",
    "read_objects",
    "save_layer",
    "write_instances",
    "write_objects",
]

INSTANCE_FILES = (*OUTLINES, ".roi")  # what objects are drawn in, not labelled

logger = logging.getLogger(__name__)


def save_layer(path: str, labels: LazyArray, layer: Json) -> list[str]:
    """Write the objects of a napari Labels layer: the writers that the plugin manifest names.

    Parameters
    ----------
    path : str
        As for `write_objects`.
    labels : array-like of int
        The data; of several levels the finest.
    layer : dict
        What else the layer is made of.
    """
    finest = labels if hasattr(labels, "dtype") else labels[0]
    write_objects(Path(path), finest, Spacing.of(len(finest.shape), layer))
    return [path]


def write_objects(
    path: Path,
    labels: LazyArray,
    spacing: Spacing | None = None,
    *,
    classes: Mapping[int, str] | None = None,
    certainty: Mapping[int, float] | None = None,
    image: LazyArray | None = None,
) -> None:
    """Write labels in the format that the suffix names; the write is atomic.

    Parameters
    ----------
    path : Path
        ``.tif``, ``.ome.tif``, ``.zarr``, ``.png``: labels. ``.json``: COCO. ``.geojson``: QuPath.
        ``.zip``: ImageJ's ROIs. ``.csv``: measurements.
    labels : (..., Y, X) array-like of int
        The objects; of what is no numpy array windows are read.
    spacing : Spacing, optional
        What the axes are called and how far apart pixels lie.
    classes : mapping of int to str, optional
        Name of each object's class; a picture of labels cannot hold them.
    certainty : mapping of int to float, optional
        How certain the class of an object is, for the measurements.
    image : array, optional
        For the brightness among the measurements, see `napari_sam.io.measurements.measure`.

    Raises
    ------
    InputError
        If the format cannot hold them, or its library is missing.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "cells.csv"
    >>> write_objects(path, np.eye(3, dtype=np.uint8))
    >>> path.read_text().splitlines()[1].split(",")[:3]
    ['1', '3', '3.0']
    """
    spacing = spacing or Spacing.usual(len(labels.shape))
    kind = path.suffix.lower()
    if kind in TABLE:
        write_measurements(path, labels, spacing, image, classes, certainty)
    elif kind in OUTLINES:
        write_instances(path, {path.stem: cut_out(labels, spacing.axes, classes)})
    else:
        write_labels(path, labels, spacing)


def write_instances(
    path: Path, by_image: Mapping[str, Instances], *, outlines: bool = False
) -> None:
    """Write instances that may overlap, without rasterising them into labels.

    Parameters
    ----------
    path : Path
        A ``.json`` for COCO, a ``.geojson`` or a ``.zip``.
    by_image : mapping of str to Instances
        By name; several only into COCO's file.
    outlines : bool
        In COCO's file: polygons where the object has no holes.

    Raises
    ------
    InputError
        If the format holds one picture only.
    """
    if path.suffix.lower() == ".json":
        write_coco(path, by_image, outlines)
        return
    if len(by_image) != 1:
        raise InputError(f"{path} holds the objects of one picture, not of {len(by_image)}")
    (instances,) = by_image.values()
    (write_geojson if path.suffix.lower() == ".geojson" else write_rois)(path, instances)


def read_objects(
    path: Path,
    shape: tuple[int, ...] | None = None,
    axes: str | None = None,
    image_name: str | None = None,
) -> Instances:
    """Read the instances of one image from any format but measurements.

    Parameters
    ----------
    path : Path
        The file.
    shape, axes : optional
        Of the picture, for formats that do not know it.
    image_name : str, optional
        Which one of a COCO file.

    Raises
    ------
    InputError
        If it cannot be read, or several pictures are there and none was named.
    """
    kind = path.suffix.lower()
    if kind in INSTANCE_FILES and not path.is_file():
        raise InputError(f"there is no file {path}")
    if kind == ".json":
        by_image = read_coco(path)
        if image_name is None and len(by_image) == 1:
            return next(iter(by_image.values()))
        if image_name not in by_image:
            raise InputError(f"{path} holds the pictures {', '.join(by_image)}; name one of them")
        return by_image[image_name]
    if kind == ".geojson":
        return read_geojson(path, shape, axes)
    if kind in (".zip", ".roi"):
        return read_rois(path, shape, axes)
    with open_labels(path) as labels:
        return cut_out(labels, read_spacing(path, len(labels.shape)).axes)


def read_all(path: Path) -> dict[str, Instances]:
    """Read the instances of all images of a COCO file, by image name.

    Raises
    ------
    InputError
        If it is missing, or is no such file.
    """
    if not path.is_file():
        raise InputError(f"there is no file {path}")
    return read_coco(path)


def as_labels(instances: Instances) -> NDArray[np.unsignedinteger]:
    """Return a label image; where instances overlap the first one stays, with a warning."""
    labels, lost = paint(instances)
    if lost:
        logger.warning(
            "%d pixels belong to several objects; the labels keep the first of them", lost
        )
    return labels
