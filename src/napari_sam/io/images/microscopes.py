"""Microscope formats, read plane by plane through bioio."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

from napari_sam.arrays import Array
from napari_sam.errors import DISTRIBUTION, InputError
from napari_sam.files import Json
from napari_sam.io.images.file_checks import whole_numbers
from napari_sam.io.images.pixels import LazyImage

if TYPE_CHECKING:
    from bioio import BioImage

__all__ = ["READERS", "LazyDask", "file_of", "open_scene", "readable", "scale_of", "scenes"]

READERS = {
    ".czi": "bioio-czi",
    ".dv": "bioio-dv",
    ".lif": "bioio-lif",
    ".nd2": "bioio-nd2",
    ".r3d": "bioio-dv",
    ".sldy": "bioio-sldy",
}
"""Endings that are looked for in folders, and who reads them; others are tried if named."""


def file_of(path: Path) -> tuple[Path, int | None]:
    """Split an image path into its file and scene number; None if it names no scene.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "cells.lif"
    ...     file.touch()
    ...     file_of(file / "2") == (file, 2), file_of(file) == (file, None)
    (True, True)
    """
    if path.name.isdecimal() and path.parent.is_file():
        return path.parent, int(path.name)
    return path, None


def readable(path: Path) -> bool:
    """Return whether an installed bioio reader supports the file."""
    try:
        from bioio.plugins import get_plugins
    except ImportError:
        return False
    return any(path.name.lower().endswith(ending) for ending in get_plugins(use_cache=True))


def scenes(path: Path) -> list[Path]:
    """Return the paths of a file's scenes, such as ``cells.lif/0``; the file itself if only one.

    A file that cannot be read is returned, too: whoever opens it is told why.
    """
    try:
        count = len(_image(path).scenes)
    except Exception:  # files can be damaged in more ways than their readers name
        return [path]
    return [path] if count == 1 else [path / str(i) for i in range(count)]


def open_scene(path: Path, numbers: bool = False) -> LazyImage:
    """Open a scene lazily; its axes are those of t, c, z, y, x that are longer than 1.

    Raises
    ------
    InputError
        If bioio, or its reader for such files, is not installed, or the file holds several pictures
        and it is not said which, or if its pixels are neither grey nor colours.
    """
    data = _scene(path)[1]
    samples = data.dims.index("S") if "S" in data.dims else None
    if samples is not None and (numbers or data.sizes["S"] not in (3, 4)):
        wanted = "labels need one number" if numbers else "grey needs one, RGB three"
        raise InputError(f"its pixels hold {data.sizes['S']} samples; {wanted}")
    order = [axis for axis, name in enumerate(data.dims) if name != "S"]
    return LazyImage(path, LazyDask(data.data), order, samples, whole_numbers if numbers else None)


def scale_of(path: Path) -> Json:
    """Return axis names, scale and units of all axes, as napari layer attributes."""
    image, data = _scene(path)
    names = [name for name in map(str, data.dims) if name != "S"]  # colours, which are last
    steps = [getattr(image.scale, name, None) for name in names]
    units = [_unit(image, name, step) for name, step in zip(names, steps, strict=True)]
    return {
        "axis_labels": [name.lower() for name in names],
        "scale": [step or 1 for step in steps],
        "units": units,
    }


class LazyDask:
    """Numpy view of a dask array: indexing computes only the chunks it needs, in this thread.

    On a cluster, too: dask would send the reading around.

    Examples
    --------
    >>> import dask.array
    >>> lazy = LazyDask(dask.array.arange(6).reshape(2, 3))
    >>> lazy[1], lazy.shape
    (array([3, 4, 5]), (2, 3))
    """

    def __init__(self, data: Any) -> None:
        self._data = data
        self.shape: tuple[int, ...] = tuple(data.shape)
        self.ndim = len(self.shape)
        self.dtype = np.dtype(data.dtype)

    def __getitem__(self, index: Any) -> Array:
        return np.asarray(self._data[index].compute(scheduler="single-threaded"))

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> Array:
        return np.asarray(self[...], dtype)

    def __len__(self) -> int:
        return self.shape[0]


def _scene(path: Path) -> tuple[BioImage, Any]:
    """Return bioio's image, at the right scene, and its data without single axes."""
    file, scene = file_of(path)
    image = _image(file)
    if scene is None and len(image.scenes) > 1:
        raise InputError(
            f"{file} holds {len(image.scenes)} pictures; say which, from {file / '0'} to "
            f"{file / str(len(image.scenes) - 1)}"
        )
    image.set_scene(scene or 0)
    data = image.xarray_dask_data
    return image, data.isel({n: 0 for n in data.dims if data.sizes[n] == 1 and n not in ("Y", "X")})


def _image(file: Path) -> BioImage:
    reader = READERS.get(file.suffix.lower())
    try:
        from bioio import BioImage
    except ImportError as error:
        more = "" if reader is None else f"; {file.suffix} is read by its plug-in {reader}"
        needed = f'pip install "{DISTRIBUTION}[bioio]"{more}'
        raise InputError(f"{file} needs bioio: {needed}") from error
    if not readable(file):
        which = f"pip install {reader}" if reader else "https://github.com/bioio-devs lists them"
        raise InputError(f"{file} needs a reader of bioio that is not installed: {which}")
    return BioImage(file, use_plugin_cache=True)


def _unit(image: BioImage, name: str, step: float | None) -> str:
    """Return a unit; of microscopes that say a distance without one it is micrometres."""
    if not step:
        return "pixel"
    said = getattr(image.dimension_properties, name).unit
    return str(said) if said else {"T": "second"}.get(name, "micrometer")
