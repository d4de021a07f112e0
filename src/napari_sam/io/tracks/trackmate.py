"""Reader of TrackMate's XML: spots are objects, the edges of its shown tracks are links."""

from __future__ import annotations

import math
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from napari_sam.errors import InputError
from napari_sam.io.spacing import Spacing
from napari_sam.tracking.detections import Detections
from napari_sam.tracking.tracks import Link, Tracks, tracks_of_links

__all__ = ["read_trackmate"]

UNITS = {"micron": "micrometer", "um": "micrometer", "µm": "micrometer", "nm": "nanometer"}
UNITS |= {"sec": "second", "s": "second", "min": "minute", "h": "hour"}


def read_trackmate(path: Path) -> tuple[Detections, Tracks, Spacing]:
    """Return the objects, the tracks and the spacing of a TrackMate file.

    Spots that TrackMate's filters hide are left out, as are tracks that they hide. Areas are those
    of circles (or balls) of a spot's radius, labels the spots' numbers plus one.

    Raises
    ------
    InputError
        If it is no such file, or some of its tracks merge.
    """
    try:
        root = ElementTree.parse(path).getroot()
        spacing, flat = _spacing(root)
        found = _detections(root, spacing, flat)
        links = _links(root, found)
    except (ElementTree.ParseError, KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} is no file of TrackMate with spots ({error!r})") from error
    return found, tracks_of_links(found, links), spacing


def _spacing(root: ElementTree.Element) -> tuple[Spacing, bool]:
    """Return the spacing of time and space, and whether there is no depth."""
    model, image = root.find("Model"), root.find("Settings/ImageData")
    known = {} if image is None else image.attrib
    unit = _unit("" if model is None else model.get("spatialunits", ""))
    time = _unit("" if model is None else model.get("timeunits", ""))
    flat = int(known.get("nslices", 1)) < 2
    keys = ("timeinterval", *(() if flat else ("voxeldepth",)), "pixelheight", "pixelwidth")
    steps = [float(known.get(key, 1)) or 1.0 for key in keys]
    names = "tyx" if flat else "tzyx"
    units = [time] + [unit] * (len(names) - 1)
    return Spacing.of(len(names), {"axis_labels": names, "scale": steps, "units": units}), flat


def _unit(name: str) -> str:
    return UNITS.get(name, name if name in UNITS.values() else "pixel")


def _detections(root: ElementTree.Element, spacing: Spacing, flat: bool) -> Detections:
    spots = [one for one in root.iterfind("Model/AllSpots/SpotsInFrame/Spot") if _shown(one)]
    keys = ("POSITION_Y", "POSITION_X") if flat else ("POSITION_Z", "POSITION_Y", "POSITION_X")
    frames = np.array([round(float(one.attrib["FRAME"])) for one in spots], np.int64)
    order = np.argsort(frames, kind="stable")
    steps = np.array(spacing.scale[1:])
    places = np.array([[float(one.attrib[key]) for key in keys] for one in spots])
    radii = np.array([float(one.get("RADIUS", "nan")) for one in spots])
    sizes = math.pi * radii**2 if flat else 4 / 3 * math.pi * radii**3
    labels = np.array([int(one.attrib["ID"]) + 1 for one in spots], np.int64)
    return Detections(
        frames[order],
        labels[order],
        (places.reshape(-1, len(steps)) / steps)[order],
        (sizes / steps.prod())[order],
        np.zeros(len(spots), bool),
        int(frames.max(initial=-1)) + 1,
        tuple((steps / steps[-1]).tolist()),
    )


def _shown(spot: ElementTree.Element) -> bool:
    return float(spot.get("VISIBILITY", "1")) != 0


def _links(root: ElementTree.Element, found: Detections) -> list[Link]:
    row_of = {int(label) - 1: row for row, label in enumerate(found.labels)}
    kept = {one.get("TRACK_ID") for one in root.iterfind("Model/FilteredTracks/TrackID")}
    links = []
    for track in root.iterfind("Model/AllTracks/Track"):
        if track.get("TRACK_ID") not in kept:
            continue
        for edge in track.iterfind("Edge"):
            ends = (int(edge.attrib[key]) for key in ("SPOT_SOURCE_ID", "SPOT_TARGET_ID"))
            rows = sorted(row_of[end] for end in ends if end in row_of)
            if len(rows) == 2:
                links.append((rows[0], rows[1]))
    return links
