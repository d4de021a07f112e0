"""Reader of tracks that other programs wrote, chosen by what is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from napari_sam.arrays import Labels
from napari_sam.errors import InputError
from napari_sam.io.spacing import Spacing
from napari_sam.io.tracks.ctc import TABLES, ctc_masks, read_ctc
from napari_sam.io.tracks.geff import read_geff
from napari_sam.io.tracks.tables import read_table
from napari_sam.io.tracks.trackmate import read_trackmate
from napari_sam.tracking.detections import Detections, detect
from napari_sam.tracking.tracks import Tracks

__all__ = ["TrackedSeries", "holds_tracks", "read_tracks"]


@dataclass(frozen=True, eq=False)
class TrackedSeries:
    """Tracks that were read, with their objects.

    Parameters
    ----------
    found : Detections
        The objects.
    tracks : Tracks
        The tracks.
    spacing : Spacing
        Of time and of the axes of a frame.
    frames : sequence of (Y, X) or (Z, Y, X) int, or None
        The labels, if there are any.
    """

    found: Detections
    tracks: Tracks
    spacing: Spacing
    frames: Sequence[Labels] | None = None


def holds_tracks(path: Path) -> bool:
    """Return whether a path looks like tracks: a folder of the challenge, .geff, .xml or .csv."""
    if path.suffix.lower() in (".geff", ".xml", ".csv"):
        return path.exists()
    return any((path / name).is_file() for name in TABLES)


def read_tracks(path: Path) -> TrackedSeries:
    """Read tracks: a folder of the Cell Tracking Challenge, a GEFF, TrackMate's XML or a CSV.

    Raises
    ------
    InputError
        If it is none of these, or is damaged.
    """
    kind = path.suffix.lower()
    if kind == ".xml":
        return TrackedSeries(*read_trackmate(path))
    if kind in (".geff", ".csv"):
        found, tracks = read_geff(path) if kind == ".geff" else read_table(path)
        return TrackedSeries(found, tracks, _usual(found))
    if not holds_tracks(path):
        raise InputError(
            f"{path} holds no tracks; these are a folder with {TABLES[0]}, a .geff, TrackMate's "
            ".xml or a .csv"
        )
    frames = list(ctc_masks(path))
    found = detect(frames)
    said = read_ctc(path)
    there = {
        number: {at: label for at, label in some.items() if (at, label) in found.rows}
        for number, some in said.members.items()
    }
    lost = [number for number, some in there.items() if not some]
    if lost:
        raise InputError(f"{path}: track {lost[0]} of the table is in no mask")
    return TrackedSeries(found, Tracks(there, said.parents), _usual(found), frames)


def _usual(found: Detections) -> Spacing:
    names = "tzyx" if found.centres.shape[1] == 3 else "tyx"
    return Spacing.of(len(names), {"axis_labels": names, "scale": (1.0, *found.steps)})
