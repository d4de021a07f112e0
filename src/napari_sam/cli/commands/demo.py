"""`napari-sam demo`: segment a sample image, in a window or, headless, into files."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from napari_sam.cli.commands.gui import has_display
from napari_sam.cli.progress import add_model

if TYPE_CHECKING:
    from napari_sam.cli.commands import Commands

__all__ = ["add"]


def add(commands: Commands) -> None:
    """Add the subcommand to the parser."""
    parser = commands.add_parser(
        "demo",
        help="try it on a sample picture",
        description="Open napari with a sample picture and the panel. Without a display, or with "
        "--headless, segment the sample's objects from stored clicks and a box instead, and write "
        "the labels and an overlay.",
    )
    parser.add_argument(
        "--stack", action="store_true", help="a stack: mark nuclei once, follow them through it"
    )
    parser.add_argument("--headless", action="store_true", help="write files, open no window")
    parser.add_argument("--output", metavar="DIR", type=Path, default=Path("napari-sam-demo"))
    add_model(parser)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Run the demo in a window, or write its files."""
    name = "stack" if chosen.stack else "nuclei"
    if has_display() and not chosen.headless:
        from napari_sam.widgets.window import open_window

        open_window(sample=name)
    else:
        from napari_sam.cli.headless import run_sample

        run_sample(name, chosen.output, chosen.model, chosen.device)
    return 0
