"""Fine-tuned models of the user, found by name. Imports no torch."""

from __future__ import annotations

import json
import logging
import re
import reprlib
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path

from napari_sam.errors import CheckpointError, InputError
from napari_sam.files import Json
from napari_sam.zoo import catalogue

__all__ = [
    "VERSION",
    "OwnModel",
    "free_name",
    "own_file",
    "own_folder",
    "own_models",
    "read_header",
    "remove",
]

logger = logging.getLogger(__name__)
MAX_NAME = 50  # characters of a file's name, up to four bytes each
MAX_HEADER_BYTES = 100_000_000  # bytes of a header, safetensors' own limit
VERSION = 1  # of the header
KINDS = {
    **dict.fromkeys(("name", "kind", "what", "created", "licence", "citation"), str),
    **dict.fromkeys(("base", "config", "normalisation", "figures"), dict),
    "version": int,
}
WORDS = {str: "text", dict: "table", int: "number"}


@dataclass(frozen=True)
class OwnModel:
    """Fine-tuned model of the user.

    Parameters
    ----------
    name : str
        For the lists of models.
    path : Path
    header : dict
        What `napari_sam.training.weights` wrote about it; see `about`.
    """

    name: str
    path: Path
    header: Json

    def about(self) -> str:
        """Return a short description: base model and scores."""
        h = self.header
        base = h.get("base", {}).get("name", "an unknown base")
        parts = [f"{h.get('what', 'trained')} on {base}", str(h.get("created", ""))]
        try:
            row = h["figures"]["validation"][0]
            parts.append(f"{row['measure']}: IoU {row['before']:.2f} to {row['after']:.2f}")
        except (LookupError, TypeError, ValueError):
            pass  # there was nothing to measure it on
        return ", ".join(part for part in parts if part)


def own_folder() -> Path:
    """Return the folder of fine-tuned models, beside the downloads."""
    return catalogue.models_folder() / "own"


def own_models() -> dict[str, OwnModel]:
    """Return the user's fine-tuned models by name.

    Damaged files, and files whose name a published model has, are named in the log and left out.
    """
    found = []
    for path in sorted(own_folder().glob("*.safetensors")):
        try:
            header = read_header(path)
        except CheckpointError as error:
            logger.warning("%s", error)
            continue
        name = header.get("name", path.stem)
        if name in catalogue.entries():
            logger.warning("%s is left out: %s is the name of a published model", path, name)
            continue
        found.append(OwnModel(name, path, header))
    return {model.name: model for model in sorted(found, key=lambda model: model.name.lower())}


def read_header(path: Path) -> Json:
    """Return the metadata of a safetensors file under ``napari_sam``; {} if there is none.

    Raises
    ------
    CheckpointError
        If this is no whole safetensors file, or says it in another form than ours.
    """
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 0 < length <= min(MAX_HEADER_BYTES, path.stat().st_size - 8):
                raise ValueError("its header is cut off")
            metadata = json.loads(file.read(length)).get("__metadata__", {})
        header = json.loads(metadata.get("napari_sam", "{}"))
        if not isinstance(header, dict):
            raise TypeError("its header is no table")
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise CheckpointError(f"{path} is damaged or no weights file: {error}") from error
    for key, kind in KINDS.items():
        if not isinstance(header.get(key, kind()), kind):
            raise CheckpointError(
                f"{path} is damaged: {key!r} in its header is no {WORDS[kind]} but "
                f"{reprlib.repr(header[key])}"
            )
    if header.get("version", VERSION) > VERSION:
        raise CheckpointError(
            f"{path} was written by a newer version of napari-sam ({header.get('package')}); "
            "update this one"
        )
    return header


def own_file(name: str) -> Path:
    """Return the path for a new model of that name.

    Raises
    ------
    InputError
        If it is no name, or taken.

    Examples
    --------
    >>> own_file("nuclei: 40x").name
    'nuclei_ 40x.safetensors'
    """
    name = name.strip()
    if not name:
        raise InputError("a model needs a name")
    if name in catalogue.entries():
        raise InputError(
            f"{name!r} is the name of a published model; choose another, say {free_name(name)!r}"
        )
    if name in own_models():
        raise InputError(
            f"you have a model named {name!r}; choose another name, say {free_name(name)!r}, or "
            f"remove it with `napari-sam models remove '{name}'`"
        )
    stem = re.sub(r"[^\w .-]", "_", name).lstrip(".")[:MAX_NAME] or "model"
    path, number = own_folder() / f"{stem}.safetensors", 2
    while path.exists():
        path, number = own_folder() / f"{stem} {number}.safetensors", number + 1
    return path


def free_name(name: str) -> str:
    """Return the name, or the first of "name 2", "name 3"... that is not taken."""
    taken = {*catalogue.entries(), *own_models()}
    return next(n for n in chain([name], (f"{name} {i}" for i in count(2))) if n not in taken)


def remove(name: str) -> Path:
    """Delete a fine-tuned model and return its former path.

    Raises
    ------
    InputError
        If there is none of that name.
    """
    if name not in own_models():
        raise InputError(
            f"there is no model of your own named {name!r}; `napari-sam models list` shows them"
        )
    path = own_models()[name].path
    path.unlink()
    return path
