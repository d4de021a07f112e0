"""Checks of the dimensions that a TIFF claims, before memory is allocated."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_sam.errors import InputError
from napari_sam.io.images.file_checks import check_claim, check_pixels

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffFrame, TiffPage, TiffPageSeries

__all__ = ["check_series", "check_tags"]

SIZES = (
    *("imagewidth", "imagelength", "imagedepth", "tilewidth", "tilelength", "tiledepth"),
    *("rowsperstrip", "samplesperpixel", "bitspersample"),
)
CUT = "it is cut short; copy it anew from where it comes from"
MAX_GROWTH, MAX_HEADER = 2, 2**16
"""A packed part is no longer than that many times its pixels, and that many bytes more; else what
it unpacks to has no bound."""


def check_tags(page: TiffPage) -> None:
    """Refuse dimension tags below 1: tifffile loops without end if they are negative."""
    said = [(name, getattr(page, name)) for name in SIZES]
    text = page.shaped_description
    if text is not None:  # tifffile's own
        shape = json.loads(text)["shape"] if text.startswith("{") else text[7:-1].split(",")
        said += [("shape", int(size)) for size in shape if size != ""]
    for name, size in said:
        if not isinstance(size, int) or size < 0:
            raise InputError(f"it says {name} {size!r}, which is no size; copy it anew")


def check_series(file: TiffFile, series: TiffPageSeries) -> None:
    """Refuse a series whose claimed size the file cannot hold, before memory is allocated."""
    page, there = series.keyframe, file.filehandle.size
    if page.dtype is None:
        raise InputError(f"its pixels have {page.bitspersample} bits of a kind nobody knows")
    check_pixels(tuple(series.shape), series.dtype.kind, series.dtype)
    check_claim(page.nbytes, there)
    check_claim(math.prod(page.chunks) * series.dtype.itemsize, there)
    if not series.is_multifile:
        check_claim(series.nbytes, there)
    if series.dataoffset is not None:
        _check_end(series.dataoffset + series.nbytes, there)
        return
    pages: list[Any] = list(series)
    if None in pages:
        lost = f"{pages.count(None)} of its {len(pages)} slices are missing"
        raise InputError(f"{lost}, here or in files that belong beside it; copy those anew")
    for one in pages:
        _check_page(one, page, there if one.parent is file else None)


def _check_page(page: TiffPage | TiffFrame, keyframe: TiffPage, there: int | None) -> None:
    """Refuse a page of which pixels are missing, which would be read as zeros, or too many."""
    itemsize = np.dtype(keyframe.dtype).itemsize
    parts = list(zip(page.dataoffsets, page.databytecounts, strict=False))
    if len(parts) < math.prod(keyframe.chunked):
        raise InputError(CUT)
    room = MAX_GROWTH * math.prod(keyframe.chunks) * itemsize + MAX_HEADER
    if keyframe.compression != 1 and max(length for _, length in parts) > room:
        raise InputError("a part of it is far longer than its pixels; save it anew")
    if there is None:
        return
    if keyframe.compression == 1 and keyframe.bitspersample == 8 * itemsize:
        # The last part is often said to be as long as the others.
        _check_end(max(start for start, _ in parts), there - 1)
        held = sum(min(start + length, there) - start for start, length in parts)
        _check_end(keyframe.nbytes, held)
    else:
        _check_end(max(start + length for start, length in parts), there)


def _check_end(end: int, there: int) -> None:
    if end > there:
        raise InputError(CUT)
