"""Checks of files before they are read, and messages for read errors.

Every InputError of these checks, and of those in `ome_xml` and `tiff_checks`, is worded so that it
goes behind the file's name.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from napari_sam.arrays import Array
from napari_sam.errors import InputError

__all__ = ["check_claim", "check_file", "check_pixels", "whole_numbers", "why_unreadable"]

MIN_CLAIM = 2**30  # bytes of pixels that any file may say it holds
MAX_COMPRESSION = 2000  # times so many bytes as the file has: zlib packs zeros by 1000
REASONS = {
    "TiffFileError": "it is no TIFF, whatever its name says",
    "UnidentifiedImageError": "it is no picture, whatever its name says, or its beginning is lost",
    "DecompressionBombError": "it says that it has more pixels than a picture of this kind may; "
    "if that is right, save it as a .tif",
    "UnsupportedFileFormatError": "no reader of bioio that is installed knows it",
    "ArrayNotFoundError": "it holds no zarr array, or its description is lost",
    "GroupNotFoundError": "it holds no zarr array or group, or its description is lost",
    "MemoryError": "it needs more memory than there is",
    "RecursionError": "what it says of itself is endless",
}
"""What readers raise, by the name of its class: the readers are loaded only where they read."""

SAID = ("OSError", "RuntimeError", "SyntaxError", "ValueError")  # others tell programmers


def why_unreadable(error: BaseException) -> str:
    """Return a short message for a read error: why it failed, and what to do.

    Examples
    --------
    >>> why_unreadable(MemoryError())
    'it needs more memory than there is'
    >>> why_unreadable(ValueError("COMPRESSION.LZW requires the 'imagecodecs' package"))
    'its compression needs a package that is not installed: pip install imagecodecs'
    """
    words, kind = str(error).strip(), type(error).__name__
    if isinstance(error, InputError):
        return words
    missing = error.name if isinstance(error, ModuleNotFoundError) else None
    if "imagecodecs" in words or missing == "compression":  # Python's own, from 3.14
        return "its compression needs a package that is not installed: pip install imagecodecs"
    if missing:
        return f"it needs a package that is not installed: pip install {missing}"
    if kind in REASONS:
        return REASONS[kind]
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    said = f" ({words.splitlines()[0][:200]})" if words and kind in SAID else ""
    return f"it is damaged, or of an unknown kind{said}; save it anew in the program it comes from"


def check_file(path: Path) -> None:
    """Refuse broken links, empty files, and pipes or devices, whose reading would block.

    Raises
    ------
    InputError
        In words that go behind the file's name, if it is a link to nothing or to itself, a pipe, a
        socket, a device, or empty.
    """
    if path.is_symlink() and not path.exists():
        raise InputError("it is a link that leads to no file")
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise InputError("it is no file but a pipe or a device; save what comes from it")
    if path.is_file() and not path.stat().st_size:
        raise InputError("the file is empty; copy it anew from where it comes from")


def check_claim(claimed: int, there: int) -> None:
    """Refuse a file whose claimed size exceeds what its length can hold.

    Parameters
    ----------
    claimed, there : int
        Bytes of the pixels, and of the file.

    Examples
    --------
    >>> check_claim(10**18, 300)
    Traceback (most recent call last):
    napari_sam.errors.InputError: it says that it holds 1,000,000,000 GB of pixels, which a file...
    """
    if claimed > max(MIN_CLAIM, MAX_COMPRESSION * there):
        raise InputError(
            f"it says that it holds {claimed / 1e9:,.0f} GB of pixels, which a file of {there:,} "
            "bytes cannot; copy it anew from where it comes from"
        )


def check_pixels(shape: tuple[int, ...], kind: str, dtype: object) -> None:
    """Refuse empty arrays, and dtypes that are not real numbers.

    Parameters
    ----------
    shape : tuple of int
        Of the picture.
    kind : str
        numpy's letter for the kind of its dtype.
    dtype : object
        To name.
    """
    if len(shape) < 2 or 0 in shape:
        size = " x ".join(map(str, shape)) or "no"
        raise InputError(f"it has {size} pixels; a picture needs rows and columns")
    if kind not in "biuf":
        raise InputError(f"its pixels are no real numbers but {dtype}; save them as such")


def whole_numbers(labels: Array) -> Array:
    """Return labels as integers: floats are converted if all values are whole.

    The dtype goes by the file's alone, so that every slice has the same.

    Examples
    --------
    >>> whole_numbers(np.array([0.0, 2.0])).tolist()
    [0, 2]
    """
    if labels.dtype.kind == "f":
        if not (np.abs(labels) < 2**63).all() or (labels % 1 != 0).any():  # NaN is in no order
            raise InputError("labels must be whole numbers; these have fractions or NaN")
        labels = labels.astype(np.int64)
    if labels.dtype.kind == "i" and labels.size and labels.min() < 0:
        raise InputError(f"labels must not be negative; got {labels.min()}")
    return labels
