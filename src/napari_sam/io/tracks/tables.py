"""Tables of tracks: a row for each object of each frame, and one for each track."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from napari_sam.errors import InputError
from napari_sam.files import replacing
from napari_sam.io.measurements import MeasurementRow, common_unit
from napari_sam.io.spacing import NO_UNIT, SYMBOLS, Spacing
from napari_sam.tracking.detections import Detections
from napari_sam.tracking.doubts import Doubt
from napari_sam.tracking.tracks import Tracks

__all__ = ["object_rows", "read_table", "track_rows", "write_table"]


def object_rows(found: Detections, tracks: Tracks, spacing: Spacing) -> Iterator[MeasurementRow]:
    """Yield a row for each object of each track, in order: where, how large, how quick.

    Parameters
    ----------
    found : Detections
        The objects.
    tracks : Tracks
        The tracks.
    spacing : Spacing
        Of time and of the axes of a frame.

    Yields
    ------
    dict
        Names of columns end in their unit, such as ``speed_um_per_min``: the way from the object
        before, by the time gone since then; 0 for the first. Without a known unit these are pixels
        and frames.

    Examples
    --------
    >>> from napari_sam.tracking.detections import detect
    >>> found = detect(np.array([[[1, 0, 0]], [[0, 0, 1]]]))
    >>> rows = object_rows(found, Tracks({1: {0: 1, 1: 1}}), Spacing.of(3, {"axis_labels": "tyx"}))
    >>> [(row["frame"], row["x_px"], row["speed_px_per_frame"]) for row in rows]
    [(0, 0.0, 0.0), (1, 2.0, 2.0)]
    """
    steps, unit, interval, clock = _units(spacing)
    letters = "zyx"[-len(steps) :]
    size = f"{'area' if len(steps) == 2 else 'volume'}_{unit}{len(steps)}"
    for number in sorted(tracks.members):
        before: tuple[int, np.ndarray] | None = None
        for frame, label in sorted(tracks.members[number].items()):
            row = found.rows[frame, label]
            place = found.centres[row] * steps
            speed = 0.0
            if before is not None:
                gone = (frame - before[0]) * interval
                speed = float(np.linalg.norm(place - before[1])) / gone
            yield {
                "track": number,
                "parent": tracks.parents.get(number, 0),
                "lineage": tracks.root(number),
                "frame": frame,
                "label": label,
                **{
                    f"{letter}_{unit}": float(at) for letter, at in zip(letters, place, strict=True)
                },
                size: float(found.areas[row] * np.prod(steps)),
                f"speed_{unit}_per_{clock}": speed,
            }
            before = frame, place


def track_rows(
    found: Detections,
    tracks: Tracks,
    spacing: Spacing,
    doubts: Mapping[int, Sequence[Doubt]] | None = None,
) -> Iterator[MeasurementRow]:
    """Yield a row for each track: its place in the lineage, sizes, ways, and what is doubted.

    Parameters
    ----------
    found : Detections
        The objects.
    tracks : Tracks
        The tracks.
    spacing : Spacing
        Of time and of the axes of a frame.
    doubts : mapping of int to sequence of Doubt, optional
        By track.
    """
    steps, unit, interval, clock = _units(spacing)
    size = "area" if len(steps) == 2 else "volume"
    units = f"{unit}{len(steps)}"
    for number in sorted(tracks.members):
        frames = sorted(tracks.members[number].items())
        rows = [found.rows[place] for place in frames]
        places, sizes = found.centres[rows] * steps, found.areas[rows] * np.prod(steps)
        ways = [float(np.linalg.norm(b - a)) for a, b in pairwise(places)]
        first, last = frames[0][0], frames[-1][0]
        gone = (last - first) * interval
        yield {
            "track": number,
            "parent": tracks.parents.get(number, 0),
            "lineage": tracks.root(number),
            "generation": tracks.generation(number),
            "daughters": " ".join(map(str, tracks.daughters.get(number, ()))),
            "first_frame": first,
            "last_frame": last,
            "objects": len(frames),
            "missed": last - first + 1 - len(frames),
            f"duration_{clock}": gone,
            f"{size}_first_{units}": float(sizes[0]),
            f"{size}_mean_{units}": float(sizes.mean()),
            f"{size}_last_{units}": float(sizes[-1]),
            f"path_{unit}": sum(ways),
            f"displacement_{unit}": float(np.linalg.norm(places[-1] - places[0])),
            f"speed_mean_{unit}_per_{clock}": sum(ways) / gone if gone else 0.0,
            "doubts": "; ".join(
                f"frame {one.frame}: {one.words}" for one in (doubts or {}).get(number, ())
            ),
        }


def write_table(path: Path, rows: Iterator[MeasurementRow]) -> None:
    """Write rows to a CSV file, atomically."""
    some = list(rows)
    with replacing(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, some[0] if some else ["track"])
        table.writeheader()
        table.writerows(some)


def read_table(path: Path) -> tuple[Detections, Tracks]:
    """Return the objects and tracks of a CSV file with a row for each object.

    Columns are ``track``, ``frame``, the places ``y``, ``x`` and, in depth, ``z``, as they are or
    with a unit behind, such as ``y_um``; and, if they are there, ``parent``, ``label`` and
    ``area``. Other columns are left out. Places are taken as pixels.

    Raises
    ------
    InputError
        If there is no such file, or it is no such table.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            rows = list(csv.DictReader(lines, skipinitialspace=True))
        columns = {_plain(name): name for name in reversed(list(rows[0])) if name}
        axes = [letter for letter in "zyx" if letter in columns]
        rows.sort(key=lambda row: int(row[columns["frame"]]))
        frames = np.array([int(row[columns["frame"]]) for row in rows], np.int64)
        numbers = [int(row[columns["track"]]) for row in rows]
        places = np.array([[float(row[columns[axis]]) for axis in axes] for row in rows])
        labels = [int(row[columns["label"]]) if "label" in columns else n for row, n in
                  zip(rows, numbers, strict=True)]  # fmt: skip
        size = columns.get("area", columns.get("volume"))
        areas = np.array([float(row[size]) if size else math.nan for row in rows])
        parent = columns.get("parent")
        parents = {n: int(row[parent] or 0) for n, row in zip(numbers, rows, strict=True) if parent}
        if axes[-2:] != ["y", "x"]:
            raise KeyError("y, x")
    except (OSError, IndexError, KeyError, TypeError, ValueError, csv.Error) as error:
        raise InputError(
            f"{path} must be a table with whole numbers in the columns track and frame, and places "
            f"in y and x ({error!r})"
        ) from error
    length = int(frames.max(initial=-1)) + 1
    found = Detections(
        frames, np.array(labels, np.int64), places, areas, np.zeros(len(rows), bool), length,
        (1.0,) * len(axes),
    )  # fmt: skip
    members: dict[int, dict[int, int]] = {}
    for number, frame, label in zip(numbers, frames.tolist(), labels, strict=True):
        members.setdefault(number, {})[frame] = label
    return found, Tracks(members, {one: of for one, of in parents.items() if of})


def _plain(name: str) -> str:
    """Return a column's name in lower case and without its unit."""
    return name.lower().split("_")[0]


def _units(spacing: Spacing) -> tuple[np.ndarray, str, float, str]:
    """Return distances of pixels and their unit, the time of a frame and its unit."""
    steps, unit = common_unit(spacing, list(range(1, len(spacing.scale))))
    time, interval = spacing.units[0], spacing.scale[0]
    known = time != NO_UNIT and interval > 0
    return (
        np.array(steps),
        unit,
        interval if known else 1.0,
        SYMBOLS.get(time, time) if known else "frame",
    )
