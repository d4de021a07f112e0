"""What a folder of a session says of itself: its format, and the picture that it belongs to."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from napari_sam.errors import SessionError
from napari_sam.files import replacing
from napari_sam.session.fingerprint import Fingerprint

__all__ = ["Manifest"]

FILE = "session.json"
FORMAT, VERSION = "napari-sam session", 1


@dataclass(frozen=True)
class Manifest:
    """The picture of a session.

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
        """Write it into a folder.

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
        """Read that of a folder.

        Raises
        ------
        SessionError
            If there is none, or it is of a later version.
        """
        try:
            values = json.loads((folder / FILE).read_text(encoding="utf-8"))
            if values["format"] != FORMAT:
                raise ValueError(f"the format is {values['format']!r}, not {FORMAT!r}")
            if values["version"] > VERSION:
                raise SessionError(
                    f"{folder} was written by a later version of napari-sam; update to open it"
                )
            picture = values["picture"]
            return cls(
                Fingerprint(tuple(picture["shape"]), picture["dtype"], picture["digest"]),
                values["name"],
                values.get("source", ""),
                values.get("reader", ""),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SessionError(f"{folder} holds no saved session: {error}") from error
