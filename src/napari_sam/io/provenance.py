"""How a file of results was made, in a JSON beside it; by it a later run knows what is done."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from napari_sam.files import replacing

__all__ = ["beside", "described", "undone", "write_provenance"]

PACKAGES = ("napari-sam", "numpy", "torch")


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
        "inputs": {name: _file(path) for name, path in inputs.items()},
        "model": {"name": model, "digest": digest},
        "settings": dict(settings),
    }
    told: dict[str, Any] = json.loads(json.dumps(about, default=str))  # as it is read again
    return told


def write_provenance(output: Path, about: Mapping[str, Any]) -> None:
    """Write it beside an output, with the date and the versions of what was used."""
    used = {name: version(name) for name in PACKAGES} | {"python": platform.python_version()}
    told = {
        **about,
        "bytes": _bytes(output),
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": used,
    }
    with replacing(beside(output)) as part:
        part.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


def undone(output: Path, about: Mapping[str, Any]) -> str:
    """Return why an output has to be made (again); empty if it is there and made just so."""
    if not output.exists():
        return "it is not there"
    try:
        told = json.loads(beside(output).read_text("utf-8"))
        differing = [name for name, value in about.items() if told.get(name) != value]
    except FileNotFoundError:
        return "nothing says how it was made"
    except (OSError, ValueError, AttributeError) as error:
        return f"what says how it was made cannot be read ({error})"
    if differing:
        return f"it was made with other {' and '.join(differing)}"
    if told.get("bytes") != _bytes(output):
        return "it was changed since, or is damaged"
    return ""


def _file(path: Path) -> dict[str, Any]:
    about: dict[str, Any] = {"path": str(path.resolve())}
    if path.is_file():
        state = path.stat()
        about |= {"bytes": state.st_size, "modified": state.st_mtime_ns}
    return about


def _bytes(output: Path) -> int | None:
    """Return the size of a file; a folder has none."""
    return output.stat().st_size if output.is_file() else None
