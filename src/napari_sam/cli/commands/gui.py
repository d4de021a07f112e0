"""`napari-sam gui`: open napari with the panel and an image, or with a queue of them."""

from __future__ import annotations

import argparse
import os
import sys
from glob import has_magic
from pathlib import Path
from typing import TYPE_CHECKING

from napari_sam.errors import InputError

if TYPE_CHECKING:
    from napari_sam.cli.commands import Commands

__all__ = ["add", "has_display"]


def add(commands: Commands) -> None:
    """Add the subcommand to the parser."""
    parser = commands.add_parser(
        "gui",
        help="open napari with the panel",
        description="Opens napari with the panel. Of one picture it is that; of a folder, a "
        "pattern, several pictures, an OME-Zarr plate or the table of a queue they are gone "
        "through one after another, and what is done is kept in the table napari-sam-queue.csv.",
    )
    parser.add_argument(
        "image", metavar="IMAGE", nargs="*", type=Path,
        help="a picture to open; or a folder, a pattern, several pictures or a table",
    )  # fmt: skip
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Open the napari window and run its event loop."""
    named: list[Path] = chosen.image
    for path in named:
        if not path.exists() and not has_magic(str(path)):
            raise InputError(f"there is no picture {str(path)!r}")
    if not has_display():
        raise InputError("there is no display for a window; `napari-sam demo` works without one")
    from napari_sam.widgets.window import open_window

    if is_queue(named):
        open_window(queue=named)
    else:
        open_window(path=named[0] if named else None)
    return 0


def is_queue(named: list[Path]) -> bool:
    """Return whether several pictures are meant: a folder or table, or more than one."""
    from napari_sam.io.images.find import ZARR, find_images
    from napari_sam.session.queue.table import is_table

    if len(named) != 1:
        return bool(named)
    [path] = named
    folder = path.is_dir() and path.suffix.lower() not in ZARR
    if folder or is_table(path) or not path.exists():
        return True
    try:
        return len(find_images(named)) > 1
    except InputError:  # napari may have a reader for it
        return False


def has_display() -> bool:
    """Return whether a display is available; on other systems than Linux always True."""
    if not sys.platform.startswith("linux"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
