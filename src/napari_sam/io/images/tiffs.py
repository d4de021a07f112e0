"""Reader of TIFFs of all kinds, with their axes and samples."""

from __future__ import annotations

import logging
import math
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_sam.arrays import LazyArray
from napari_sam.errors import InputError
from napari_sam.io.images.colours import conversion_of
from napari_sam.io.images.file_checks import whole_numbers
from napari_sam.io.images.ome_xml import check_ome
from napari_sam.io.images.pixels import TURNED, TURNS, LazyImage
from napari_sam.io.images.pyramids import shaped_levels
from napari_sam.io.images.tiff_checks import check_series, check_tags

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPageSeries

__all__ = ["open_tiff", "tiff_axes"]

logger = logging.getLogger(__name__)

ORIENTATION = 274  # the tag
MIN_SIDE = 16  # rows and columns of a picture in colours that was saved as pages
MOST = 2**22  # pixels of one piece that is read as a whole
PLAIN = {"generic", "imagej", "ome", "shaped", "uniform"}  # whose parts are pictures, no thumbnails


def open_tiff(path: Path, opened: ExitStack, numbers: bool) -> LazyImage:
    """Open the first series of a TIFF; the exit stack closes the file.

    Raises
    ------
    InputError
        If it is damaged, says what cannot be, or is no grey or colour picture. What had to be
        assumed is logged as a warning.
    """
    import tifffile

    file = opened.enter_context(tifffile.TiffFile(path))
    series = _first(file, path.parent)
    order, samples = tiff_axes(series.axes)
    page, count = series.keyframe, 0 if samples is None else series.shape[samples]
    narrow = "" if numbers or samples is not None else _narrow(series)
    if narrow:
        *order, samples = order
    if numbers and count:
        what = f"it is a colour picture, of {count} samples"
        raise InputError(f"{what}; labels need a whole number per object")
    convert, remark = (whole_numbers, "") if numbers else conversion_of(page, count)
    turn = page.tags.valueof(ORIENTATION, 1)
    several = len(file.series) > 1 and series.kind in PLAIN
    more = f"it holds {len(file.series)} pictures; the first is read" * several
    for words in filter(None, (narrow, remark, TURNED * (turn in TURNS), more)):
        logger.warning("%s: %s", path, words)
    finest, *others = (_pixels(file, level, opened) for level in series.levels)
    coarser = () if narrow or numbers else shaped_levels(series.shape, others)
    return LazyImage(path, finest, order, samples, convert, turn, coarser)


def _pixels(file: TiffFile, level: TiffPageSeries, opened: ExitStack) -> LazyArray:
    """Return the pixels of a level, read in parts; mapped if a large plane is in one piece."""
    import zarr

    start, one_piece = level.dataoffset, math.prod(level.keyframe.chunks) > MOST
    if start is not None and one_piece and not level.is_multifile:
        dtype: np.dtype[Any] = np.dtype(file.byteorder + level.dtype.char)
        mapped: LazyArray = np.memmap(
            file.filehandle.path, dtype, mode="r", offset=start, shape=level.shape
        )
        return mapped
    store = opened.enter_context(level.aszarr(level=0))
    array: LazyArray = zarr.open_array(store, mode="r")
    return array


def tiff_axes(axes: str) -> tuple[list[int], int | None]:
    """Return which TIFF axes are image axes, and which is the axis of samples.

    Examples
    --------
    >>> tiff_axes("ZSYX"), tiff_axes("YXC")
    (([0, 2, 3], 1), ([2, 0, 1], None))
    """
    if not {"Y", "X"} <= set(axes):
        raise InputError(f"its axes are {axes}; rows and columns (Y and X) are not among them")
    last = [axes.rindex("Y"), axes.rindex("X")]
    samples = axes.rindex("S") if "S" in axes else None
    others = [axis for axis in range(len(axes)) if axis not in (*last, samples)]
    return [*others, *last], samples


def _narrow(series: TiffPageSeries) -> str:
    """Return a remark if pages are so narrow that they must be rows of colours.

    That is how an array (Y, X, 3) is written by programs that are not told that it holds colours.
    """
    pages, rows, columns = (0, *series.shape)[-3:]
    named = series.axes[:-2].strip("IQ") or series.kind == "imagej"
    if named or min(pages, rows) < MIN_SIDE or columns not in (2, 3, 4):
        return ""
    what = f"it holds {pages} pages of {rows} x {columns} pixels"
    if columns == 2:
        raise InputError(
            f"{what}, as if the channels of a picture stood last; save it with channels first, or "
            "one channel of it"
        )
    return f"{what}; taken as one picture of {pages} x {rows} pixels in colours"


def _first(file: TiffFile, folder: Path) -> TiffPageSeries:
    """Return the first series of pages, if it is what it says."""
    from tifffile import TiffFileError

    page = file.pages.first
    check_tags(page)
    if file.is_ome:
        check_ome(file.ome_metadata or "", folder, max(1, page.imagewidth * page.imagelength))
    try:
        found = file.series
    except TiffFileError as error:  # of a set each file is opened
        raise InputError("it, or another file of its set, is damaged; copy them anew") from error
    if not found:
        raise InputError("it holds no picture")
    check_series(file, found[0])
    return found[0]
