"""Preprocessing: contrast, resizing, normalisation; and the conversion of coordinates.

Public coordinates are (row, column); pixel (r, c) is the square from r - 0.5 to r + 0.5. A model's
frame counts (x, y) and the network itself adds half a pixel. A picture of shape (H, W) is resized
to (h, w); SAM's own sizes map x to x * w / W, exactly as the reference does, and our dense model
maps pixel centres onto each other: (x + 0.5) * w / W - 0.5. SAM 2 stretches it to the frame.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from napari_sam.arrays import ODD, Array, ContrastRange, LazyArray, plain
from napari_sam.errors import InputError

__all__ = [
    "MIN_MAX",
    "PERCENTILE",
    "bounds",
    "check_form",
    "check_image",
    "contrast_range",
    "fit_shape",
    "merge_channels",
    "normalise",
    "pixel_range",
    "resize",
    "stretch",
    "to_rgb8",
]

PERCENTILE, MIN_MAX = "percentile", "min_max"
HUGE = 1e290
PERCENTILES = (0.1, 99.9)  # robust against a few dead or hot pixels
MEAN = (123.675, 116.28, 103.53)
STD = (58.395, 57.12, 57.375)


def check_image(image: ArrayLike) -> Array:
    """Validate an image and return it as (H, W) or (H, W, 3) of a real dtype.

    Parameters
    ----------
    image : array-like
        (H, W), (H, W, 3) or (H, W, 4); an alpha channel is dropped.

    Raises
    ------
    InputError
        For other shapes, complex, masked or non-numeric values, an empty picture, or one in which
        no value is finite.
    """
    array = plain(image, "the picture")
    check_form(array)
    if np.issubdtype(array.dtype, np.floating) and not np.isfinite(array).any():
        raise InputError("no pixel of the picture has a finite value")
    return array[..., :3] if array.ndim == 3 else array


def check_form(image: LazyArray) -> None:
    """Refuse what has not the shape and the dtype of a picture; nothing is read.

    Raises
    ------
    InputError
        As `check_image` does for these.
    """
    shape, dtype = tuple(image.shape), np.dtype(image.dtype)
    if not (len(shape) == 2 or (len(shape) == 3 and shape[-1] in (3, 4))):
        raise InputError(
            f"a picture must have shape (H, W), (H, W, 3) or (H, W, 4); got {shape}. "
            "For a stack give one slice; for other channel counts choose one or three channels"
        )
    if 0 in shape:
        raise InputError(f"the picture is empty: shape {shape}")
    if dtype.kind not in "biuf":
        raise InputError(f"a picture must hold real numbers; got dtype {dtype}")


def contrast_range(image: Array, rule: str = PERCENTILE) -> ContrastRange:
    """Return the (low, high) intensities that map to 0 and 255.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) ndarray
        NaN and infinite values are left out.
    rule : {"percentile", "min_max"}
        Robust percentiles of the whole picture as floats, or minimum and maximum of each channel
        (float for (H, W), arrays of shape (3,) otherwise).

    Raises
    ------
    InputError
        If no value is finite, or there is no such rule.

    Examples
    --------
    >>> contrast_range(np.array([[2, 4], [6, 8]]), "min_max")
    (2.0, 8.0)
    """
    finite = image
    if np.issubdtype(image.dtype, np.floating) and not np.isfinite(image).all():
        finite = np.where(np.isfinite(image), image, np.nan)
        if np.isnan(finite).all():
            raise InputError("no pixel of the picture has a finite value")
    if rule == MIN_MAX:
        axes = (0, 1)
        low, high = np.nanmin(finite, axis=axes), np.nanmax(finite, axis=axes)
        if image.ndim == 2:
            return float(low), float(high)
        return low.astype(float), high.astype(float)
    if rule != PERCENTILE:
        raise InputError(f"intensity rule must be 'percentile' or 'min_max'; got {rule!r}")
    values = finite[np.isfinite(finite)] if finite is not image else finite
    low, high = np.percentile(values.astype(np.float64, copy=False), PERCENTILES)
    return float(low), float(high)


def pixel_range(pixels: Array, rule: str) -> ContrastRange:
    """Return the `contrast_range` of loose pixels, such as a sample of a stack.

    Parameters
    ----------
    pixels : (N,) or (N, 3 or 4) ndarray
        A fourth colour is dropped.
    rule : {"percentile", "min_max"}
        As above.

    Examples
    --------
    >>> pixel_range(np.array([2, 4, 6]), "min_max")
    (2.0, 6.0)
    >>> low, high = pixel_range(np.array([[2, 4, 6], [3, 3, 3]]), "min_max")
    >>> low.tolist(), high.tolist()
    ([2.0, 3.0, 3.0], [3.0, 4.0, 6.0])
    """
    return contrast_range(pixels[None, ..., :3] if pixels.ndim == 2 else pixels[None], rule)


def bounds(contrast: ContrastRange) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a contrast range as float64 arrays (low, high).

    Raises
    ------
    InputError
        If they are none.
    """
    try:
        low, high = (np.asarray(bound, dtype=np.float64) for bound in contrast)
    except ODD as error:
        raise InputError(f"contrast must be two numbers (low, high); got {contrast!r}") from error
    return low, high


