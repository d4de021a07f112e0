"""Synthetic images of cells: label maps of simple shapes under light, background and camera."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from napari_sam.data.samples import LabelledImage, labelled_image
from napari_sam.training.instances.head import label_edges

__all__ = ["scattered", "smooth_field", "synthetic_image", "tissue"]

MOST = 250  # shapes tried
SMALLEST, LARGEST = 12, 120  # diameter in pixels


def scattered(
    shape: tuple[int, int], diameter: float, rng: np.random.Generator
) -> NDArray[np.int32]:
    """Scatter ellipses, rods or blobs, alone and in touching clumps.

    Parameters
    ----------
    shape : (H, W)
    diameter : float
        Typical diameter in pixels; the largest is at most twice the smallest.
    """
    labels = np.zeros(shape, np.int32)
    form = (_ellipse, _rod, _blob)[rng.integers(3)]
    clumped = rng.uniform(0, 0.9)
    wanted = rng.uniform(0.15, 0.7) * labels.size / diameter**2
    centres: list[NDArray[np.float64]] = []
    for _ in range(int(np.clip(wanted, 3, MOST))):
        size = diameter * 2 ** rng.uniform(-0.5, 0.5)
        centre = rng.uniform(0, 1, 2) * shape
        if centres and rng.random() < clumped:
            away = rng.uniform(0, 2 * np.pi)
            centre = centres[rng.integers(len(centres))]
            centre = centre + 0.9 * size * np.array([np.sin(away), np.cos(away)])
            if (centre < 0).any() or (centre >= shape).any():
                continue
        top, left = (centre - 1.6 * size).astype(int).clip(0)
        here = labels[top : int(centre[0] + 1.6 * size), left : int(centre[1] + 1.6 * size)]
        y, x = np.ogrid[: here.shape[0], : here.shape[1]]
        y, x = y + top - centre[0], x + left - centre[1]
        turn = rng.uniform(0, 2 * np.pi)
        mask = form(
            (y * np.cos(turn) - x * np.sin(turn)) / size,
            (y * np.sin(turn) + x * np.cos(turn)) / size,
            rng,
        )
        free = mask & (here == 0)
        if np.count_nonzero(free) > max(30, 0.8 * np.count_nonzero(mask)):
            centres.append(centre)
            here[free] = len(centres)
    return labels


def tissue(shape: tuple[int, int], diameter: float, rng: np.random.Generator) -> NDArray[np.int32]:
    """Fill the plane with cells that share wavy walls; some cells may be missing.

    Parameters
    ----------
    shape : (H, W)
    diameter : float
        Typical diameter in pixels.
    """
    rows, columns = np.meshgrid(
        *(np.arange(-diameter / 2, n + diameter, diameter) for n in shape), indexing="ij"
    )
    seeds = np.stack([rows, columns], axis=-1).reshape(-1, 2)
    seeds = (seeds + rng.uniform(-0.45, 0.45, seeds.shape) * diameter).astype(int)
    seeds = seeds[(seeds >= 0).all(axis=1) & (seeds < shape).all(axis=1)]
    empty = np.ones(shape, bool)
    empty[tuple(seeds.T)] = False
    nearest = ndimage.distance_transform_edt(empty, return_distances=False, return_indices=True)
    numbers = np.zeros(shape, np.int32)
    numbers[tuple(seeds.T)] = np.arange(1, len(seeds) + 1)
    missing = rng.random(len(seeds) + 1) < rng.choice([0, 0, 0.1, 0.3])
    numbers[missing[numbers]] = 0
    labels = numbers[tuple(nearest)]
    waves = 0.25 * diameter * rng.uniform(0, 1)
    y, x = (
        (place + waves * (2 * smooth_field(shape, diameter / 2, rng) - 1)).round().astype(int)
        for place in np.indices(shape)
    )
    return labels[y.clip(0, shape[0] - 1), x.clip(0, shape[1] - 1)]


def smooth_field(
    shape: tuple[int, int], wavelength: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return smooth noise between about 0 and 1 with features of a size: (H, W) float32."""
    coarse = rng.random([max(2, round(n / wavelength) + 1) for n in shape], dtype=np.float32)
    image = Image.fromarray(coarse).resize(shape[::-1], Image.Resampling.BICUBIC)
    return np.asarray(image)


def _ellipse(
    y: NDArray[np.float64], x: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.bool_]:
    aspect = rng.uniform(1, 1.5) ** 0.5
    return (2 * y * aspect) ** 2 + (2 * x / aspect) ** 2 < 1


def _rod(
    y: NDArray[np.float64], x: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.bool_]:
    length, bend = rng.uniform(0.4, 0.9), rng.uniform(-0.3, 0.3)
    beyond = np.maximum(np.abs(x) - length, 0)  # of the straight part
    return beyond**2 + (y - bend * x**2) ** 2 < 0.22**2


def _blob(
    y: NDArray[np.float64], x: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.bool_]:
    angle = np.arctan2(y, x)
    radius = np.full(angle.shape, 0.5)
    for k in range(2, 6):
        radius += rng.uniform(0, 0.22 / k) * np.cos(k * angle + rng.uniform(0, 2 * np.pi))
    return y**2 + x**2 < radius**2


def synthetic_image(rng: np.random.Generator, size: int = 384) -> LabelledImage:
    """Return a random synthetic image of cells of one kind, with its labels.

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
    return labelled_image("synthetic", "synthetic", _coloured(grey, rng), labels)


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
    edge = (labels == 0) | label_edges(labels)
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
