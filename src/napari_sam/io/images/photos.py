"""Reader of PNG, JPEG and BMP images, with their colour mode and palette."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_sam.arrays import Array
from napari_sam.errors import InputError
from napari_sam.io.images.file_checks import whole_numbers
from napari_sam.io.images.pixels import TURNED, TURNS, LazyImage

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["open_photo"]

logger = logging.getLogger(__name__)

READ = ("PNG", "JPEG", "BMP", "DIB", "GIF", "TIFF", "WEBP")  # others may run programs
ORIENTATION = 274  # the tag of EXIF
MODES = {  # what becomes of Pillow's; others stay as they are
    "CMYK": "RGB",
    "HSV": "RGB",
    "LA": "L",
    "P": "RGB",
    "PA": "RGBA",
    "RGBX": "RGB",
    "RGBa": "RGBA",
    "YCbCr": "RGB",
}
SPREAD = {"L;2": 85, "L;4": 17}  # numbers of few bits, which Pillow spreads to 255
COARSE = "of 16 bits a colour the upper 8 are read; a .tif keeps all"
GREY = ("1", "L", "I", "I;16", "I;16B", "I;16L", "F")


def open_photo(path: Path, numbers: bool) -> LazyImage:
    """Open a PNG, JPEG or BMP image.

    Raises
    ------
    InputError
        If it is damaged, holds several pictures, or is no grey or colour picture. What is left out
        is logged as a warning.
    """
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of many pixels (too many are an error), of damaged EXIF
        with Image.open(path, formats=READ) as image:
            packing = str(image.tile[0][3]) if image.tile else ""  # lost when anything is read
            turn = image.getexif().get(ORIENTATION, 1)
            for remark in _remarks(image, packing, turn):
                logger.warning("%s: %s", path, remark)
            pixels = _numbers(image, SPREAD.get(packing, 1)) if numbers else _grey_or_colours(image)
    samples, convert = 2 if pixels.ndim > 2 else None, whole_numbers if numbers else None
    return LazyImage(path, pixels, (0, 1), samples, convert, turn)


def _remarks(image: Image, packing: str, turn: int) -> list[str]:
    count = getattr(image, "n_frames", 1)
    if count > 1 and image.format != "MPO":  # which holds small ones of the same
        raise InputError(f"it holds {count} pictures; save them as slices of a .tif")
    coarse = "16B" in packing and image.mode in ("RGB", "RGBA", "LA")
    return [TURNED] * (turn in TURNS) + [COARSE] * coarse


def _grey_or_colours(image: Image) -> Array:
    mode = MODES.get(image.mode, image.mode)
    if mode not in (*GREY, "RGB", "RGBA"):
        raise InputError(f"its colours are of the kind {mode}; save it as RGB")
    return np.asarray(image.convert(mode))


def _numbers(image: Image, spread: int) -> Array:
    """Return the numbers behind a palette's colours, or of a grey picture."""
    pixels = np.asarray(image)
    if image.mode in ("LA", "PA") and (pixels[..., 1] == pixels[:1, :1, 1]).all():
        return pixels[..., 0]
    if image.mode not in (*GREY, "P"):
        raise InputError("it is a colour picture; labels need a whole number per object")
    return pixels // spread if spread > 1 else pixels
