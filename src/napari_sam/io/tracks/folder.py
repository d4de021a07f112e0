"""Writer of a tracked series: one folder, with all that other programs read."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from napari_sam.arrays import Labels
from napari_sam.errors import InputError
from napari_sam.files import clear_left_over, replacing_folder
from napari_sam.io.spacing import Spacing
from napari_sam.io.tracks.ctc import TABLES, write_ctc
from napari_sam.io.tracks.geff import write_geff
from napari_sam.io.tracks.tables import object_rows, track_rows, write_table
from napari_sam.tracking.detections import Detections
from napari_sam.tracking.doubts import doubts_of, worst_first
from napari_sam.tracking.tracks import Tracks

__all__ = ["OBJECTS", "check_folder", "write_tracks"]

OBJECTS, TRACKS, GRAPH = "objects.csv", "tracks.csv", "tracks.geff"
OURS = re.compile(rf"mask\d+\.tif|{'|'.join(map(re.escape, (TABLES[0], OBJECTS, TRACKS, GRAPH)))}")


def check_folder(folder: Path) -> None:
    """Refuse a folder that holds anything but a tracked series.

    Raises
    ------
    InputError
        If something else would be lost.
    """
    if not folder.exists():
        return
    if not folder.is_dir():
        raise InputError(f"{folder} is a file; tracks need a folder of their own")
    strange = next((one.name for one in folder.iterdir() if not OURS.fullmatch(one.name)), None)
    if strange is not None:
        raise InputError(
            f"{folder} holds something else than tracks, {strange}; choose another folder"
        )


def write_tracks(
    folder: Path,
    found: Detections,
    tracks: Tracks,
    spacing: Spacing,
    frames: Iterable[Labels] | None = None,
) -> None:
    """Write a tracked series into a folder, atomically; a tracked series there is replaced.

    That is ``res_track.txt`` with ``mask000.tif``... of the Cell Tracking Challenge, if there are
    labels, ``tracks.geff``, ``objects.csv`` with a row for each object and ``tracks.csv`` with one
    for each track.

    Parameters
    ----------
    folder : Path
        Where to write; made if it is missing.
    found : Detections
        The objects.
    tracks : Tracks
        The tracks.
    spacing : Spacing
        Of time and of the axes of a frame.
    frames : iterable of (Y, X) or (Z, Y, X) int, optional
        The labels.

    Raises
    ------
    InputError
        If the folder holds anything else.
    """
    check_folder(folder)
    clear_left_over(folder)
    doubts = worst_first(doubts_of(found, tracks), tracks)
    with replacing_folder(folder) as part:
        part.mkdir()
        if frames is not None:
            write_ctc(part, frames, tracks, found.length)
        write_geff(part / GRAPH, found, tracks, spacing)
        write_table(part / OBJECTS, object_rows(found, tracks, spacing))
        write_table(part / TRACKS, track_rows(found, tracks, spacing, doubts))
