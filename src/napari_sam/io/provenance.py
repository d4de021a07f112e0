"""How a file of results was made, in a JSON beside it; by it a later run knows what is done."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np

from napari_sam.errors import DISTRIBUTION
from napari_sam.files import replacing
from napari_sam.io.images.microscopes import file_of
from napari_sam.io.pictures import open_picture

__all__ = ["beside", "described", "files", "is_told", "told", "undone", "write_provenance"]

PACKAGES = (DISTRIBUTION, "numpy", "torch")


def beside(output: Path) -> Path:
    """Return where it is said how an output was made.

    Examples
    --------
    >>> beside(Path("results/a_labels.tif")).name
    'a_labels.tif.json'
    """
    return output.with_name(f"{output.name}.json")


def described(
    command: str, inputs: Mapping[str, Path], model: str, digest: str, settings: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what an output depends on, as JSON.

    Parameters
    ----------
    command : str
        Of the command line.
    inputs : mapping of str to Path
        Files by their part in it; told apart by path, size and date.
    model, digest : str
        Name and hash of the weights.
    settings : mapping
        Whatever else changes the result.
    """
    about = {
        "command": command,
        "inputs": files(inputs),
        "model": {"name": model, "digest": digest},
        "settings": dict(settings),
    }
    known: dict[str, Any] = json.loads(json.dumps(about, default=str))  # as it is read again
    return known


def files(inputs: Mapping[str, Path]) -> dict[str, Any]:
    """Return what is said of inputs in `described`."""
    return {name: _file(path) for name, path in inputs.items()}


def write_provenance(output: Path, about: Mapping[str, Any]) -> None:
    """Write it beside an output, with the date and the versions of what was used."""
    used = {name: version(name) for name in PACKAGES} | {"python": platform.python_version()}
    said = {
        **about,
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": used,
    }
    with replacing(beside(output)) as part:
        part.write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")


def told(output: Path) -> dict[str, Any]:
    """Return what is said beside an output.

    Raises
    ------
    OSError, ValueError
        If nothing is, or it cannot be read.
    """
    try:
        about = json.loads(beside(output).read_text("utf-8"))
    except RecursionError as error:
        raise ValueError("it is nested without end") from error
    if not isinstance(about, dict):
        raise ValueError("it is no JSON object")
    return about


def is_told(path: Path) -> bool:
    """Return whether it is said beside a file that one of our commands has written it."""
    try:
        return {"command", "inputs", "model"} <= told(path).keys()
    except (OSError, ValueError):
        return False


def undone(output: Path, about: Mapping[str, Any]) -> str:
    """Return why labels have to be made (again); empty if they are there and made just so.

    Labels that somebody has corrected since are done, too, if they can be read: they are work.
    """
    if not output.exists():
        return "it is not there"
    try:
        said = told(output)
    except FileNotFoundError:
        return "nothing says how it was made"
    except (OSError, ValueError) as error:
        return f"what says how it was made cannot be read ({error})"
    differing = [name for name, value in about.items() if said.get(name) != value]
    if differing:
        return f"it was made with other {' and '.join(differing)}"
    try:
        _read(output)
    except Exception as error:  # files can be damaged in more ways than their readers name
        return f"it is damaged ({error})"
    return ""


def _read(output: Path) -> None:
    """Read all of an output; whatever is wrong with it is raised."""
    kind = output.suffix.lower()
    if kind in (".json", ".geojson"):
        json.loads(output.read_text("utf-8"))
    elif kind == ".zip":
        with ZipFile(output) as rois:
            for name in rois.namelist():
                rois.read(name)
    elif kind == ".csv":
        output.read_text("utf-8")
    else:
        with open_picture(output, numbers=True) as labels:
            for plane in np.ndindex(*labels.shape[:-2]):
                labels[plane]


def _file(path: Path) -> dict[str, Any]:
    about: dict[str, Any] = {"path": str(path.resolve())}
    file, _ = file_of(path)
    if file.is_file():
        state = file.stat()
        about |= {"bytes": state.st_size, "modified": state.st_mtime_ns}
    return about
