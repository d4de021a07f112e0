"""`napari-sam gui`: open napari with the panel and an image."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from napari_sam.errors import InputError

if TYPE_CHECKING:
    from napari_sam.cli.commands import Commands

__all__ = ["add", "has_display"]


def add(commands: Commands) -> None:
    """Add the subcommand to the parser."""
    parser = commands.add_parser("gui", help="open napari with the panel")
    parser.add_argument("image", metavar="IMAGE", nargs="?", type=Path, help="a picture to open")
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Open the napari window and run its event loop."""
    if chosen.image is not None and not chosen.image.exists():
        raise InputError(f"there is no picture {str(chosen.image)!r}")
    if not has_display():
        raise InputError("there is no display for a window; `napari-sam demo` works without one")
    from napari_sam.widgets.window import open_window

    open_window(path=chosen.image)
    return 0


def has_display() -> bool:
    """Return whether a display is available; on other systems than Linux always True."""
    if not sys.platform.startswith("linux"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
