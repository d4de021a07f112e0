"""Provenance: a JSON file beside each output says how it was made; `--resume` reads it."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from zipfile import ZipFile

import numpy as np

from napari_sam.errors import DISTRIBUTION
from napari_sam.files import Json, replacing
from napari_sam.io.images.microscopes import file_of
from napari_sam.io.images.read import open_image

__all__ = [
    "describe_inputs",
    "describe_run",
    "has_provenance",
    "provenance_path",
    "read_provenance",
    "why_redo",
    "write_provenance",
]

PACKAGES = (DISTRIBUTION, "numpy", "torch")


def provenance_path(output: Path) -> Path:
    """Return the path of an output's provenance file.

    Examples
    --------
    >>> provenance_path(Path("results/a_labels.tif")).name
    'a_labels.tif.json'
    """
    return output.with_name(f"{output.name}.json")


def describe_run(
    command: str,
    inputs: Mapping[str, Path],
    model: str,
    digest: str,
    settings: Mapping[str, object],
    decoder: str = "",
) -> Json:
    """Return everything that an output depends on, as a JSON object.

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
    decoder : str
        Hash of the instance decoder, where it is used and is a file of its own.
    """
    weights = {"name": model, "digest": digest}
    about = {
        "command": command,
        "inputs": describe_inputs(inputs),
        "model": weights | ({"decoder": decoder} if decoder else {}),
        "settings": dict(settings),
    }
    known: Json = json.loads(json.dumps(about, default=str))  # as it is read again
    return known


def describe_inputs(inputs: Mapping[str, Path]) -> Json:
    """Return the entry of `describe_run` that identifies the inputs."""
    return {name: _file(path) for name, path in inputs.items()}


def write_provenance(output: Path, about: Mapping[str, object]) -> None:
    """Write an output's provenance file, with the date and package versions."""
    used = {name: version(name) for name in PACKAGES} | {"python": platform.python_version()}
    said = {
        **about,
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": used,
    }
    with replacing(provenance_path(output)) as part:
        part.write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")


def read_provenance(output: Path) -> Json:
    """Return an output's provenance.

    Raises
    ------
    OSError, ValueError
        If nothing is, or it cannot be read.
    """
    try:
        about = json.loads(provenance_path(output).read_text("utf-8"))
    except RecursionError as error:
        raise ValueError("it is nested without end") from error
    if not isinstance(about, dict):
        raise ValueError("it is no JSON object")
    return about


def has_provenance(path: Path) -> bool:
    """Return whether a file has provenance, that is, was written by napari-sam."""
    try:
        return {"command", "inputs", "model"} <= read_provenance(path).keys()
    except (OSError, ValueError):
        return False


def why_redo(output: Path, about: Mapping[str, object]) -> str:
    """Return why labels must be made (again); empty if they exist and are up to date.

    Labels that somebody has corrected since are done, too, if they can be read: they are work.
    """
    if not output.exists():
        return "it is not there"
    try:
        said = read_provenance(output)
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
        with open_image(output, numbers=True) as labels:
            for plane in np.ndindex(*labels.shape[:-2]):
                labels[plane]


def _file(path: Path) -> Json:
    about: Json = {"path": str(path.resolve())}
    file, _ = file_of(path)
    if file.is_file():
        state = file.stat()
        about |= {"bytes": state.st_size, "modified": state.st_mtime_ns}
    return about
