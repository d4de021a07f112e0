"""Guess of the kind of picture (the preset of the automatic mode) from its pixels alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.filters import threshold_otsu

from napari_sam.arrays import Array, plain
from napari_sam.errors import InputError

__all__ = ["GENERAL", "SIDE", "guess_kind"]

GENERAL = "cells"  # the preset that changes no default
SIDE = 512  # pixels of the middle of a picture, which are looked at
ENDS = 0.5, 99.5  # percentiles, against dead and hot pixels
BLUR = 2.0  # pixels, against noise


def guess_kind(image: Array) -> str:
    """Return the preset that fits a picture, `GENERAL` where nothing speaks for another one.

    Colours on a bright ground are stained tissue; separate bright objects on a ground that is dark
    down to zero are nuclei; greys spread over the whole range, with fine texture everywhere, are an
    electron micrograph. Anything else, such as phase contrast, is left to the general preset.

    Parameters
    ----------
    image : (H, W) or (H, W, 3 or 4) array
        The picture, of which the middle counts.

    Raises
    ------
    InputError
        If this is no picture.

    Examples
    --------
    >>> dark = np.zeros((64, 64))
    >>> dark[10:20, 10:20] = dark[40:50, 30:40] = 200
    >>> guess_kind(dark)
    'nuclei'
    >>> guess_kind(dark + 900)
    'cells'
    """
    array = plain(image, "the picture")
    if array.size == 0 or not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))):
        raise InputError(
            f"a picture must have shape (H, W), (H, W, 3) or (H, W, 4); got {array.shape}"
        )
    middle = _middle(array)[..., :3].astype(np.float64) if array.ndim == 3 else _middle(array)
    if middle.ndim == 3 and _stained(middle):
        return "tissue"
    grey = middle.mean(axis=2) if middle.ndim == 3 else middle.astype(np.float64)
    greys = _Greys.of(grey)
    if greys is None:
        return GENERAL
    if greys.is_dark and greys.is_apart:
        return "nuclei"
    return "electron" if greys.is_micrograph else GENERAL


@dataclass(frozen=True)
class _Greys:
    """Greys of a picture between its darkest and its brightest, as 0 to 1."""

    values: NDArray[np.float64]
    floor: float  # the darkest as a share of the brightest

    @classmethod
    def of(cls, grey: NDArray[np.float64]) -> Self | None:
        """Return them; None for a picture of one grey."""
        finite = np.isfinite(grey)
        if not finite.any():
            return None
        with np.errstate(over="ignore", invalid="ignore"):  # of numbers beyond all use
            low, high = np.percentile(grey[finite], ENDS)
            if not low < high:
                low, high = grey[finite].min(), grey[finite].max()
            if not 0 < high - low < np.inf:
                return None
        values = np.clip((np.where(finite, grey, low) - low) / (high - low), 0, 1)
        return cls(values, float(max(low, 0) / high) if high > 0 else 1.0)

    @property
    def is_dark(self) -> bool:
        """True where most of the picture is a ground without light."""
        return self.floor < 0.15 and float(np.median(self.values)) < 0.25

    @property
    def is_apart(self) -> bool:
        """True where what is bright are separate objects, no net of membranes and no halos."""
        blurred = ndimage.gaussian_filter(self.values, BLUR)
        bright = blurred > threshold_otsu(blurred)
        parts, _ = ndimage.label(bright)
        sizes = np.bincount(parts.ravel())[1:]
        apart = len(sizes) > 1 and sizes.max() < 0.6 * sizes.sum()
        return bool(apart) and not _darker_beside(blurred, bright)

    @property
    def is_micrograph(self) -> bool:
        """True where the greys fill the range and fine texture lies over all of it."""
        low, middle, high = np.percentile(self.values, (25, 50, 75))
        spread = float(self.values.std())
        fine = float(np.std(self.values - ndimage.gaussian_filter(self.values, 1)))
        wide = high - low >= 0.36 and low >= 0.12 and 0.3 < middle < 0.75
        return bool(wide and spread >= 0.23 and fine >= 0.09 * spread)


def _darker_beside(values: NDArray[np.float64], bright: NDArray[np.bool_]) -> bool:
    """Return whether the picture is darker beside what is bright than far away: halos of phase."""
    away = ndimage.distance_transform_edt(~bright)
    beside, far = values[(away > 3) & (away <= 12)], values[away > 20]
    if not beside.size or not far.size:
        return False
    ground, light = float(np.median(far)), float(np.median(values[bright]))
    return ground - float(np.percentile(beside, 10)) > 0.04 * (light - ground)


def _middle(image: Array) -> Array:
    top, left = (max(0, (size - SIDE) // 2) for size in image.shape[:2])
    return image[top : top + SIDE, left : left + SIDE]


def _stained(colours: NDArray[np.float64]) -> bool:
    """Return whether there are colours on a bright ground, as in a stained section."""
    high = float(np.nanpercentile(colours, ENDS[1]))
    spread = float(np.nanmean(colours.max(axis=2) - colours.min(axis=2)))
    bright = float(np.nanmedian(colours.max(axis=2)))
    return high > 0 and spread > 0.05 * high and bright > 0.55 * high
