"""Crops of single objects, as input of image encoders (paper, appendix D.5)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

__all__ = ["ObjectCrop", "crop_object", "relative_sizes"]

ENLARGED = 1.5  # the middle of the paper's 1 to 2, when nothing is drawn by chance


@dataclass(frozen=True, eq=False)
class ObjectCrop:
    """Square crop of an image with one object in its middle.

    Parameters
    ----------
    rgb : (S, S, 3) uint8
        The picture, stretched as the model sees it; zero outside of the picture.
    mask : (S, S) bool
        The object; never empty.
    size : float
        The object's diameter, 1 for the median of the picture's objects.
    """

    rgb: NDArray[np.uint8]
    mask: NDArray[np.bool_]
    size: float = 1.0

    def alone(self) -> ObjectCrop:
        """Return the crop with the background set to black."""
        return ObjectCrop(self.rgb * self.mask[..., None], self.mask, self.size)


def crop_object(
    rgb: NDArray[np.uint8],
    patch: NDArray[np.bool_],
    corner: tuple[int, int],
    side: int,
    *,
    size: float = 1.0,
    enlarged: float = ENLARGED,
) -> ObjectCrop:
    """Crop a square around an object's box, `enlarged` times its longer side, and resize it.

    Parameters
    ----------
    rgb : (H, W, 3) uint8
        The whole picture.
    patch : (h, w) bool
        The object inside of its box.
    corner : (int, int)
        Row and column of the box's first pixel.
    side : int
        Pixels a side of the crop that is returned.
    size, enlarged
        See `ObjectCrop` and above.

    Examples
    --------
    >>> image = np.zeros((40, 50, 3), np.uint8)
    >>> crop = crop_object(image, np.ones((10, 20), bool), (5, 30), 48)
    >>> crop.rgb.shape, crop.mask.mean().round(2)
    ((48, 48, 3), np.float64(0.22))
    """
    (height, width), whole = patch.shape, max(1, round(enlarged * max(patch.shape)))
    top = corner[0] + (height - whole) // 2
    left = corner[1] + (width - whole) // 2
    # Only what lies inside the picture; the rest stays black.
    rows = np.clip([top, top + whole], 0, rgb.shape[0])
    columns = np.clip([left, left + whole], 0, rgb.shape[1])
    shown = np.zeros((whole, whole, 3), np.uint8)
    inside = np.s_[rows[0] - top : rows[1] - top, columns[0] - left : columns[1] - left]
    shown[inside] = rgb[rows[0] : rows[1], columns[0] : columns[1]]
    mask = np.zeros((whole, whole), np.uint8)
    mask[corner[0] - top :, corner[1] - left :][:height, :width] = patch
    resized = Image.fromarray(shown).resize((side, side), Image.Resampling.BILINEAR)
    covered = Image.fromarray(255 * mask).resize((side, side), Image.Resampling.BILINEAR)
    found = np.asarray(covered) > 127
    if not found.any():  # thinner than a pixel of the crop
        found = np.asarray(covered) == np.asarray(covered).max()
    return ObjectCrop(np.asarray(resized), found, size)


def relative_sizes(areas: ArrayLike) -> NDArray[np.float64]:
    """Return each object's diameter relative to the median.

    Examples
    --------
    >>> relative_sizes([100, 100, 400])
    array([1., 1., 2.])
    """
    diameters: NDArray[np.float64] = np.sqrt(np.asarray(areas, float))
    return diameters / (np.median(diameters) if len(diameters) else 1)
