"""Label maps of simple shapes: what cells look like before anyone takes a picture of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

__all__ = ["scattered", "smooth_field", "tissue"]

MOST = 250  # shapes tried


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
