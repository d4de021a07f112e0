"""Points from files, as napari saves a Points layer."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_sam.errors import InputError

__all__ = ["read_points"]


def read_points(path: Path, ndim: int) -> NDArray[np.float64]:
    r"""Read a table of points with a column ``axis-0``, ``axis-1`` ... for each axis of a picture.

    Returns
    -------
    (N, ndim) float
        In pixels, row and column last.

    Raises
    ------
    InputError
        If the file is missing, is no such table, or holds a number that is not finite.

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
