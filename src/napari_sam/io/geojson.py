"""GeoJSON as QuPath reads and writes it: one feature per object and plane, in pixels."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from napari_sam.errors import InputError
from napari_sam.files import replacing
from napari_sam.io.drawn import Drawn, Found, Piece, formats_extra, gather
from napari_sam.io.outlines import fill, outline

__all__ = ["read_geojson", "write_geojson"]

logger = logging.getLogger(__name__)
COLOURS = (  # of classes, by the order of their names; all differ for the colour-blind, too
    (230, 159, 0), (86, 180, 233), (0, 158, 115), (213, 94, 0), (0, 114, 178), (204, 121, 167),
    (240, 228, 66),
)  # fmt: skip


def write_geojson(path: Path, drawn: Drawn) -> None:
    """Write objects as annotations for QuPath, complete or not at all.

    An object's number is the annotation's name. Overlaps and holes are kept.
    """
    with formats_extra():
        import shapely
    names = sorted({piece.name for piece in drawn.pieces if piece.name})
    colours = {name: list(COLOURS[i % len(COLOURS)]) for i, name in enumerate(names)}

    def feature(piece: Piece) -> dict[str, Any]:
        at = dict(zip(drawn.axes, piece.plane, strict=False))
        geometry = dict(shapely.geometry.mapping(outline(piece)))
        geometry["plane"] = {"c": at.get("c", -1), "z": at.get("z", 0), "t": at.get("t", 0)}
        properties: dict[str, Any] = {"objectType": "annotation", "name": str(piece.id)}
        if piece.name:
            properties["classification"] = {"name": piece.name, "color": colours[piece.name]}
        return {"type": "Feature", "geometry": geometry, "properties": properties}

    whole = {
        "type": "FeatureCollection",
        "shape": drawn.shape,  # QuPath skips what it does not know
        "axes": drawn.axes,
        "features": [feature(piece) for piece in drawn.pieces],
    }
    with replacing(path) as part:
        part.write_text(json.dumps(whole), encoding="utf-8")


def read_geojson(
    path: Path, shape: tuple[int, ...] | None = None, axes: str | None = None
) -> Drawn:
    """Read the polygons of a GeoJSON file; points and lines have no pixels and are left out.

    Parameters
    ----------
    path : Path
        A collection of features, a list of them, or a single one.
    shape, axes : optional
        Of the picture; by default as the file says, else as small as possible.

    Raises
    ------
    InputError
        If it is no GeoJSON, or does not fit the picture.
    """
    try:
        whole = json.loads(path.read_text(encoding="utf-8"))
        said = whole if isinstance(whole, dict) else {}
        features = said.get("features", [said] if said else whole)
        found = [one for feature in features for one in _found(feature)]
        if shape is None and "shape" in said and "axes" in said:
            shape, axes = tuple(map(int, said["shape"])), str(said["axes"])
    except InputError:
        raise
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path} is no GeoJSON of features: {error}") from error
    return gather(found, shape, axes)


def _found(feature: dict[str, Any]) -> Iterator[Found]:
    with formats_extra():
        import shapely
    geometry, about = feature["geometry"], feature.get("properties") or {}
    shape = shapely.geometry.shape(geometry)
    parts = [one for one in getattr(shape, "geoms", [shape]) if one.geom_type == "Polygon"]
    filled = fill(
        [np.array(ring.coords)[:, :2] for ring in (one.exterior, *one.interiors)] for one in parts
    )
    if filled is None:
        logger.warning("a %s without pixels was left out", shape.geom_type)
        return
    name = str(about.get("name") or "")
    at = {letter: max(0, int(n)) for letter, n in (geometry.get("plane") or {}).items()}
    kind = about.get("classification") or {}
    number = int(name) if name.isdecimal() and int(name) else None
    yield Found(number, at, *filled, kind.get("name"))
