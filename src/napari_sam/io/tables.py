"""CSV tables of boxes and of points, one in each row."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_sam.errors import InputError
from napari_sam.prompts import MIN_SIDE

__all__ = ["BoxTable", "read_boxes", "read_points"]

CORNERS = ("y0", "x0", "y1", "x1")
MAX_OUTSIDE = 1.0  # pixels; so much further than the last centre a box may reach


@dataclass(frozen=True, eq=False)
class BoxTable:
    """Table of box prompts, one in each row.

    Parameters
    ----------
    planes : (N, ndim - 2) int
        The slice of each box.
    corners : (N, 4) float
        y0, x0, y1, x1 in pixels, the smaller ones first.
    ids : (N,) int
        From 1 on; boxes of one id on several slices are one object.
    """

    planes: NDArray[np.int64]
    corners: NDArray[np.float64]
    ids: NDArray[np.int64]

    def on(self, plane: tuple[int, ...]) -> dict[int, NDArray[np.float64]]:
        """Return the corners of the boxes on a slice, by id."""
        here = (self.planes == plane).all(axis=1)
        return dict(zip(self.ids[here].tolist(), self.corners[here], strict=True))

    def fitting(self, size: tuple[int, int]) -> tuple[BoxTable, dict[str, str]]:
        """Return the boxes that are valid on a slice of this size, and why others are not."""
        first, last = self.corners[:, :2], self.corners[:, 2:]
        outside = np.any((first < -MAX_OUTSIDE) | (last > np.add(size, MAX_OUTSIDE - 1)), axis=1)
        low, high = np.ceil(np.maximum(first, 0)), np.floor(np.minimum(last, np.subtract(size, 1)))
        sides = (last - first).round(9)
        thin = np.any((high < low) | (sides < MIN_SIDE), axis=1)
        leaves = f"it leaves the picture of {size[0]} x {size[1]} pixels"
        why = {
            self.name(row): leaves
            if outside[row]
            else "it has no area, or holds no centre of a pixel"
            for row in np.flatnonzero(outside | thin)
        }
        kept = ~(outside | thin)
        return BoxTable(self.planes[kept], self.corners[kept], self.ids[kept]), why

    def name(self, row: int | np.intp) -> str:
        """Return how a box is named in messages."""
        plane = ", ".join(map(str, self.planes[row].tolist()))
        return f"{self.ids[row]} on slice {plane}" if plane else str(self.ids[row])


def read_boxes(path: Path, shape: tuple[int, ...]) -> BoxTable:
    r"""Read a CSV table with the columns ``y0``, ``x0``, ``y1``, ``x1``.

    The slice stands in ``slice`` or, if a picture has more axes, in ``axis-0``, ``axis-1`` ... A
    column ``id`` says which label a box gets; without it boxes are numbered by their rows.

    Parameters
    ----------
    shape : tuple of int
        Of the picture, without colours.

    Raises
    ------
    InputError
        If the file is missing, is no such table, names a slice that is not there, or one id twice
        on one slice, or holds a number that is not finite.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "boxes.csv"
    ...     _ = path.write_text("y0,x0,y1,x1\n3,4,20,30\n")
    ...     read_boxes(path, (64, 64)).on(())
    {1: array([ 3.,  4., 20., 30.])}
    """
    if not path.is_file():
        raise InputError(f"there is no file {path}")
    count = len(shape) - 2
    try:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            table = csv.DictReader(lines, skipinitialspace=True)
            rows = list(table)
        alone = count == 1 and "slice" in (table.fieldnames or ())
        names = ["slice"] if alone else [f"axis-{i}" for i in range(count)]
        corners = [[_finite(row[name]) for name in CORNERS] for row in rows]
        planes = [[_whole(row[name]) for name in names] for row in rows]
        ids = [_whole(row.get("id", n)) for n, row in enumerate(rows, 1)]
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        where = {0: "", 1: " and slice"}.get(count, f" and axis-0 to axis-{count - 1}")
        raise InputError(
            f"{path} must be a table with a number in the columns {', '.join(CORNERS)}{where} of "
            f"each row, and whole numbers in slices and ids ({error})"
        ) from error
    boxes = BoxTable(
        np.array(planes, np.int64).reshape(len(rows), count),
        np.sort(np.array(corners, float).reshape(-1, 2, 2), axis=1).reshape(-1, 4),
        np.array(ids, np.int64),
    )
    _check(path, boxes, shape)
    return boxes


def _whole(value: str | int) -> int:
    number = float(value)
    if not (number.is_integer() and abs(number) < 2**53):  # larger ones would not be exact
        raise ValueError(f"{value} is not whole, or too large")
    return int(number)


def _finite(value: str) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{value} is not finite")
    return number


def _check(path: Path, boxes: BoxTable, shape: tuple[int, ...]) -> None:
    if len(boxes.ids) == 0:
        raise InputError(f"{path} holds no box")
    outside = ((boxes.planes < 0) | (boxes.planes >= shape[:-2])).any(axis=1)
    if outside.any():
        raise InputError(
            f"{path}: there is no slice {boxes.planes[outside][0].tolist()}; the picture has "
            f"{' x '.join(map(str, shape[:-2]))}"
        )
    if boxes.ids.min() < 1 or boxes.ids.max() > np.iinfo(np.int32).max:
        raise InputError(f"{path}: ids must be from 1 to {np.iinfo(np.int32).max}")
    keys = np.column_stack([boxes.planes, boxes.ids])
    if len(np.unique(keys, axis=0)) < len(keys):
        raise InputError(f"{path}: an id may stand once on each slice")


def read_points(path: Path, ndim: int) -> NDArray[np.float64]:
    r"""Read a CSV table of points with a column ``axis-0``, ``axis-1`` ... for each image axis.

    Returns
    -------
    (N, ndim) float
        In pixels, row and column last.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "points.csv"
    ...     _ = path.write_text("index,axis-0,axis-1\n0,3.5,7\n")
    ...     read_points(path, 2)
    array([[3.5, 7. ]])
    """
    if not path.is_file():
        raise InputError(f"there is no file {path}")
    names = [f"axis-{i}" for i in range(ndim)]
    try:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            rows = [[float(row[name]) for name in names] for row in csv.DictReader(lines)]
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise InputError(
            f"{path} must be a table with a number in the columns {', '.join(names)} of each row, "
            "as napari saves a Points layer"
        ) from error
    points = np.array(rows, float).reshape(-1, ndim)
    odd = np.flatnonzero(~np.isfinite(points).all(axis=1))
    if len(odd):
        raise InputError(
            f"{path}: points must be finite; row {odd[0] + 1} holds {points[odd[0]].tolist()}"
        )
    return points
