"""An instance that the maps show, and its mask from their cells to the picture's pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from napari_sam.inference.object_maps import LevelMaps
from napari_sam.masks import CroppedMask

__all__ = ["Instance", "to_pixels"]


@dataclass(frozen=True, eq=False)
class Instance:
    """Instance that the maps show: its mask, and how sure they are of it.

    Parameters
    ----------
    cropped : CroppedMask
    quality : float
        0 to 1.
    point : (float, float)
        Row and column of its deepest place.
    """

    cropped: CroppedMask
    quality: float
    point: tuple[float, float]


def to_pixels(
    mask: NDArray[np.bool_], box: tuple[slice, slice], maps: LevelMaps
) -> CroppedMask | None:
    """Return a mask of cells as one of pixels: bilinear, then at least half."""
    scale, around = maps.scale, 1 + int(np.ceil(maps.scale))  # cells of nothing around the mask
    padded = Image.fromarray(np.pad(mask, around).view(np.uint8) * 255)
    ends = []  # of the pixels that the mask may cover, and the same in padded cells
    for side, length in zip(box, maps.shape, strict=True):
        low, high = int(side.start / scale), min(length, int(np.ceil(side.stop / scale)))
        offset = around - side.start
        ends.append((low, high, low * scale + offset, high * scale + offset))
    (top, bottom, y0, y1), (left, right, x0, x1) = ends
    if top >= bottom or left >= right:
        return None
    size = right - left, bottom - top
    shown = np.asarray(padded.resize(size, Image.Resampling.BILINEAR, box=(x0, y0, x1, y1)))
    return CroppedMask.of(shown > 127, (top, left), maps.shape)
