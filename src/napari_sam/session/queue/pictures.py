"""Pictures of a queue, from what somebody has named: folders, patterns, files or a table."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from napari_sam.errors import InputError
from napari_sam.io.images.find import ZARR, find_images, folder_of
from napari_sam.io.images.label_files import test_of_labels
from napari_sam.session.queue.queue import Entry
from napari_sam.session.queue.table import TABLE, is_table, read_table

__all__ = ["named_queue"]


def named_queue(named: Sequence[Path]) -> tuple[Path, list[Entry]]:
    """Return the table of a queue and its entries, in the order of their names.

    Files of labels are left out. What the table knows of a picture is kept. Paths are absolute.

    Parameters
    ----------
    named : sequence of Path
        One table, or pictures as for `find_images`; the table is that of their common folder.

    Raises
    ------
    InputError
        If there is no picture, or the table is none.
    """
    if len(named) == 1 and is_table(named[0]) and named[0].exists():
        entries = read_table(named[0])
        if not entries:
            raise InputError(f"{named[0]} names no picture")
        return named[0], [replace(one, path=_absolute(one.path)) for one in entries]
    found = find_images(named, lambda path, why: None)
    test = test_of_labels(found, None)
    pictures = [path for path in found if not test(path)] or found
    table = _root(named, pictures) / TABLE
    known = {}
    if table.exists():
        known = {_absolute(entry.path): entry for entry in read_table(table)}
    entries = [known.get(_absolute(path), Entry(path)) for path in pictures]
    return table, [replace(one, path=_absolute(one.path)) for one in entries]


def _root(named: Sequence[Path], pictures: Sequence[Path]) -> Path:
    """Return the folder that was named, or the one in which all pictures lie."""
    inside = [one for one in named if one.is_dir() and one.suffix.lower() not in ZARR]
    folders = {os.path.abspath(one) for one in inside}
    roots = [Path(folder) for folder in folders]
    for picture in pictures:
        place = Path(os.path.abspath(folder_of(picture)))
        if not any(place.is_relative_to(root) for root in roots):
            folders.add(str(place))
    try:
        return Path(os.path.commonpath(folders))
    except ValueError as error:
        raise InputError("the pictures of a queue have to lie on one drive") from error


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))
