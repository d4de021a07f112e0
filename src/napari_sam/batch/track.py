"""Tracks of a file of labels, linked and written; no model is needed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from napari_sam.arrays import Labels, LazyArray
from napari_sam.errors import InputError
from napari_sam.files import Json
from napari_sam.io.labels import open_labels
from napari_sam.io.scale import read_spacing
from napari_sam.io.spacing import Spacing
from napari_sam.io.tracks.folder import check_folder, write_tracks
from napari_sam.io.tracks.read import holds_tracks, read_tracks
from napari_sam.progress import Progress
from napari_sam.tracking.detections import Detections, iter_detections
from napari_sam.tracking.doubts import doubts_of
from napari_sam.tracking.linking import LinkSettings, link
from napari_sam.tracking.tracks import Tracks

__all__ = ["time_first", "track_file"]


def track_file(
    source: Path, folder: Path, settings: LinkSettings, axes: str | None = None
) -> Iterator[Progress[Json | None]]:
    """Link the labels of a time series and write the tracks, or write known tracks anew.

    Parameters
    ----------
    source : Path
        Labels with a time axis; or tracks, see `napari_sam.io.tracks.read.read_tracks`.
    folder : Path
        Where the tracks go, see `napari_sam.io.tracks.folder.write_tracks`.
    settings : LinkSettings
        Gaps and divisions.
    axes : str, optional
        What the axes of the labels are, in place of what the file says, such as "tyx".

    Yields
    ------
    Progress of dict or None
        The report comes last.

    Raises
    ------
    InputError
        If there is no time axis, or one of channels, or what is there cannot be read.
    """
    check_folder(folder)
    if holds_tracks(source):
        series = read_tracks(source)
        write_tracks(folder, series.found, series.tracks, series.spacing, series.frames)
        yield Progress(1, 1, _report(series.found, series.tracks))
        return
    with open_labels(source) as labels:
        spacing = time_first(read_spacing(source, len(labels.shape)), axes)
        yield from _track(labels, spacing, folder, settings)


def _track(
    labels: LazyArray, spacing: Spacing, folder: Path, settings: LinkSettings
) -> Iterator[Progress[Json | None]]:
    length = labels.shape[0]
    found: Detections | None = None
    steps = spacing.scale[1:] if _even(spacing) else None
    for step in iter_detections(_frames(labels), length, steps):
        found = step.result
        yield Progress(step.done, length + 1, None, step.seconds_left)
    assert found is not None
    tracks = link(found, settings)
    write_tracks(folder, found, tracks, spacing, _frames(labels))
    yield Progress(length + 1, length + 1, _report(found, tracks))


def _frames(labels: LazyArray) -> Iterator[Labels]:
    return (np.asarray(labels[frame]) for frame in range(labels.shape[0]))


def _even(spacing: Spacing) -> bool:
    """Return whether the axes of a frame have one unit, so that their scales can be compared."""
    return len(set(spacing.units[1:])) == 1 and min(spacing.scale[1:]) > 0


def time_first(spacing: Spacing, axes: str | None = None) -> Spacing:
    """Return the spacing of labels whose first axis is time.

    Three axes of which nobody says what they are count as time, rows and columns.

    Raises
    ------
    InputError
        If the first axis is not time, or there is one of channels.

    Examples
    --------
    >>> time_first(Spacing.usual(3)).axes
    'tyx'
    >>> time_first(Spacing.of(3, {"axis_labels": "zyx"}))
    Traceback (most recent call last):
    napari_sam.errors.InputError: the axes of the labels are zyx, and tracks need tyx or tzyx; if...
    """
    if axes is not None:
        spacing = spacing.named(axes)
    elif len(spacing.names) == 3 and not any(spacing.known):
        spacing = spacing.named("tyx")
    if spacing.axes not in ("tyx", "tzyx"):
        raise InputError(
            f"the axes of the labels are {spacing.axes}, and tracks need tyx or tzyx; if the file "
            "says it wrong, say --axes tyx"
        )
    return spacing


def _report(found: Detections, tracks: Tracks) -> Json:
    return {
        "frames": found.length,
        "objects": len(found),
        "tracks": len(tracks.members),
        "divisions": sum(len(some) > 1 for some in tracks.daughters.values()),
        "doubts": len(doubts_of(found, tracks)),
    }
