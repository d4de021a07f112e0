"""Pictures from files, read only where they are looked at."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sam.errors import InputError
from napari_sam.io import microscopes
from napari_sam.io.file_checks import why_unreadable
from napari_sam.io.photos import open_photo
from napari_sam.io.pixels import Pixels
from napari_sam.io.stores import open_store, said_of
from napari_sam.io.tiffs import open_tiff

__all__ = ["Plane", "find_pictures", "name_of", "open_picture", "place_of", "read_plane"]

TIFF, PNG, ZARR = (".tif", ".tiff"), (".png",), (".zarr",)
TIFFS = (*TIFF, ".btf", ".lsm", ".ndpi", ".qptiff", ".scn", ".stk", ".svs")  # by other names
PHOTOS = (*PNG, ".bmp", ".jpeg", ".jpg")
KNOWN = (*TIFFS, *PHOTOS, *ZARR, *microscopes.READERS)


def find_pictures(paths: Iterable[Path]) -> list[Path]:
    """Return files as they are, and what is in folders, plates and patterns, sorted.

    Parameters
    ----------
    paths : iterable of Path
        Files, folders (pictures at any depth), patterns with ``*``, ``?`` or ``**`` that the shell
        has left alone, and OME-Zarr plates, of which every field of view is a picture. Of a
        microscope's file with several pictures each is one, such as ``cells.lif/2``.

    Raises
    ------
    InputError
        If something does not exist, is no picture, or if a folder holds none.
    """
    found: list[Path] = []
    for path in paths:
        if not path.exists() and glob.has_magic(str(path)):
            matches = sorted(map(Path, glob.glob(str(path), recursive=True)))
            if not matches:
                raise InputError(f"nothing here matches {str(path)!r}")
            found += find_pictures(matches)
        elif microscopes.file_of(path)[1] is not None:
            found.append(path)
        elif not path.exists():
            raise InputError(f"there is no picture or folder {str(path)!r}")
        elif path.suffix.lower() in KNOWN:
            found += _pictures(path)
        elif path.is_file() and microscopes.readable(path):
            found += microscopes.scenes(path)
        elif path.is_dir() and (inside := _inside(path)):
            found += inside
        else:
            raise InputError(
                f"{str(path)!r} is no picture of the kinds {', '.join(KNOWN)}, nor of others for "
                "which a reader of bioio is installed"
            )
    return found


def name_of(path: Path) -> str:
    """Return a picture's name without ending; of a part of a file or plate with where it is.

    Examples
    --------
    >>> name_of(Path("a/cells.tif")), name_of(Path("a/plate.ome.zarr/B/3/0"))
    ('cells', 'plate.ome_B_3_0')
    """
    file = _file_of(path)
    return "_".join([file.stem, *path.relative_to(file).parts])


def place_of(path: Path) -> Path:
    """Return the folder in which the file or the plate of a picture lies.

    Examples
    --------
    >>> place_of(Path("a/cells.tif")) == place_of(Path("a/plate.ome.zarr/B/3/0")) == Path("a")
    True
    """
    return _file_of(path).parent


@contextmanager
def open_picture(path: Path, *, numbers: bool = False) -> Iterator[Pixels]:
    """Open a picture of any number of axes; index it to read, as long as it is open.

    Of a pyramid it is the finest level. What its file says of axes, colours and of how it is to be
    turned counts; where that says nothing, a warning tells what is assumed.

    Parameters
    ----------
    path : Path
        The file, or a part of one, from `find_pictures`.
    numbers : bool
        Whether the numbers themselves are wanted, as of labels: of a palette those behind its
        colours.

    Yields
    ------
    Pixels
        Rows and columns are the last axes, after them 3 or 4 colours if it is a colour picture.

    Raises
    ------
    InputError
        If the file cannot be read, or has colours where numbers are wanted.
    """
    with ExitStack() as opened:
        try:
            data = _open(path, opened, numbers)
        except Exception as error:  # files can be damaged in more ways than their readers name
            words = why_unreadable(error)
            if not words.startswith(str(microscopes.file_of(path)[0])):
                words = f"{path} cannot be read: {words}"
            raise InputError(words) from error
        yield data


def read_plane(data: Any, plane: tuple[int, ...]) -> NDArray[Any]:
    """Return one plane of an open picture.

    Raises
    ------
    InputError
        If it cannot be read; the message names the plane.
    """
    return np.asarray(Plane(data, plane)[:, :])


class Plane:
    """One plane of an open picture, of which only what is indexed is read.

    Parameters
    ----------
    data : array-like
        From `open_picture`.
    plane : tuple of int
        Which.

    Raises
    ------
    InputError
        When it is indexed and cannot be read; the message names the plane.

    Examples
    --------
    >>> plane = Plane(np.arange(24).reshape(2, 3, 4), (1,))
    >>> plane.shape, plane[1:, :2].tolist()
    ((3, 4), [[16, 17], [20, 21]])
    """

    def __init__(self, data: Any, plane: tuple[int, ...]) -> None:
        self._data, self._plane = data, plane
        self.shape: tuple[int, ...] = tuple(data.shape[len(plane) :])

    def __getitem__(self, index: tuple[slice, ...]) -> NDArray[Any]:
        try:
            return np.asarray(self._data[(*self._plane, *index)])
        except InputError:  # it names the plane
            raise
        except Exception as error:  # as above
            name = ", ".join(map(str, self._plane))
            where = f"slice {name}" if name else "the picture"
            raise InputError(f"{where} cannot be read: {error or type(error).__name__}") from error


def _open(path: Path, opened: ExitStack, numbers: bool) -> Pixels:
    if path.suffix.lower() in TIFFS:
        return open_tiff(path, opened, numbers)
    if path.suffix.lower() in PHOTOS:
        return open_photo(path, numbers)
    if path.is_dir():
        return open_store(path, numbers)
    return microscopes.open_scene(path, numbers)


def _file_of(path: Path) -> Path:
    """Return the file or plate of which a picture is a part, or the picture itself."""
    plates = [one for one in path.parents if one.suffix.lower() in ZARR]
    return plates[0] if plates else microscopes.file_of(path)[0]


def _inside(folder: Path) -> list[Path]:
    found: list[Path] = []
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in KNOWN:
            found += _pictures(path)
        elif path.is_dir():
            found += _inside(path)
    return found


def _pictures(path: Path) -> list[Path]:
    """Return the fields of view of an OME-Zarr plate, the pictures of a file that has several."""
    if path.suffix.lower() in microscopes.READERS:
        return microscopes.scenes(path)
    if path.suffix.lower() not in ZARR:
        return [path]
    wells = [path / well["path"] for well in _about(path).get("plate", {}).get("wells", [])]
    fields = [well / one["path"] for well in wells for one in _about(well)["well"]["images"]]
    return fields or [path]


def _about(path: Path) -> Any:
    """Return what OME-Zarr says of a group, in version 0.5 or before; {} of others."""
    import zarr

    try:
        return said_of(zarr.open_group(path, mode="r").attrs.asdict())
    except Exception:  # an array, or no zarr: its reader tells
        return {}
