"""Tracks as a GEFF, the graph exchange format on zarr: objects are nodes, links are edges.

Written out here and not by its library, which holds numcodecs below a version that zarr is past.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from napari_sam.arrays import Array
from napari_sam.errors import InputError
from napari_sam.files import Json, replacing_folder
from napari_sam.io.spacing import Spacing
from napari_sam.reasons import reason
from napari_sam.tracking.detections import Detections
from napari_sam.tracking.tracks import Tracks, tracks_of_links

__all__ = ["read_geff", "write_geff"]

VERSION = "1.3"
TRACK, LINEAGE = "track", "lineage"


def write_geff(path: Path, found: Detections, tracks: Tracks, spacing: Spacing) -> None:
    """Write tracks as a GEFF, atomically; what is at the path is replaced.

    Nodes have the properties t, (z,) y, x in frames and pixels, with the scale beside them, label,
    area (in pixels), track and lineage.

    Parameters
    ----------
    path : Path
        The folder, such as ``tracks.geff``.
    found : Detections
        The objects; those in no track are left out.
    tracks : Tracks
        The tracks.
    spacing : Spacing
        Of time and of the axes of a frame, in this order.
    """
    import zarr

    rows = sorted(found.rows[place] for place in tracks.of if place in found.rows)
    names = ("t", "z", "y", "x") if found.centres.shape[1] == 3 else ("t", "y", "x")
    places = list(zip(found.frames[rows].tolist(), found.labels[rows].tolist(), strict=True))
    numbers = np.array([tracks.of[place] for place in places], np.int64)
    props: dict[str, Array] = {"t": found.frames[rows]}
    props |= {name: found.centres[rows, axis] for axis, name in enumerate(names[1:])}
    props |= {"label": found.labels[rows], "area": found.areas[rows], TRACK: numbers}
    props[LINEAGE] = np.array([tracks.root(number) for number in numbers.tolist()], np.int64)
    with replacing_folder(path) as part:
        about = _about(names, props, tracks, spacing)
        group = zarr.create_group(part, zarr_format=2, attributes={"geff": about})
        group.create_array("nodes/ids", data=np.array(rows, np.uint64))
        edges = np.array(_edges(found, tracks), np.uint64).reshape(-1, 2)
        group.create_array("edges/ids", data=edges)
        group.create_group("edges/props")
        for name, values in props.items():
            group.create_array(f"nodes/props/{name}/values", data=values)


def read_geff(path: Path) -> tuple[Detections, Tracks]:
    """Return the objects and tracks of a GEFF; the numbers of tracks are kept if there are any.

    Positions are taken as pixels. Objects have the labels that the property ``label`` says, else
    they are numbered in each frame; areas are NaN where ``area`` says nothing.

    Raises
    ------
    InputError
        If it is no GEFF of objects in time, or some of its tracks merge.
    """
    import zarr

    try:
        group: Any = zarr.open_group(path, mode="r")
        about = dict(group.attrs)["geff"]
        axes = about["axes"]
        time = next(axis["name"] for axis in axes if axis["type"] == "time")
        space = [axis for axis in axes if axis["type"] == "space"]
        ids = np.asarray(group["nodes/ids"][:])
        values = {name: np.asarray(group[f"nodes/props/{name}/values"][:]) for name in _kept(about)}
        edges = np.asarray(group["edges/ids"][:]).reshape(-1, 2)
        order = np.argsort(values[time], kind="stable")
        scales = [float(axis.get("scale") or 1) for axis in space]
    except Exception as error:  # anybody may write anything into it
        raise InputError(f"{path} is no GEFF of objects in time: {reason(error)}") from error
    frames = values[time][order].astype(np.int64)
    found = Detections(
        frames,
        values["label"][order].astype(np.int64) if "label" in values else _numbered(frames),
        np.stack([values[axis["name"]][order].astype(float) for axis in space], axis=1),
        values["area"][order].astype(float) if "area" in values else np.full(len(ids), np.nan),
        np.zeros(len(ids), bool),
        int(frames.max(initial=-1)) + 1,
        tuple(scale / scales[-1] for scale in scales),
    )
    row_of = {int(id_): row for row, id_ in enumerate(ids[order])}
    links = [sorted((row_of[int(a)], row_of[int(b)])) for a, b in edges]
    tracks = tracks_of_links(found, [(a, b) for a, b in links])
    named = (about.get("track_node_props") or {}).get("tracklet")
    return found, tracks if named is None else _renumbered(tracks, found, values[named][order])


def _kept(about: Json) -> list[str]:
    known = about["node_props_metadata"]
    named = {*(about.get("track_node_props") or {}).values(), "label", "area"}
    return [*(axis["name"] for axis in about["axes"]), *(named & known.keys())]


def _numbered(frames: Array) -> Array:
    """Return numbers of the objects of each frame, from 1 on."""
    _, first = np.unique(frames, return_index=True)
    starts = np.zeros(len(frames), np.int64)
    starts[first] = first
    return np.arange(len(frames)) - np.maximum.accumulate(starts) + 1


def _renumbered(tracks: Tracks, found: Detections, names: Array) -> Tracks:
    """Return the tracks with the numbers that their objects say, if these tell tracks apart."""
    said = {
        number: {int(names[found.rows[place]]) for place in frames.items()}
        for number, frames in tracks.members.items()
    }
    if any(len(some) > 1 or min(some) < 1 for some in said.values()):
        return tracks
    new = {number: some.pop() for number, some in said.items()}
    if len(set(new.values())) < len(new):
        return tracks
    return Tracks(
        {new[number]: frames for number, frames in tracks.members.items()},
        {new[number]: new[parent] for number, parent in tracks.parents.items()},
    )


def _edges(found: Detections, tracks: Tracks) -> list[tuple[int, int]]:
    """Return rows of linked objects, earlier and later."""
    ends: Mapping[int, list[tuple[int, int]]] = {
        number: sorted(frames.items()) for number, frames in tracks.members.items()
    }
    places = [pair for frames in ends.values() for pair in pairwise(frames)]
    places += [(ends[parent][-1], ends[number][0]) for number, parent in tracks.parents.items()]
    return [
        (found.rows[a], found.rows[b]) for a, b in places if a in found.rows and b in found.rows
    ]


def _about(
    names: tuple[str, ...], props: Mapping[str, Array], tracks: Tracks, spacing: Spacing
) -> Json:
    axes = []
    for name, scale, unit in zip(names, spacing.scale, spacing.units, strict=True):
        time = name == "t"
        axis: Json = {"name": name, "type": "time" if time else "space", "unit": "pixel"}
        if time:
            axis["unit"] = "frame"
        if len(props[name]):
            axis |= {"min": float(props[name].min()), "max": float(props[name].max())}
        if unit != "pixel":
            axis |= {"scale": scale, "scaled_unit": unit}
        axes.append(axis)
    # A track with one daughter only is one path of the graph with it, and so no tracklet there.
    whole = all(len(some) > 1 for some in tracks.daughters.values())
    return {
        "geff_version": VERSION,
        "directed": True,
        "axes": axes,
        "node_props_metadata": {
            name: {"identifier": name, "dtype": str(values.dtype), "varlength": False}
            for name, values in props.items()
        },
        "edge_props_metadata": {},
        "track_node_props": {"lineage": LINEAGE} | ({"tracklet": TRACK} if whole else {}),
    }
