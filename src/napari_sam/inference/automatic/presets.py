"""Presets of automatic mask generation for kinds of images, from ``presets.toml``."""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from napari_sam.inference.automatic.selection import Selection
from napari_sam.inference.automatic.settings import GridSettings

__all__ = ["Preset", "presets"]


@dataclass(frozen=True)
class Preset:
    """Preset for one kind of image: search settings, filter and score threshold.

    Parameters
    ----------
    title, about : str
        Its name for a list, and what it is for.
    certain : float
        Predicted IoU from which on an object needs no look.
    grid : GridSettings
        How to search.
    selection : Selection
        What to keep.
    """

    title: str
    about: str
    certain: float
    grid: GridSettings
    selection: Selection


@cache
def presets() -> dict[str, Preset]:
    """Return all presets by name.

    Examples
    --------
    >>> list(presets())
    ['nuclei', 'cells', 'bacteria', 'electron', 'tissue']
    >>> presets()["bacteria"].selection.overlap
    'larger'
    """
    text = files(__package__).joinpath("presets.toml").read_text(encoding="utf-8")
    return {
        name: Preset(
            said["title"],
            said["about"],
            said["certain"],
            GridSettings(**said.get("grid", {})),
            Selection(**{key: _open(value) for key, value in said.get("selection", {}).items()}),
        )
        for name, said in tomllib.loads(text).items()
    }


def _open(value: Any) -> Any:
    """Turn a list into a range: infinite is open."""
    if not isinstance(value, list):
        return value
    return tuple(bound if math.isfinite(bound) else None for bound in value)
