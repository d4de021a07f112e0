"""Image files opened lazily: only the indexed part is read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

from napari_sam.arrays import Array, LazyArray
from napari_sam.errors import InputError
from napari_sam.io.images import microscopes
from napari_sam.io.images.file_checks import check_file, why_unreadable
from napari_sam.io.images.find import PHOTOS, TIFFS
from napari_sam.io.images.photos import open_photo
from napari_sam.io.images.pixels import LazyImage
from napari_sam.io.images.stores import open_store
from napari_sam.io.images.tiffs import open_tiff
from napari_sam.levels import coarser_levels

__all__ = ["LazyPlane", "open_image"]


@contextmanager
def open_image(path: Path, *, numbers: bool = False) -> Iterator[LazyImage]:
    """Open an n-dimensional image as a context manager; index it to read.

    Of a pyramid it is the finest level, which knows the others (`LazyImage.coarser`). What its file
    says of axes, colours and of how it is to be turned counts; where that says nothing, a warning
    tells what is assumed.

    Parameters
    ----------
    path : Path
        The file, or a part of one, from `find_images`.
    numbers : bool
        Whether the numbers themselves are wanted, as of labels: of a palette those behind its
        colours.

    Yields
    ------
    LazyImage
        Rows and columns are the last axes, after them 3 or 4 colours if it is a colour picture.

    Raises
    ------
    InputError
        If the file cannot be read, or has colours where numbers are wanted.
    """
    with ExitStack() as opened:
        try:
            check_file(microscopes.file_of(path)[0])
            data = _open(path, opened, numbers)
        except Exception as error:  # files can be damaged in more ways than their readers name
            words = why_unreadable(error)
            if not words.startswith(str(microscopes.file_of(path)[0])):
                words = f"{path} cannot be read: {words}"
            raise InputError(words) from error
        yield data


class LazyPlane:
    """One plane of an open image, read lazily by index.

    Parameters
    ----------
    data : array-like
        From `open_image`.
    plane : tuple of int
        Which.

    Attributes
    ----------
    coarser : list of CoarserLevel
        Those of the image's that hold this very plane; of levels that are coarser along other axes,
        too, a plane shows several.

    Examples
    --------
    >>> plane = LazyPlane(np.arange(24).reshape(2, 3, 4), (1,))
    >>> plane.shape, plane[1:, :2].tolist()
    ((3, 4), [[16, 17], [20, 21]])
    """

    def __init__(self, data: LazyArray, plane: tuple[int, ...]) -> None:
        self._data, self._plane = data, plane
        planes = [(one, LazyPlane(one.pixels, plane)) for one in coarser_levels(data)]
        found = [level.plane(plane, pixels) for level, pixels in planes]
        self.coarser = [one for one in found if one is not None]
        self.shape: tuple[int, ...] = tuple(data.shape[len(plane) :])
        self.dtype = data.dtype

    def __getitem__(self, index: tuple[slice, ...]) -> Array:
        return np.asarray(self._data[(*self._plane, *index)])


def _open(path: Path, opened: ExitStack, numbers: bool) -> LazyImage:
    if path.is_dir() and path.suffix.lower() in (*TIFFS, *PHOTOS):
        raise InputError("it is a folder with the name of a picture; name the pictures in it")
    if path.suffix.lower() in TIFFS:
        return open_tiff(path, opened, numbers)
    if path.suffix.lower() in PHOTOS:
        return open_photo(path, numbers)
    if path.is_dir():
        return open_store(path, numbers)
    return microscopes.open_scene(path, numbers)
