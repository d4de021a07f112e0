"""Search for image files in folders, glob patterns, OME-Zarr plates and multi-image files."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import dropwhile
from pathlib import Path

from napari_sam.errors import InputError
from napari_sam.files import Json
from napari_sam.io.images import microscopes
from napari_sam.io.images.stores import ome_attributes
from napari_sam.reasons import reason

__all__ = ["find_images", "folder_of", "name_of", "whole_name_of"]

TIFF, PNG, ZARR = (".tif", ".tiff"), (".png",), (".zarr",)
TIFFS = (*TIFF, ".btf", ".lsm", ".ndpi", ".qptiff", ".scn", ".stk", ".svs")  # by other names
PHOTOS = (*PNG, ".bmp", ".jpeg", ".jpg")
KNOWN = (*TIFFS, *PHOTOS, *ZARR, *microscopes.READERS)


def find_images(
    paths: Iterable[Path], on_bad: Callable[[str, str], None] | None = None
) -> list[Path]:
    """Return image paths, sorted: files as they are, folders, plates and patterns expanded.

    What is found twice is returned once.

    Parameters
    ----------
    paths : iterable of Path
        Files, folders (pictures at any depth), patterns with ``*``, ``?`` or ``**`` that the shell
        has left alone, and OME-Zarr plates, of which every field of view is a picture. Of a
        microscope's file with several pictures each is one, such as ``cells.lif/2``.
    on_bad : callable, optional
        Told the path and the reason of whatever cannot be used, if there is something else that
        can.

    Raises
    ------
    InputError
        If there is nothing else, or nobody to tell: something does not exist, is no picture, or is
        a folder that holds none or cannot be read.
    """
    found: dict[str, Path] = {}
    bad: dict[str, str] = {}
    for path in paths:
        try:
            for one in _named(path, bad):
                found.setdefault(os.path.abspath(one), one)
        except (InputError, OSError) as error:
            bad[str(path)] = reason(error)
    if bad and (on_bad is None or not found):
        raise InputError(next(iter(bad.values())))
    for name, why in {os.path.abspath(name): (name, why) for name, why in bad.items()}.values():
        on_bad(name, why)  # type: ignore[misc]
    return list(found.values())


def name_of(path: Path) -> str:
    """Return an image's name without suffix; for part of a file or plate, with its place in it.

    Examples
    --------
    >>> name_of(Path("a/cells.tif")), name_of(Path("a/plate.ome.zarr/B/3/0"))
    ('cells', 'plate.ome_B_3_0')
    """
    file = _file_of(path)
    return "_".join([file.stem, *path.relative_to(file).parts])


def whole_name_of(path: Path) -> str:
    """Return an image's name with its suffix, which tells it from others beside it.

    Examples
    --------
    >>> whole_name_of(Path("a/cells.tif")), whole_name_of(Path("a/plate.zarr/B/3/0"))
    ('cells.tif', 'plate.zarr_B_3_0')
    """
    file = _file_of(path)
    return "_".join([file.name, *path.relative_to(file).parts])


def folder_of(path: Path) -> Path:
    """Return the folder that contains an image's file or plate.

    Examples
    --------
    >>> folder_of(Path("a/cells.tif")) == folder_of(Path("a/plate.ome.zarr/B/3/0")) == Path("a")
    True
    """
    return _file_of(path).parent


def _file_of(path: Path) -> Path:
    """Return the file or plate of which a picture is a part, or the picture itself."""
    plates = [one for one in path.parents if one.suffix.lower() in ZARR]
    return plates[0] if plates else microscopes.file_of(path)[0]


def _named(path: Path, bad: dict[str, str]) -> Iterator[Path]:
    """Give the pictures that are meant by a path; note what cannot be read on the way."""
    if not path.exists() and glob.has_magic(str(path)):
        matches = _matches(path)
        if not matches:
            raise InputError(f"nothing here matches {str(path)!r}")
        yield from find_images(matches, bad.__setitem__)
    elif microscopes.file_of(path)[1] is not None:
        yield path
    elif not path.exists():
        raise InputError(f"there is no picture or folder {str(path)!r}")
    elif _is_named_so(path) and not _is_folder(path):
        yield from _images_in(path)
    elif path.is_file() and microscopes.readable(path):
        yield from microscopes.scenes(path)
    elif path.is_dir():
        yield from _inside(path, bad)
    else:
        raise InputError(_no_image(path))


def _matches(pattern: Path) -> list[Path]:
    """Return what fits a pattern; ``**`` stands for folders at any depth."""
    before, deep, after = _split(pattern)
    if not deep:
        return sorted(map(Path, glob.glob(str(pattern))))
    tops = [Path(top) for top in glob.glob(str(before))]
    if not after.parts:
        return sorted(tops)
    folders = {folder for top in tops if top.is_dir() for folder in _folders(top)}
    return sorted({one for at in folders for one in _matches(Path(glob.escape(str(at)), after))})


def _split(pattern: Path) -> tuple[Path, bool, Path]:
    """Return what stands before and behind the first ``**`` of a pattern, and whether it has one.

    glob's own way would follow links that go in circles, two of them without end.
    """
    parts = pattern.parts
    at = parts.index("**") if "**" in parts else len(parts)
    after = dropwhile("**".__eq__, parts[at:])  # two behind each other say no more than one
    return Path(*parts[:at]), at < len(parts), Path(*after)


def _folders(top: Path) -> Iterator[Path]:
    """Give a folder and those in it at any depth but the hidden ones; each place on a way once."""
    left = [(top, frozenset(map(_identity, _real(top).parents)))]
    while left:
        folder, above = left.pop()
        with suppress(OSError):  # it may not be looked into, or is gone
            here = _identity(folder)
            if here in above:
                continue
            yield folder
            with os.scandir(folder) as entries:
                inside = [one.path for one in entries if one.name[0] != "." and one.is_dir()]
            left += [(Path(path), above | {here}) for path in inside]


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))  # of a link to itself, too


def _inside(folder: Path, bad: dict[str, str]) -> Iterator[Path]:
    """Give the pictures in a folder, at any depth and by name.

    A link to a folder that it lies in leads to nothing new, and is not followed.
    """
    left = [(folder, frozenset(map(_identity, _real(folder).parents)))]
    nothing = True
    while left:
        path, above = left.pop()
        try:
            if not _is_folder(path):
                images, nothing = _images_in(path), False
                yield from images
                continue
            here = _identity(path)
            if here not in above:
                left += [(one, above | {here}) for one in _entries(path)]
        except (InputError, OSError) as error:
            bad[str(path)], nothing = reason(error), False
    if nothing:
        raise InputError(_no_image(folder))


def _identity(folder: Path) -> tuple[int, int]:
    state = folder.stat()
    return state.st_dev, state.st_ino


def _entries(folder: Path) -> list[Path]:
    """Return folders and pictures in a folder, the last name first."""
    with os.scandir(folder) as entries:
        names = [
            one.name
            for one in entries
            if _is_named_so(folder / one.name) or os.path.isdir(one.path)
        ]
    if not names and _is_named_so(folder):
        raise InputError(_no_image(folder))
    return [folder / name for name in sorted(names, reverse=True)]


def _no_image(path: Path) -> str:
    return (
        f"{str(path)!r} is no picture of the kinds {', '.join(KNOWN)}, nor of others for "
        "which a reader of bioio is installed"
    )


def _is_named_so(path: Path) -> bool:
    return path.suffix.lower() in KNOWN


def _is_folder(path: Path) -> bool:
    """Tell whether it is a folder of pictures, and not one picture that is kept in a folder."""
    return path.is_dir() and path.suffix.lower() not in ZARR


def _images_in(path: Path) -> list[Path]:
    """Return the fields of view of an OME-Zarr plate, the pictures of a file that has several."""
    if path.suffix.lower() in microscopes.READERS and path.is_file():
        return microscopes.scenes(path)
    if path.suffix.lower() not in ZARR:
        return [path]
    wells = [path / well["path"] for well in _about(path).get("plate", {}).get("wells", [])]
    fields = [well / one["path"] for well in wells for one in _about(well)["well"]["images"]]
    return fields or [path]


def _about(path: Path) -> Json:
    """Return what OME-Zarr says of a group, in version 0.5 or before; {} of others."""
    import zarr

    try:
        return ome_attributes(zarr.open_group(path, mode="r").attrs.asdict())
    except Exception:  # an array, or no zarr: its reader tells
        return {}
