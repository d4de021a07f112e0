"""Seed points, from maxima of an image or from existing labels. No model here.

Objects are taken to be what lies on the smaller side of Otsu's threshold, bright or dark.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.feature import peak_local_max
from skimage.filters import threshold_otsu

from napari_sam.arrays import Array, Labels, plain
from napari_sam.errors import InputError
from napari_sam.inference.masks import depth
from napari_sam.masks import cropped_masks

__all__ = ["deepest_points", "distance_peaks", "maxima", "object_size"]

BLUR = 2.0  # pixels, against noise, where the size of the objects is yet to be found
MIN_SIZE = 6.0  # pixels wide; from here on down, noise looks like objects
MIN_DISTANCE = 0.35  # of an object's width: closer peaks are one
MIN_SIGNAL = 3.0  # standard deviations that a maximum must rise above
MIN_CONTRAST = (
    0.1  # of the brightest objects' contrast, which is enough in a picture without background
)


def object_size(image: Array) -> float:
    """Estimate the typical width of the objects in an image, in pixels.

    It is twice the median depth of what Otsu's threshold takes for objects, so the width of long
    ones, not their length.

    Parameters
    ----------
    image : (H, W) or (H, W, C) array
        The picture; of more than three channels the first three count.

    Examples
    --------
    >>> squares = np.zeros((60, 60))
    >>> squares[10:21, 10:21] = squares[35:46, 30:41] = 1
    >>> 11 <= object_size(squares) <= 14
    True
    """
    inside = depth(_foreground(ndimage.gaussian_filter(_objects_bright(image), BLUR)))
    peaks = _peaks(ndimage.gaussian_filter(inside, 1), 3, BLUR)
    if len(peaks) == 0:
        return MIN_SIZE
    size = 2 * float(np.median(inside[tuple(peaks.astype(int).T)]))
    return max(MIN_SIZE, min(size, min(inside.shape) / 2))


def maxima(image: Array, size: float | None = None) -> NDArray[np.float64]:
    """Return the local maxima of a difference of Gaussians at the scale of the objects.

    Where the objects are dark, the local minima.

    Parameters
    ----------
    image : (H, W) or (H, W, C) array
        The picture; of more than three channels the first three count.
    size : float, optional
        How many pixels wide the objects are; `object_size` where it is left out.

    Returns
    -------
    (N, 2) float
        Row and column, the strongest first.

    Raises
    ------
    InputError
        If this is no picture or no size.

    Examples
    --------
    >>> spots = np.zeros((40, 40))
    >>> spots[10, 12], spots[30, 25] = 3, 5
    >>> maxima(spots, 8).tolist()
    [[30.0, 25.0], [10.0, 12.0]]
    >>> maxima(9 - spots, 8).tolist()
    [[30.0, 25.0], [10.0, 12.0]]
    """
    size = _checked(size, image)
    grey = _objects_bright(image)
    contrast = ndimage.gaussian_filter(grey, size / 4) - ndimage.gaussian_filter(grey, size / 2)
    spread = 1.4826 * np.median(np.abs(contrast - np.median(contrast)))
    min_value = min(MIN_SIGNAL * spread, MIN_CONTRAST * np.percentile(contrast, 99.5))
    return _peaks(contrast, MIN_DISTANCE * size, float(max(min_value, 1e-6 * np.ptp(grey))))


def distance_peaks(image: Array, size: float | None = None) -> NDArray[np.float64]:
    """Return the peaks of the distance transform of Otsu's foreground, the deepest first.

    Parameters, exceptions: see `maxima`.

    Examples
    --------
    >>> picture = np.zeros((40, 40))
    >>> picture[5:16, 5:16] = picture[20:35, 20:35] = 1
    >>> distance_peaks(picture, 10).tolist()
    [[27.0, 27.0], [10.0, 10.0]]
    """
    size = _checked(size, image)
    blurred = ndimage.gaussian_filter(_objects_bright(image), max(1.0, size / 16))
    inside = depth(_foreground(blurred))
    return _peaks(ndimage.gaussian_filter(inside, max(0.5, size / 16)), MIN_DISTANCE * size, 1.0)


def deepest_points(labels: Labels) -> NDArray[np.float64]:
    """Return the deepest interior point of each object, in the order of ids.

    Parameters
    ----------
    labels : (H, W) int
        Zero is background.

    Returns
    -------
    (N, 2) float
        Row and column.

    Raises
    ------
    InputError
        If these are no labels of a plane.

    Examples
    --------
    >>> labels = np.zeros((5, 9), int)
    >>> labels[:, 4:] = 2
    >>> labels[1:4, 0:3] = 7
    >>> deepest_points(labels).tolist()
    [[2.0, 6.0], [2.0, 1.0]]
    """
    labels = plain(labels, "the labels")
    if labels.ndim != 2 or labels.dtype.kind not in "iu":
        raise InputError(
            f"labels must be whole numbers of shape (H, W); got {labels.dtype} {labels.shape}"
        )
    found = []
    for mask in cropped_masks(labels).values():
        inside = depth(mask.crop())
        found.append(np.add(mask.corner, np.unravel_index(inside.argmax(), inside.shape)))
    return np.array(found, float).reshape(-1, 2)


def _checked(size: float | None, image: Array) -> float:
    size = object_size(image) if size is None else size
    if not 1 <= size < np.inf:
        raise InputError(f"objects must be at least a pixel wide; got {size}")
    return size


def _objects_bright(image: Array) -> NDArray[np.float32]:
    """Return a picture in grey in which objects are bright; values that are not finite are not."""
    grey = np.asarray(image, np.float32)
    if grey.ndim not in (2, 3) or grey.size == 0:
        raise InputError(f"a picture must have shape (H, W) or (H, W, C); got {grey.shape}")
    grey = grey if grey.ndim == 2 else grey[..., :3].mean(axis=2)
    finite = np.isfinite(grey)
    if not finite.all():
        grey = np.where(finite, grey, np.median(grey[finite]) if finite.any() else 0)
    bright = _foreground(ndimage.gaussian_filter(grey, 1)).mean() <= 0.5
    return np.asarray(grey if bright else -grey)


def _foreground(grey: NDArray[np.float32]) -> NDArray[np.bool_]:
    if grey.min() == grey.max():
        return np.zeros(grey.shape, bool)
    return np.asarray(grey > threshold_otsu(grey))


def _peaks(values: Array, min_distance: float, min_value: float) -> NDArray[np.float64]:
    peaks = peak_local_max(
        values,
        min_distance=max(1, round(min_distance)),
        threshold_abs=min_value,
        exclude_border=False,
    )
    return np.asarray(peaks, float).reshape(-1, 2)
