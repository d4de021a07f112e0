"""Pictures of made-up cells with exact labels, for looks that the labelled data lack."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_sam.training.samples import Picture, make_picture
from napari_sam.training.shapes import scattered, smooth_field, tissue

__all__ = ["synthetic_picture"]

SMALLEST, LARGEST = 12, 120  # diameter in pixels


def synthetic_picture(rng: np.random.Generator, size: int = 384) -> Picture:
    """Draw a picture of cells of one kind: shapes, light, background and camera are drawn by lot.

    Parameters
    ----------
    rng : numpy.random.Generator
    size : int
        Side of the picture.
    """
    diameter = float(np.exp(rng.uniform(np.log(SMALLEST), np.log(min(LARGEST, size / 3)))))
    walled = rng.random() < 0.25
    labels = (tissue if walled else scattered)((size, size), diameter, rng)
    looks = (_walls, _rings) if walled else (_filled, _filled, _rings, _phase)
    light = looks[rng.integers(len(looks))](labels, diameter, rng)
    grey = _photograph(light, diameter, rng)
    return make_picture("synthetic", "synthetic", _coloured(grey, rng), labels)


def _filled(
    labels: NDArray[np.int32], diameter: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Draw cells brighter in the middle, each with a brightness of its own, and grainy."""
    dome = 1 - np.exp(-_depth(labels) / (diameter * rng.uniform(0.02, 0.25)))
    grain = 1 - rng.uniform(0, 0.7) * smooth_field(
        labels.shape, diameter * rng.uniform(0.1, 0.3), rng
    )
    return _own_brightness(labels, rng) * dome * grain


def _rings(
    labels: NDArray[np.int32], diameter: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Draw a rim within each outline and leave the inside darker."""
    thick = max(1.5, diameter * rng.uniform(0.05, 0.2))
    rim = np.exp(-((_depth(labels) / thick - 0.7) ** 2) * 2)
    inside = rng.uniform(0, 0.3)
    return _own_brightness(labels, rng) * np.maximum(rim, inside)


def _walls(
    labels: NDArray[np.int32], diameter: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Draw the walls between cells, brighter here than there."""
    thick = max(1.0, diameter * rng.uniform(0.02, 0.08))
    wall = np.exp(-((_depth(labels) - 1).clip(0) / thick) * (labels > 0)) * (_depth(labels) > 0)
    return wall * (0.5 + 0.5 * smooth_field(labels.shape, diameter, rng)).astype(np.float32)


def _phase(
    labels: NDArray[np.int32], diameter: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Draw dark or clear cells with a bright halo, as phase contrast does."""
    cells = (_depth(labels) > 1).astype(np.float32)
    halo = np.float32(max(1.5, diameter * rng.uniform(0.04, 0.15)))
    edges = ndimage.gaussian_filter(cells, halo / 2) - ndimage.gaussian_filter(cells, 2 * halo)
    inside = rng.uniform(-0.3, 0.3) * _own_brightness(labels, rng)
    return 0.5 - edges + inside


def _depth(labels: NDArray[np.int32]) -> NDArray[np.float32]:
    """Return each pixel's distance to the outline of its own cell; 0 outside."""
    edge = labels == 0
    for axis in (0, 1):
        step = np.diff(labels, axis=axis) != 0
        low, high = (np.s_[:-1], np.s_[1:]) if axis == 0 else (np.s_[:, :-1], np.s_[:, 1:])
        edge[low] |= step
        edge[high] |= step
    depth = ndimage.distance_transform_edt(~edge).astype(np.float32) + 1
    return depth * (labels > 0)


def _own_brightness(labels: NDArray[np.int32], rng: np.random.Generator) -> NDArray[np.float32]:
    dimmest = rng.uniform(0.2, 0.9)
    brightness = rng.uniform(dimmest, 1, labels.max() + 1).astype(np.float32)
    brightness[0] = 0
    return brightness[labels]


def _photograph(
    light: NDArray[np.float32], diameter: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Add a background, uneven light, the lens and the camera: (H, W) from 0 to 1."""
    ground = smooth_field(light.shape, diameter * rng.uniform(0.15, 3), rng)
    x = light + rng.uniform(0, 0.35) * ground + rng.uniform(0, 0.3)
    x = ndimage.gaussian_filter(x, rng.uniform(0.4, max(0.6, min(2.5, diameter / 15))))
    if rng.random() < 0.5:
        x = x * (1 - rng.uniform(0, 0.6) * smooth_field(light.shape, max(light.shape), rng))
    x = x + rng.uniform(0.005, 0.1) * rng.standard_normal(x.shape, dtype=np.float32)
    low, high = np.percentile(x[::2, ::2], (0.1, 99.9))
    x = ((x - low) / (high - low)).clip(0, 1).astype(np.float32)
    return 1 - x if rng.random() < 0.35 else x


def _coloured(grey: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Show the light in grey, or now and then between two colours as a stain does."""
    dark, bright = np.zeros(3), np.ones(3)
    if rng.random() < 0.25:
        dark, bright = rng.uniform(0, 0.6, 3), rng.uniform(0.4, 1, 3)
    ramp = dark + (bright - dark) * np.linspace(0, 1, 256)[:, None]
    return (ramp * 255).round().astype(np.uint8)[(grey * 255).astype(np.uint8)]
