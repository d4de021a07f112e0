"""ImageJ's regions of interest: a .zip as its ROI Manager saves and opens it, or one .roi."""

from __future__ import annotations

import logging
import re
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from napari_sam.errors import InputError
from napari_sam.files import replacing
from napari_sam.io.drawn import Drawn, Found, Piece, formats_extra, gather
from napari_sam.io.outlines import fill, outline, polygons

__all__ = ["read_rois", "write_rois"]

logger = logging.getLogger(__name__)
MOVE, LINE, CLOSE = 0, 1, 4  # of a composite ROI's path
OURS = re.compile(r"object (\d+)\b")
CLASS = "class: "  # a line of the ROI's properties
UNREADABLE = NotImplementedError, OSError, RuntimeError, ValueError
LARGEST = 32767  # ImageJ keeps coordinates in 16 bits


def write_rois(path: Path, drawn: Drawn) -> None:
    """Write one ROI per object and plane: traced, or composite if it has holes or several parts.

    Raises
    ------
    InputError
        If the picture is larger than ImageJ's ROIs can say.
    """
    if max(drawn.shape[-2:], default=0) > LARGEST:
        raise InputError(
            f"ROIs reach to {LARGEST} pixels, the picture has {drawn.shape[-2:]}; "
            "write a .geojson instead"
        )
    with formats_extra():
        import roifile
    with replacing(path) as part:
        roifile.roiwrite(part, [_roi(piece, drawn.axes) for piece in drawn.pieces], mode="w")


def read_rois(path: Path, shape: tuple[int, ...] | None = None, axes: str | None = None) -> Drawn:
    """Read every ROI that has an area; points and lines are left out.

    Parameters
    ----------
    path : Path
        A .zip or a .roi.
    shape, axes : optional
        Of the picture, which the file does not know; by default as small as possible.

    Raises
    ------
    InputError
        If it cannot be read, or does not fit the picture.
    """
    with formats_extra():
        import roifile
    try:
        rois = roifile.roiread(path)
        found = [
            one for roi in (rois if isinstance(rois, list) else [rois]) for one in _found(roi, axes)
        ]
    except (*UNREADABLE, struct.error, zipfile.BadZipFile) as error:
        raise InputError(f"{path} cannot be read as ROIs of ImageJ: {error}") from error
    return gather(found, shape, axes)


def _roi(piece: Piece, axes: str) -> Any:
    import roifile

    parts = polygons(outline(piece))
    at = dict(zip(axes, piece.plane, strict=False))
    name = " ".join([f"object {piece.id}", *(f"{letter}{n}" for letter, n in at.items())])
    rings = [ring for rings in parts for ring in rings]
    roi = roifile.ImagejRoi.frompoints(rings[0].astype(int), name=name)
    top, left = piece.corner
    roi.top, roi.left = top, left
    roi.bottom, roi.right = top + piece.mask.shape[0], left + piece.mask.shape[1]
    roi.roitype = roifile.ROI_TYPE.TRACED
    if len(rings) > 1:
        path: list[float] = []
        for ring in rings:
            for step, (x, y) in enumerate(ring):
                path += [LINE if step else MOVE, x, y]
            path.append(CLOSE)
        roi.roitype, roi.n_coordinates, roi.integer_coordinates = roifile.ROI_TYPE.RECT, 0, None
        roi.multi_coordinates = np.array(path, np.float32)
        roi.shape_roi_size = len(path)
    if len(at) == 1:  # of a plain stack ImageJ counts the slices
        roi.position = piece.plane[0] + 1
    elif at:
        roi.c_position, roi.z_position, roi.t_position = (at.get(x, 0) + 1 for x in "czt")
    if piece.name:
        roi.props = f"{CLASS}{piece.name}\n"
    return roi


def _found(roi: Any, axes: str | None) -> Iterator[Found]:
    import roifile

    areas = {roifile.ROI_TYPE[name] for name in ("POLYGON", "RECT", "OVAL", "FREEHAND", "TRACED")}
    rings = roi.coordinates(multi=True) if roi.roitype in areas else []
    filled = fill([rings])
    if filled is None:
        logger.warning("the ROI %s has no pixels and was left out", roi.name)
        return
    at = {letter: getattr(roi, f"{letter}_position") - 1 for letter in "czt"}
    if max(at.values()) < 0 < roi.position:
        along = axes[0] if axes and len(axes) == 3 else "z"
        at = {along: roi.position - 1}
    at = {letter: max(0, place) for letter, place in at.items()}
    ours = OURS.match(roi.name)
    lines = [line for line in roi.props.splitlines() if line.startswith(CLASS)]
    name = lines[0].removeprefix(CLASS) if lines else None
    yield Found(int(ours[1]) if ours else None, at, *filled, name)
