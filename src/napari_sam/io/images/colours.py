"""Photometric interpretation of TIFFs: greyscale, RGB, CMYK or a palette."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_sam.arrays import Array
from napari_sam.errors import InputError
from napari_sam.io.images.pixels import Conversion

if TYPE_CHECKING:
    from tifffile import TiffPage

__all__ = ["conversion_of"]

PHOTOMETRIC = 262  # the tag
PLAIN = (1, 5, 8, 32773, 32946, 50000)  # compressions that leave the colours as they are
WHITE, BLACK, RGB, PALETTE, MASK, INKS, YCBCR = 0, 1, 2, 3, 4, 5, 6


def conversion_of(page: TiffPage, samples: int) -> tuple[Conversion | None, str]:
    """Return the conversion of a page's samples to grey or RGB, and a remark if it was assumed.

    Parameters
    ----------
    page : tifffile.TiffPage
        The first.
    samples : int
        How many stand behind each pixel; 0 if one number does.
    """
    kind = int(page.photometric) if PHOTOMETRIC in page.tags else BLACK
    if not samples:
        return _grey(page, kind), ""
    if kind == RGB or (kind == YCBCR and page.compression not in PLAIN):
        return _colours(samples, _has_alpha(page))
    if kind == INKS and samples == 4 and np.dtype(page.dtype).kind == "u":
        return _without_inks, ""
    if kind in (WHITE, BLACK) and samples == 2:
        grey = _grey(page, kind)
        remark = "" if _has_alpha(page) else "of 2 samples in each pixel the first is taken as grey"
        return lambda block: grey(block[..., 0]) if grey else block[..., 0], remark
    if kind == BLACK and samples in (3, 4):
        taken = "the first three samples of each pixel are taken as red, green and blue"
        return None, f"{taken}; the file does not say what they are"
    name = getattr(page.photometric, "name", page.photometric)
    raise InputError(
        f"its pixels hold {samples} samples of the kind {name}; save it as grey, as RGB, or its "
        "channels as slices"
    )


def _grey(page: TiffPage, kind: int) -> Conversion | None:
    if kind == PALETTE and page.colormap is not None:
        return _palette(np.asarray(page.colormap), 2**page.bitspersample)
    if kind == WHITE:
        bits = page.bitspersample
        return lambda block: _inverted(block, bits)
    return None


def _has_alpha(page: TiffPage) -> bool:
    """Return whether the first extra sample is an alpha channel."""
    return bool(page.extrasamples) and int(page.extrasamples[0]) in (1, 2)


def _colours(samples: int, alpha: bool) -> tuple[Conversion | None, str]:
    if samples < 3:
        raise InputError(f"it says that it is RGB and has {samples} samples a pixel")
    if samples == 3 or (samples == 4 and alpha):
        return None, ""
    return (lambda block: block[..., :3]), f"of {samples} samples red, green and blue are taken"


def _palette(table: Array, size: int) -> Conversion:
    """Return a palette lookup: (..., 3) uint8, or (...) if all entries are grey."""
    if table.shape != (3, size):
        raise InputError(f"its palette has {table.size // 3} colours; it needs {size}")
    colours = (table >> 8 if table.max(initial=0) > 255 else table).astype(np.uint8).T
    lookup = colours[:, 0] if (colours == colours[:, :1]).all() else colours
    return lambda block: lookup[block]


def _inverted(block: Array, bits: int) -> Array:
    """Return samples of a white-is-zero image as black-is-zero."""
    top = {"f": 0, "i": -1}.get(block.dtype.kind, 2**bits - 1)
    turned: Array = ~block if block.dtype == bool else top - block
    return turned


def _without_inks(block: Array) -> Array:
    """Convert CMYK samples to RGB."""
    full = np.uint64(np.iinfo(block.dtype).max)
    paper = full - block.astype(np.uint64)
    colours: Array = (paper[..., :3] * paper[..., 3:] // full).astype(block.dtype)
    return colours
