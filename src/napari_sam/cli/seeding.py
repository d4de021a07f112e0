"""The argument `--seeds` of `napari-sam segment`: how to choose points, or a file of them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_sam.errors import InputError

if TYPE_CHECKING:
    from napari_sam.inference.grid_settings import GridSettings

__all__ = ["add_seeds", "seeded"]


def add_seeds(parser: argparse.ArgumentParser) -> None:
    """Add the argument."""
    parser.add_argument(
        "--seeds", metavar="HOW",
        help="where to ask: adaptive (maxima, then a coarse grid where nothing was found; the "
        "default), maxima (of the blurred picture), distance (the deepest points of what a "
        "threshold takes for objects), grid; or a file: labels (.tif, .png, .zarr), of which each "
        "object is asked about at its deepest point, or points (.csv, as napari saves them)",
    )  # fmt: skip


def seeded(settings: GridSettings, how: str | None) -> GridSettings:
    """Return the settings with these seeds; a file changes nothing of them."""
    from dataclasses import replace

    from napari_sam.inference.grid_settings import SEEDS

    known: Any = how
    if how in SEEDS:
        return replace(settings, seeds=known)
    if how is not None and not Path(how).exists():
        raise InputError(f"--seeds must be one of {', '.join(SEEDS)}, or a file; got {how!r}")
    return settings
