"""Autosave of a session; its folder is created with the first record."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from napari_sam.session.disk.folder import SessionFolder
from napari_sam.session.disk.manifest import Manifest, folder_name
from napari_sam.session.effort.clock import WorkClock
from napari_sam.session.records import Record
from napari_sam.session.session import Session

__all__ = ["Autosave"]


class Autosave:
    """Record log that creates its folder with the first record; fits the `RecordLog` protocol.

    Parameters
    ----------
    session : Session
        What to save.
    parent : Path
        Holds the folders of all sessions.
    picture : callable
        Says which picture it is; called with the first step.
    clock : WorkClock, optional
        Measures the work; by default one that begins now.

    Attributes
    ----------
    folder : SessionFolder or None
        Once there is something in it.
    """

    def __init__(
        self,
        session: Session,
        parent: Path,
        picture: Callable[[], Manifest],
        clock: WorkClock | None = None,
    ) -> None:
        self.folder: SessionFolder | None = None
        self._session = session
        self._parent = parent
        self._picture = picture
        self._clock = clock or WorkClock()
        session.log = self

    def append(self, record: Record) -> None:
        """Create the folder and write the first record; later records go to the folder directly.

        Raises
        ------
        SessionError
            If it cannot be saved.
        """
        picture = self._picture()
        self.folder = SessionFolder.create(_free(self._parent, picture), picture, self._clock)
        self.folder.serve(self._session)
        self.folder.append(record)

    def close(self) -> None:
        """Stop saving, and close the folder."""
        self._session.log = None
        if self.folder is not None:
            self.folder.close()


def _free(parent: Path, picture: Manifest) -> Path:
    number = 1
    while os.path.lexists(path := parent / f"{folder_name(picture)}-{number}"):
        number += 1
    return path
