"""ImageJ regions of interest (ROIs): a .zip of the ROI Manager, or one .roi."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from napari_sam.arrays import Array
from napari_sam.errors import InputError
from napari_sam.files import replacing
from napari_sam.io.objects.instances import Instances, Piece, check_slice, formats_extra, gather
from napari_sam.io.objects.outlines import Polygon, outline, rasterise, rings_of
from napari_sam.io.objects.read_log import ReadLog

if TYPE_CHECKING:
    from roifile import ImagejRoi

__all__ = ["read_rois", "write_rois"]

MOVE, LINE, CLOSE = 0, 1, 4  # of a composite ROI's path
OURS = re.compile(r"object (\d{1,20})\b")
CLASS = "class: "  # a line of the ROI's properties
UNREADABLE = NotImplementedError, OSError, RuntimeError, ValueError, zipfile.BadZipFile
MAX_ROI_BYTES, MAX_FILE_BYTES = 2**24, 2**29  # more is damage, or means harm
MAX_COORDINATE = 32767  # ImageJ keeps coordinates in 16 bits


def write_rois(path: Path, instances: Instances) -> None:
    """Write one ROI per object and plane: traced, or composite if it has holes or several parts."""
    if max(instances.shape[-2:], default=0) > MAX_COORDINATE:
        raise InputError(
            f"ROIs reach to {MAX_COORDINATE} pixels, the picture has {instances.shape[-2:]}; "
            "write a .geojson instead"
        )
    with formats_extra():
        import roifile
    with replacing(path) as part:
        roifile.roiwrite(
            part, [_roi(piece, instances.axes) for piece in instances.pieces], mode="w"
        )


def read_rois(
    path: Path, shape: tuple[int, ...] | None = None, axes: str | None = None
) -> Instances:
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
        If it cannot be read, or holds ROIs of which none can be used. Those that cannot be used
        beside others are left out, and a warning says why.
    """
    log, found, count = ReadLog(path), [], 0
    for name, load in _files(path):
        count += 1
        with log.guard(name):
            roi, outlines = _understood(load())
            raster = rasterise([Polygon(outlines)], shape)
            at = _at(roi, axes)
            check_slice(at, shape, axes)
            ours = OURS.match(roi.name)
            lines = [line for line in roi.props.splitlines() if line.startswith(CLASS)]
            kind = lines[0].removeprefix(CLASS) if lines else None
            found.append(log.record(name, int(ours[1]) if ours else None, at, raster, kind))
    log.warn(count)
    return gather(found, shape, axes)


def _files(path: Path) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Give the name of each ROI of a file, and what reads it."""
    if path.suffix.lower() != ".zip":
        yield path.name, lambda: _read(path.open("rb"), path.stat().st_size)
        return
    try:
        with zipfile.ZipFile(path) as file:
            members = [one for one in file.infolist() if not one.is_dir()]
            if sum(one.file_size for one in members) > MAX_FILE_BYTES:
                raise InputError(
                    f"{path} holds more than {MAX_FILE_BYTES:,} bytes; these are no ROIs"
                )
            for one in members:
                yield one.filename, partial(_member, file, one)
    except UNREADABLE as error:
        raise InputError(f"{path} cannot be read as ROIs of ImageJ: {error}") from error


def _member(file: zipfile.ZipFile, one: zipfile.ZipInfo) -> bytes:
    return _read(file.open(one), one.file_size)


def _read(file: IO[bytes], size: int) -> bytes:
    with file:
        if size > MAX_ROI_BYTES:
            raise InputError(f"it has {size:,} bytes; no ROI has more than {MAX_ROI_BYTES:,}")
        try:
            return file.read()
        except Exception as error:  # as below
            raise InputError(f"it is damaged ({error})") from error


def _understood(data: bytes) -> tuple[ImagejRoi, list[Array]]:
    """Return an ROI and its outlines."""
    with formats_extra():
        import roifile
    try:
        roi = roifile.ImagejRoi.frombytes(data)
        outlines = list(roi.coordinates(multi=True))
    except Exception as error:  # bytes can be damaged in more ways than anyone can name
        raise InputError(f"it cannot be read as an ROI of ImageJ ({error})") from error
    with_area = {
        roifile.ROI_TYPE[name] for name in ("POLYGON", "RECT", "OVAL", "FREEHAND", "TRACED")
    }
    if roi.roitype not in with_area:
        raise InputError("it is a point or a line, and has no pixels")
    if roi.right < roi.left or roi.bottom < roi.top:
        raise InputError("its width or height is below zero")
    return roi, outlines


def _at(roi: ImagejRoi, axes: str | None) -> dict[str, int]:
    """Return where it lies, by letters of axes; ImageJ counts from 1, and 0 is everywhere."""
    at = {letter: getattr(roi, f"{letter}_position") for letter in "czt"}
    if not any(at.values()):
        along = axes[0] if axes and len(axes) == 3 else "z"
        at = {along: roi.position}
    if min(at.values()) < 0:
        raise InputError("its position is below zero")
    return {letter: max(0, place - 1) for letter, place in at.items()}


def _roi(piece: Piece, axes: str) -> ImagejRoi:
    import roifile

    parts = rings_of(outline(piece))
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
