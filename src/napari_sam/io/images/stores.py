"""Reader of OME-Zarr and plain zarr arrays, with their axis metadata."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_sam.errors import InputError
from napari_sam.files import Json
from napari_sam.io.images.file_checks import whole_numbers
from napari_sam.io.images.pixels import LazyImage
from napari_sam.io.images.pyramids import ome_levels
from napari_sam.levels import CoarserLevel

if TYPE_CHECKING:
    import zarr

__all__ = ["finest_level", "ome_attributes", "open_store", "store_axes"]

logger = logging.getLogger(__name__)

CHANNELS = ("c", "channel", "channels", "s", "rgb", "rgba", "band")
MAX_BYTES = 2**50  # bytes of pixels; no disk has more


def open_store(path: Path, numbers: bool) -> LazyImage:
    """Open the array of a zarr store, or the full-resolution level of its pyramid.

    Raises
    ------
    InputError
        If it is damaged, or no grey or colour picture. What had to be assumed is logged as a
        warning.
    """
    array, names = finest_level(path)
    if array.size * array.dtype.itemsize > MAX_BYTES:
        raise InputError(f"it says that it has {array.shape} pixels, more than any disk can hold")
    order, samples = store_axes(names, array.shape)
    if numbers:
        if names and samples is not None:
            raise InputError("it is a colour picture; labels need a whole number per object")
        return LazyImage(path, array, order if names else None, convert=whole_numbers)
    if not names and array.ndim > 2:
        what = "its last axis as colours" if samples is not None else "a stack of slices"
        logger.warning("%s: its axes %s have no names; taken as %s", path, array.shape, what)
    return LazyImage(path, array, order, samples, coarser=_coarser(path))


def ome_attributes(attributes: Any) -> Json:
    """Return the OME-Zarr metadata of a group, of version 0.5 or earlier."""
    said: Json = attributes.get("ome", attributes)
    return said


def finest_level(path: Path) -> tuple[zarr.Array[Any], list[str]]:
    """Return the full-resolution array and its axis names; no names if none are given."""
    import zarr

    node = zarr.open(path, mode="r")
    if isinstance(node, zarr.Array):
        named = getattr(node.metadata, "dimension_names", None)
        return node, _names(named or node.attrs.get("_ARRAY_DIMENSIONS"), node.ndim)
    scales: Any = ome_attributes(node.attrs).get("multiscales")
    if not scales:
        raise InputError("the zarr group holds no picture: it has no 'multiscales'")
    array: Any = node[scales[0]["datasets"][0]["path"]]
    return array, _names(scales[0].get("axes"), array.ndim)


def _coarser(path: Path) -> list[CoarserLevel]:
    """Return the coarser levels of a picture that can be read; they may say what they want."""
    import zarr

    node = zarr.open(path, mode="r")
    if isinstance(node, zarr.Array):
        return []
    scales: Any = ome_attributes(node.attrs)["multiscales"]
    try:
        return ome_levels(node, scales[0])
    except Exception as error:  # anybody may write anything into a file
        logger.warning("%s: its coarser levels are not used: %s", path, error)
        return []


def _names(said: object, ndim: int) -> list[str]:
    """Return the names of axes, if there is one for each, and rows and columns are among them."""
    if not isinstance(said, Sequence) or len(said) != ndim:
        return []
    names = [str(one.get("name") if isinstance(one, dict) else one).lower() for one in said]
    return names if names.count("y") == names.count("x") == 1 else []


def store_axes(names: Sequence[str], shape: Sequence[int]) -> tuple[list[int], int | None]:
    """Return which zarr axes are image axes, and which is the colour axis: length 3 or 4, last."""
    axes = range(len(shape))
    last = [names.index("y"), names.index("x")] if names else []
    likely = len(shape) > 2 and shape[-1] in (3, 4)
    samples = axes[-1] if likely and (not names or names[-1] in CHANNELS) else None
    return [*(axis for axis in axes if axis not in (*last, samples)), *last], samples
