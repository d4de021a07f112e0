"""TIFFs of all kinds, by what they say of their axes and samples."""

from __future__ import annotations

import json
import logging
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from napari_sam.errors import InputError
from napari_sam.io.colours import look_of
from napari_sam.io.ome_xml import check_ome
from napari_sam.io.pixels import TURNED, TURNS, Pixels
from napari_sam.io.reading import check_claim, check_file, check_numbers, whole_numbers

__all__ = ["arrangement", "open_tiff"]

logger = logging.getLogger(__name__)

ORIENTATION = 274  # the tag
SIZES = (
    *("imagewidth", "imagelength", "imagedepth", "tilewidth", "tilelength", "tiledepth"),
    *("rowsperstrip", "samplesperpixel", "bitspersample"),
)
CUT = "it is cut short; copy it anew from where it comes from"
PLAIN = {"generic", "imagej", "ome", "shaped", "uniform"}  # whose parts are pictures, no thumbnails


def open_tiff(path: Path, opened: ExitStack, numbers: bool) -> Pixels:
    """Open the first picture of a TIFF.

    Parameters
    ----------
    path : Path
        The file.
    opened : ExitStack
        Closes it.
    numbers : bool
        Whether the numbers themselves are wanted, as of labels, and no colours.

    Raises
    ------
    InputError
        If it is damaged, says what cannot be, or is no grey or colour picture. What had to be
        assumed is logged as a warning.
    """
    import tifffile
    import zarr

    check_file(path)
    file = opened.enter_context(tifffile.TiffFile(path))
    series = _first(file, path.parent)
    order, samples = arrangement(series.axes)
    page, count = series.keyframe, 0 if samples is None else series.shape[samples]
    if numbers and count:
        what = f"it is a colour picture, of {count} samples"
        raise InputError(f"{what}; labels need a whole number per object")
    look, remark = (whole_numbers, "") if numbers else look_of(page, count)
    turn = page.tags.valueof(ORIENTATION, 1)
    several = len(file.series) > 1 and series.kind in PLAIN
    more = f"it holds {len(file.series)} pictures; the first is read" * several
    for words in filter(None, (remark, TURNED * (turn in TURNS), more)):
        logger.warning("%s: %s", path, words)
    store = opened.enter_context(series.aszarr(level=0))
    return Pixels(path, zarr.open(store, mode="r"), order, samples, look, turn)


def arrangement(axes: str) -> tuple[list[int], int | None]:
    """Return which axes of a TIFF become those of a picture, and which holds the samples.

    Parameters
    ----------
    axes : str
        tifffile's letters.

    Examples
    --------
    >>> arrangement("ZSYX"), arrangement("YXC")
    (([0, 2, 3], 1), ([2, 0, 1], None))
    """
    if not {"Y", "X"} <= set(axes):
        raise InputError(f"its axes are {axes}; rows and columns (Y and X) are not among them")
    last = [axes.rindex("Y"), axes.rindex("X")]
    samples = axes.rindex("S") if "S" in axes else None
    others = [axis for axis in range(len(axes)) if axis not in (*last, samples)]
    return [*others, *last], samples


def _first(file: Any, folder: Path) -> Any:
    """Return the first series of pages, if it is what it says."""
    from tifffile import TiffFileError

    page = file.pages.first
    _check_tags(page)
    if file.is_ome:
        check_ome(file.ome_metadata or "", folder, max(1, page.imagewidth * page.imagelength))
    try:
        found = file.series
    except TiffFileError as error:  # of a set each file is opened
        raise InputError("it, or another file of its set, is damaged; copy them anew") from error
    if not found:
        raise InputError("it holds no picture")
    _check(file, found[0])
    return found[0]


def _check_tags(page: Any) -> None:
    """Refuse sizes that are none: with those below zero, tifffile counts without end."""
    said = [(name, getattr(page, name)) for name in SIZES]
    text = page.shaped_description
    if text is not None:  # tifffile's own
        shape = json.loads(text)["shape"] if text.startswith("{") else text[7:-1].split(",")
        said += [("shape", int(size)) for size in shape if size != ""]
    for name, size in said:
        if not isinstance(size, int) or size < 0:
            raise InputError(f"it says {name} {size!r}, which is no size; copy it anew")


def _check(file: Any, series: Any) -> None:
    """Refuse a series that cannot be what it says, before anything is made of its size."""
    page, there = series.keyframe, file.filehandle.size
    if page.dtype is None:
        raise InputError(f"its pixels have {page.bitspersample} bits of a kind nobody knows")
    check_numbers(tuple(series.shape), series.dtype.kind, series.dtype)
    check_claim(page.nbytes, there)
    check_claim(_product(page.chunks) * series.dtype.itemsize, there)
    if not series.is_multifile:
        check_claim(series.nbytes, there)
    if series.dataoffset is not None:
        _check_end(series.dataoffset + series.nbytes, there)
        return
    pages = list(series)
    if None in pages:
        lost = f"{pages.count(None)} of its {len(pages)} slices are missing"
        raise InputError(f"{lost}, here or in files that belong beside it; copy those anew")
    for one in pages:
        _check_page(one, page, there if one.parent is file else None)


def _check_page(page: Any, keyframe: Any, there: int | None) -> None:
    """Refuse a page of which pixels are missing: they would be read as zeros."""
    parts = list(zip(page.dataoffsets, page.databytecounts, strict=False))
    if len(parts) < _product(keyframe.chunked):
        raise InputError(CUT)
    if there is None:
        return
    if keyframe.compression == 1 and keyframe.bitspersample == 8 * keyframe.dtype.itemsize:
        # The last part is often said to be as long as the others.
        _check_end(max(start for start, _ in parts), there - 1)
        held = sum(min(start + length, there) - start for start, length in parts)
        _check_end(keyframe.nbytes, held)
    else:
        _check_end(max(start + length for start, length in parts), there)


def _check_end(end: int, there: int) -> None:
    if end > there:
        raise InputError(CUT)


def _product(sizes: Any) -> int:
    product = 1
    for size in sizes:
        product *= int(size)
    return product
