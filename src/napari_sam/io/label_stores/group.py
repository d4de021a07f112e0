"""The group "labels" of an OME-Zarr picture: which labels are in it, and a place for new ones."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from napari_sam.errors import InputError
from napari_sam.io.images.stores import ome_attributes
from napari_sam.io.label_stores.behind import folder_behind
from napari_sam.io.label_stores.opening import open_store
from napari_sam.io.ome_parent import ParentImage, parent_at

__all__ = ["free_path", "group_of", "labels_in"]


def group_of(pixels: Any, source: str | None) -> ParentImage | None:
    """Return the OME-Zarr that a picture comes from; None if it comes from no such thing.

    Parameters
    ----------
    pixels : array-like
        The picture's finest level; of zarr or dask it says itself where it lies.
    source : str or None
        The path that was opened, if somebody knows it: the picture's group, or a level in it.
    """
    array = folder_behind(pixels)
    opened = () if source is None else (Path(source), Path(source).parent)
    for folder in opened if array is None else (array.parent,):
        if folder.is_dir() and (found := parent_at(folder)) is not None:
            return found
    return None


def labels_in(picture: ParentImage, shape: Sequence[int]) -> list[Path]:
    """Return the paths of a picture's labels that have this shape and can be written to."""
    import zarr

    try:
        group = zarr.open_group(picture.folder, mode="r", use_consolidated=False)
        names: Any = ome_attributes(group.attrs).get("labels", [])
        paths = [picture.folder / name for name in names]
    except (OSError, ValueError, TypeError, AttributeError):
        return []  # it has none, or a list that nobody can read
    return [path for path in paths if _fits(path, shape)]


def free_path(picture: ParentImage, shape: Sequence[int], name: str = "objects") -> Path | None:
    """Return a path for new labels in a picture's group; None if there can be none of this shape.

    Parameters
    ----------
    picture : ParentImage
        Where.
    shape : sequence of int
        Of the labels, without channels.
    name : str
        What they are called, if nothing else is.
    """
    sizes = [n for axis, n in picture.levels[0].items() if axis != "c"]
    if sizes != list(shape) or not os.access(picture.path, os.W_OK):
        return None
    path, number = picture.folder / name, 2
    while path.exists():
        path, number = picture.folder / f"{name}-{number}", number + 1
    return path


def _fits(path: Path, shape: Sequence[int]) -> bool:
    try:
        finest = open_store(path)[0]
    except InputError:
        return False
    return tuple(finest.shape) == tuple(shape) and finest.dtype.kind in "iu"
