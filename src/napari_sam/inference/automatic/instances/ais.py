"""Instances from the maps of micro-sam's instance decoder, as its AIS has it (Archit et al. 2025).

Maps on the decoder's grid go back to the picture's with `to_picture`; `segment_maps` makes labels
of them, by a watershed from where both distances are small, and `label_instances` rates these.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.segmentation import relabel_sequential, watershed
from torch import Tensor
from torch.nn import functional as F

from napari_sam.inference.automatic.settings import InstanceSettings
from napari_sam.masks import CroppedMask

if TYPE_CHECKING:
    from napari_sam.inference.object_maps import LevelMaps

__all__ = ["label_instances", "segment_maps", "to_picture"]

Map = NDArray[np.float32]


def to_picture(
    found: Tensor, frame: int, inside: tuple[int, int], shape: tuple[int, int]
) -> Tensor:
    """Return maps of a padded frame as maps of the picture, resized bilinearly.

    Parameters
    ----------
    found : (B, h, w) float Tensor
        Of the whole frame, after the sigmoid.
    frame : int
        Side of the model's frame in model pixels.
    inside : (int, int)
        Height and width of the picture in the frame, in model pixels: what is not padding.
    shape : (int, int)
        Height and width of the picture.

    Returns
    -------
    (B, H, W) float Tensor

    Examples
    --------
    >>> import torch
    >>> to_picture(torch.ones(1, 64, 64), 1024, (768, 1024), (48, 64)).shape
    torch.Size([1, 48, 64])
    """
    # Both steps, one after the other, as micro-sam takes them.
    whole = _resize(found[:, None], (frame, frame))
    return _resize(whole[..., : inside[0], : inside[1]], shape)[:, 0]


def _resize(maps: Tensor, shape: tuple[int, int]) -> Tensor:
    return maps if maps.shape[-2:] == shape else F.interpolate(maps, shape, mode="bilinear")


def segment_maps(
    foreground: Map,
    centre: Map,
    boundary: Map,
    *,
    centre_threshold: float = 0.5,
    boundary_threshold: float = 0.5,
    foreground_threshold: float = 0.5,
    foreground_smoothing: float = 1.0,
    distance_smoothing: float = 1.6,
    min_size: int = 0,
) -> NDArray[np.int32]:
    """Return the instances of a picture by a seeded watershed on its maps.

    Parameters
    ----------
    foreground, centre, boundary : (H, W) float ndarray
        As `InstanceMaps` has them: 1 in objects; 0 at the centre, 1 farthest from it and outside;
        0 at the deepest point, 1 at the rim and outside.
    centre_threshold, boundary_threshold : float
        A seed is a connected area (corners count) below both, within the foreground.
    foreground_threshold : float
        Objects are above it.
    foreground_smoothing, distance_smoothing : float
        Standard deviations of the Gaussians before that, in pixels; 0 for none.
    min_size : int
        Fewest pixels of an object; what is smaller goes, and the rest is numbered anew.

    Returns
    -------
    (H, W) int32
        Labels from 1; 0 outside, and in foreground that no seed reaches.

    Examples
    --------
    >>> rows, columns = np.indices((9, 20))
    >>> near = np.minimum(np.hypot(rows - 4, columns - 4), np.hypot(rows - 4, columns - 14)) / 4
    >>> distance = np.minimum(near, 1).astype(np.float32)
    >>> labels = segment_maps((near < 1).astype(np.float32), distance, distance)
    >>> labels[4, [4, 9, 14]].tolist()
    [1, 0, 2]
    """
    mask = _smooth(foreground, foreground_smoothing) > foreground_threshold
    centre, boundary = (_smooth(one, distance_smoothing) for one in (centre, boundary))
    seeds = (centre < centre_threshold) & (boundary < boundary_threshold) & mask
    markers, _ = ndimage.label(seeds, np.ones((3, 3)))
    labels = watershed(boundary, markers, mask=mask, connectivity=1).astype(np.int32)
    if min_size > 0:
        labels[(np.bincount(labels.ravel()) < min_size)[labels]] = 0
        labels = relabel_sequential(labels)[0]
    return labels


def label_instances(
    maps: LevelMaps, settings: InstanceSettings
) -> Iterator[tuple[CroppedMask, float, tuple[float, float]]]:
    """Yield mask, quality and deepest place (row, column) of each label of `segment_maps`.

    The quality is the mean probability of foreground within the mask. With the default `split`
    both distances have micro-sam's own threshold, 0.5.
    """
    assert maps.centre is not None
    height = np.interp(settings.split, (0, InstanceSettings.split, 1), (0, 0.5, 1))
    labels = segment_maps(
        maps.foreground,
        maps.centre,
        maps.boundary,
        centre_threshold=1 - height,
        boundary_threshold=1 - height,
        foreground_threshold=settings.foreground,
        min_size=math.ceil(settings.smallest),
    )
    for number, box in enumerate(ndimage.find_objects(labels), 1):
        if box is None:
            continue
        inside = labels[box] == number
        quality = float(maps.foreground[box][inside].mean())
        corner = box[0].start, box[1].start
        mask = CroppedMask.of(inside, corner, maps.shape)
        if mask is not None and quality >= settings.quality:
            depth = np.where(inside, maps.boundary[box], np.inf)
            row, column = np.unravel_index(int(depth.argmin()), depth.shape)
            yield mask, quality, (float(corner[0] + row), float(corner[1] + column))


def _smooth(values: Map, sigma: float) -> Map:
    """Return the map after a Gaussian that is cut off and mirrored as bioimage-cpp does."""
    if sigma == 0:
        return values
    return ndimage.gaussian_filter(
        values.astype(np.float32, copy=False), sigma, mode="mirror", truncate=3
    )
