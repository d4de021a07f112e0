"""Thumbnails of masks over the image, and numpy arrays as Qt pixmaps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from qtpy.QtGui import QImage, QPixmap

from napari_sam.masks import Box

__all__ = ["pixmap", "thinned", "thumbnail"]

SIDE = 52
MOST = 1024  # pixels of a tile along each axis that a thumbnail is made of
COLOUR = (255, 46, 196)


def thinned(tile: Box) -> tuple[slice, slice]:
    """Return rows and columns of a tile, of a coarse one so few that 1,024 of each are left.

    Examples
    --------
    >>> thinned((0, 512, 1024, 1536)), thinned((0, 2048, 4096, 6144))
    ((slice(0, 1024, 1), slice(512, 1536, 1)), (slice(0, 4096, 4), slice(2048, 6144, 4)))
    """
    top, left, bottom, right = tile
    step = max(1, -(-max(bottom - top, right - left) // MOST))
    return slice(top, bottom, step), slice(left, right, step)


def thumbnail(
    plane: np.ndarray,
    limits: tuple[float, float],
    mask: NDArray[np.bool_],
    around: NDArray[np.bool_],
    side: int = SIDE,
) -> NDArray[np.uint8]:
    """Draw the outline of a mask over the surrounding image.

    Parameters
    ----------
    plane : (H, W) or (H, W, colours)
        The picture.
    limits : (low, high)
        What becomes black and white; 8-bit colours stay as they are.
    mask : (H, W) bool
        The mask.
    around : (H, W) bool
        What to show, with a margin.
    side : int
        Of the square result, in pixels.

    Returns
    -------
    (side, side, 3) uint8
    """
    rows, columns = (np.flatnonzero(around.any(axis=axis)) for axis in (1, 0))
    height, width = around.shape
    if len(rows) == 0:
        rows, columns = np.arange(height), np.arange(width)
    half = max(rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1) * 0.65 + 2
    steps = (np.arange(side) + 0.5) / side * 2 * half - half
    at_rows = np.rint((rows[0] + rows[-1]) / 2 + steps).astype(int)
    at_columns = np.rint((columns[0] + columns[-1]) / 2 + steps).astype(int)
    inside = np.ix_((at_rows >= 0) & (at_rows < height), (at_columns >= 0) & (at_columns < width))
    cut = np.ix_(at_rows.clip(0, height - 1), at_columns.clip(0, width - 1))
    pixels = np.zeros((side, side, 3), np.uint8)
    pixels[inside] = _rgb(plane[cut], limits)[inside]
    drawn = np.zeros((side, side), bool)
    drawn[inside] = mask[cut][inside]
    padded = np.pad(drawn, 1)
    core = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    pixels[drawn & ~core] = COLOUR
    return pixels


def pixmap(pixels: NDArray[np.uint8]) -> QPixmap:
    """Return a (side, side, 3) array as a square Qt pixmap."""
    side = len(pixels)
    image = QImage(pixels.tobytes(), side, side, 3 * side, QImage.Format.Format_RGB888)
    return QPixmap.fromImage(image.copy())


def _rgb(plane: np.ndarray, limits: tuple[float, float]) -> NDArray[np.uint8]:
    if plane.ndim == 3 and plane.dtype == np.uint8:
        return plane[..., :3]
    low, high = (0, 1) if plane.ndim == 3 and plane.dtype.kind == "f" else limits
    unit = (np.nan_to_num(plane.astype(float)) - low) / max(high - low, 1e-12)
    scaled = (unit.clip(0, 1) * 255).astype(np.uint8)
    return np.repeat(scaled[..., None], 3, axis=2) if plane.ndim == 2 else scaled[..., :3]
