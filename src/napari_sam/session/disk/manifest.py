"""Manifest of a session folder: its format version, and the image that it belongs to."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from napari_sam.errors import SessionError
from napari_sam.files import replacing
from napari_sam.session.disk.fingerprint import Fingerprint
from napari_sam.session.disk.validate import JsonValue, of, whole

__all__ = ["Manifest", "folder_name"]

FILE, LOCK = "session.json", "lock"
FORMAT, VERSION = "napari-sam session", 1
LARGEST = 2**20  # bytes


@dataclass(frozen=True)
class Manifest:
    """Image of a session: its fingerprint, name, source file and reader plugin.

    Parameters
    ----------
    picture : Fingerprint
        What it is known by.
    name : str
        What it was called.
    source : str
        File that it came from, if any.
    reader : str
        napari plugin that read the file, if any.
    """

    picture: Fingerprint
    name: str = ""
    source: str = ""
    reader: str = ""

    def write(self, folder: Path) -> None:
        """Write the manifest into a session folder.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        values = {"format": FORMAT, "version": VERSION, **asdict(self)}
        with replacing(folder / FILE) as part:
            part.write_text(json.dumps(values, indent=1), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Read the manifest of a session folder.

        Raises
        ------
        SessionError
            If there is none, or it is damaged or of a later version.
        """
        values = _values(folder)
        if _version(values) > VERSION:
            raise SessionError(
                f"{folder} was written by a later version of napari-sam; update to open it"
            )
        if (manifest := _manifest(values)) is None:
            raise SessionError(f"{folder} holds no saved session: the {FILE} in it is damaged")
        return manifest

    @classmethod
    def glance(cls, folder: Path) -> Manifest | None:
        """Return the manifest of a folder, whatever its version, or None if it cannot be read."""
        try:
            return _manifest(_values(folder))
        except SessionError:
            return None


def folder_name(manifest: Manifest) -> str:
    """Return the name prefix of the folders of an image's sessions; a number follows."""
    return manifest.picture.digest[:16]


def _values(folder: Path) -> dict[str, JsonValue]:
    path = folder / FILE
    try:
        if path.stat().st_size > LARGEST:
            raise ValueError(f"{path} is too large")
        values = of(dict, json.loads(path.read_text(encoding="utf-8-sig")))
        if values["format"] != FORMAT:
            raise ValueError(f"{path} is of another format")
        return values
    except OSError as error:
        raise SessionError(
            f"{folder} holds no saved session: {FILE} cannot be read ({error.strerror})"
        ) from error
    except Exception as error:  # anything may stand in it, as deep as it likes
        raise SessionError(
            f"{folder} holds no saved session: the {FILE} in it is damaged"
        ) from error


def _version(values: dict[str, JsonValue]) -> float:
    version = values.get("version")
    return version if isinstance(version, int | float) else VERSION


def _manifest(values: dict[str, JsonValue]) -> Manifest | None:
    try:
        whole(values["version"], 1)
        picture = values["picture"]
        shape = tuple(whole(size) for size in of(list, picture["shape"]))
        known = Fingerprint(shape, of(str, picture["dtype"]), of(str, picture["digest"]))
        names = values["name"], values.get("source", ""), values.get("reader", "")
        return Manifest(known, *(of(str, name) for name in names))
    except (ValueError, TypeError, LookupError):
        return None