def to_rgb8(image: Array, contrast: ContrastRange) -> NDArray[np.uint8]:
    """Rescale intensities from (low, high) to 0..255 and grey to RGB: (H, W, 3) uint8.

    uint8 with (0, 255) is passed through untouched. NaN becomes 0; a picture without contrast
    becomes black.
    """
    low, high = bounds(contrast)
    if not {low.shape, high.shape} <= {(), image.shape[-1:]}:
        raise InputError(f"contrast must be one (low, high), or one a channel; got {contrast}")
    if not (np.isfinite(low).all() and np.isfinite(high).all() and (high >= low).all()):
        raise InputError(f"contrast must be finite (low, high) with low <= high; got {contrast}")
    if image.dtype == np.uint8 and (low == 0).all() and (high == 255).all():
        scaled = image
    elif image.dtype.kind in "iu" and image.dtype.itemsize <= 2 and low.ndim == high.ndim == 0:
        codes = np.arange(256**image.dtype.itemsize, dtype=f"u{image.dtype.itemsize}")
        table = _stretch(codes.view(image.dtype.newbyteorder("=")), low, high)
        scaled = table[image]  # a negative value counts from the end, where it lies in the table
    else:
        scaled = _stretch(image, low, high)
    return np.repeat(scaled[..., None], 3, axis=2) if scaled.ndim == 2 else scaled


def _stretch(
    values: Array, low: NDArray[np.float64], high: NDArray[np.float64]
) -> NDArray[np.uint8]:
    if max(np.abs(low).max(), np.abs(high).max()) > HUGE:  # their difference may be too large
        values, low, high = (np.asarray(part, np.float64) / 4 for part in (values, low, high))
    span = np.where(high > low, high - low, np.inf)
    unit = (np.nan_to_num(values.astype(np.float64), nan=float(low.min())) - low) / span
    return np.round(np.clip(unit, 0, 1) * 255).astype(np.uint8)


def merge_channels(
    channels: Sequence[Array | None], contrasts: Sequence[ContrastRange]
) -> NDArray[np.uint8]:
    """Merge grey channels into red, green and blue, each rescaled on its own.

    Parameters
    ----------
    channels : three ndarrays of the same shape, or None
        None leaves a colour dark.
    contrasts : three (low, high)
        What becomes 0 and 255.

    Returns
    -------
    (..., 3) uint8

    Examples
    --------
    >>> merge_channels([np.array([[2, 4]]), None, np.array([[0, 1]])], [(2, 4), (0, 1), (0, 1)])
    array([[[  0,   0,   0],
            [255,   0, 255]]], dtype=uint8)
    """
    shape = next(channel.shape for channel in channels if channel is not None)
    merged = np.zeros((*shape, 3), np.uint8)
    for colour, (channel, contrast) in enumerate(zip(channels, contrasts, strict=True)):
        if channel is not None:
            merged[..., colour] = to_rgb8(channel[None, ..., None], contrast)[0, ..., 0]
    return merged


def fit_shape(shape: tuple[int, int], frame: int) -> tuple[int, int]:
    """Return (h, w) with the longer side equal to `frame` (SAM's rounding), never below one pixel.

    Examples
    --------
    >>> fit_shape((480, 640), 1024)
    (768, 1024)
    """
    factor = frame / max(shape)
    return max(1, int(shape[0] * factor + 0.5)), max(1, int(shape[1] * factor + 0.5))


def resize(
    rgb: NDArray[np.uint8],
    shape: tuple[int, int],
    edges: tuple[float, float, float, float] | None = None,
) -> NDArray[np.uint8]:
    """Resize (H, W, 3) uint8 to (h, w, 3) with Pillow's antialiased bilinear filter.

    With `edges` (top, left, bottom, right), in pixels from the outer edge of the first one, only
    what lies between them.
    """
    top, left, bottom, right = edges or (0, 0, *rgb.shape[:2])
    if (top, left, bottom, right) == (0, 0, *shape) == (0, 0, *rgb.shape[:2]):
        return rgb
    size, filter_ = (shape[1], shape[0]), Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(rgb).resize(size, filter_, (left, top, right, bottom)))


def normalise(rgb: NDArray[np.uint8], multiple: int) -> Tensor:
    """Standardise and pad at the right and bottom with zeros: (1, 3, h, w) float32.

    Parameters
    ----------
    rgb : (H, W, 3) uint8
        Picture at the model's scale.
    multiple : int
        Both sides of the result are multiples of it.
    """
    h, w = rgb.shape[:2]
    x = torch.zeros(1, 3, h + -h % multiple, w + -w % multiple)
    inside = x[0, :, :h, :w]
    inside.copy_(torch.tensor(rgb).permute(2, 0, 1))
    inside.sub_(torch.tensor(MEAN)[:, None, None]).div_(torch.tensor(STD)[:, None, None])
    return x


def stretch(rgb: NDArray[np.uint8], frame: int) -> Tensor:
    """Standardise and stretch to the square frame, antialiased: (1, 3, frame, frame) float32.

    Nothing is rounded on the way, as SAM 2 has it.
    """
    return F.interpolate(normalise(rgb, 1), (frame, frame), mode="bilinear", antialias=True)
