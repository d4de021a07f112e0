"""GeoJSON of QuPath: one feature per object and plane, in pixel coordinates."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from napari_sam.errors import InputError
from napari_sam.files import Json, replacing
from napari_sam.io.objects.instances import (
    PLANES,
    Instances,
    Piece,
    check_slice,
    formats_extra,
    gather,
)
from napari_sam.io.objects.outlines import Polygon, outline, rasterise
from napari_sam.io.objects.read_log import ReadLog, label_of, read_json
from napari_sam.numbering import whole_number

__all__ = ["read_geojson", "write_geojson"]

NO_GEOJSON = "GeoJSON of features"
MAX_DIGITS = 20  # of the largest number that labels can hold
THIN = ("Point", "MultiPoint", "LineString", "MultiLineString")
POINTS = "points and lines have no pixels and were left out"
COLOURS = (  # of classes, by the order of their names; all differ for the colour-blind, too
    (230, 159, 0), (86, 180, 233), (0, 158, 115), (213, 94, 0), (0, 114, 178), (204, 121, 167),
    (240, 228, 66),
)  # fmt: skip


def write_geojson(path: Path, instances: Instances) -> None:
    """Write instances as QuPath annotations to a GeoJSON file, atomically.

    An object's number is the annotation's name. Overlaps and holes are kept.
    """
    with formats_extra():
        import shapely
    names = sorted({piece.name for piece in instances.pieces if piece.name})
    colours = {name: list(COLOURS[i % len(COLOURS)]) for i, name in enumerate(names)}

    def feature(piece: Piece) -> Json:
        at = dict(zip(instances.axes, piece.plane, strict=False))
        geometry = dict(shapely.geometry.mapping(outline(piece)))
        geometry["plane"] = {"c": at.get("c", -1), "z": at.get("z", 0), "t": at.get("t", 0)}
        properties: Json = {"objectType": "annotation", "name": str(piece.id)}
        if piece.name:
            properties["classification"] = {"name": piece.name, "color": colours[piece.name]}
        return {"type": "Feature", "geometry": geometry, "properties": properties}

    whole = {
        "type": "FeatureCollection",
        "shape": instances.shape,  # QuPath skips what it does not know
        "axes": instances.axes,
        "features": [feature(piece) for piece in instances.pieces],
    }
    with replacing(path) as part:
        part.write_text(json.dumps(whole), encoding="utf-8")


def read_geojson(
    path: Path, shape: tuple[int, ...] | None = None, axes: str | None = None
) -> Instances:
    """Read the polygons of a GeoJSON file; points and lines have no area and are left out.

    Parameters
    ----------
    path : Path
        A collection of features, a list of them, or a single one.
    shape, axes : optional
        Of the picture; by default as the file says, else as small as possible.

    Raises
    ------
    InputError
        If it is no GeoJSON, or holds objects of which none can be used. Those that cannot be used
        beside others are left out, and a warning says why.
    """
    whole, log = read_json(path, NO_GEOJSON), ReadLog(path)
    said = whole if isinstance(whole, dict) else {}
    features = said.get("features", [said] if said else whole)
    if not isinstance(features, list):
        raise InputError(f"{path} is no {NO_GEOJSON}: its features must be a list")
    if shape is None and "shape" in said and "axes" in said:
        shape, axes = _said_shape(path, said)
    found = []
    for count, feature in enumerate(features, 1):
        about = _dict(feature, "properties")
        name = label_of("feature", about.get("name"), count)
        with log.guard(name):
            raster = rasterise(_polygons(_geometry(feature), log, name), shape)
            at = _at(feature["geometry"], shape, axes)
            kind = _dict(about, "classification").get("name")
            kind = kind if isinstance(kind, str) else None
            found.append(log.record(name, _number(about.get("name")), at, raster, kind))
    log.warn(len(features))
    return gather(found, shape, axes)


def _said_shape(path: Path, said: Json) -> tuple[tuple[int, ...], str]:
    """Return shape and axes of the picture as `write_geojson` has written them."""
    sizes = said["shape"] if isinstance(said["shape"], list) else []
    shape = tuple(n for n in map(whole_number, sizes) if n is not None and n > 0)
    axes = said["axes"]
    letters = {*PLANES, *"yx"}
    if not isinstance(axes, str) or not axes.endswith("yx") or not letters.issuperset(axes):
        raise InputError(f"{path}: its axes must be letters of tczyx; got {axes!r}")
    if not len(sizes) == len(shape) == len(axes) == len({*axes}):
        raise InputError(f"{path}: its shape {said['shape']} does not fit its axes {axes!r}")
    return shape, axes


def _dict(holder: object, key: str) -> Json:
    """Return what stands there if it is an object; an empty one of anything else."""
    value = holder.get(key) if isinstance(holder, dict) else None
    return value if isinstance(value, dict) else {}


def _geometry(feature: object) -> Json:
    geometry = _dict(feature, "geometry")
    if not geometry:
        raise InputError("it has no geometry")
    return geometry


def _polygons(geometry: Json, log: ReadLog, name: str) -> Iterator[Polygon]:
    """Give the polygons of a geometry, however deep they are nested."""
    left, thin = [geometry], False
    while left:
        one = left.pop()
        kind, coordinates = one.get("type"), one.get("coordinates")
        if kind == "GeometryCollection":
            left += one["geometries"]
        elif kind in ("Polygon", "MultiPolygon"):
            parts: Any = [coordinates] if kind == "Polygon" else coordinates
            for outline, *holes in filter(None, parts):
                yield Polygon([outline], holes)
        elif kind in THIN:
            thin = True
        else:
            raise InputError(f"its geometry is no polygon, but {str(kind)[:40]!r}")
    if thin:
        log.note(POINTS, name)


def _at(geometry: Json, shape: tuple[int, ...] | None, axes: str | None) -> dict[str, int]:
    """Return where it lies, by letters of axes; -1 is QuPath's word for all channels."""
    plane = geometry.get("plane") or {}
    at = {letter: whole_number(n) for letter, n in plane.items() if letter in PLANES}
    found = {letter: max(0, n) for letter, n in at.items() if n is not None and n >= -1}
    if len(found) < len(at):
        raise InputError("its plane must be whole numbers from 0")
    check_slice(found, shape, axes)
    return found


def _number(name: Any) -> Any:
    """Return the number that stands in a name, or the name; None if it is empty."""
    if isinstance(name, str) and name.isdecimal() and len(name) <= MAX_DIGITS:
        return int(name)
    return None if name == "" else name
