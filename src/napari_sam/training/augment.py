"""Augmentation: random crops of labelled images, scaled, rotated and varied in intensity."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from napari_sam.data.samples import LabelledImage
from napari_sam.inference.image import fit_shape, resize

__all__ = ["TrainingCrop", "random_crop", "turn_and_flip", "vary_intensities", "whole_view"]

SMALLEST_SEEN = 14  # diameter in model pixels; the largest is 0.55 of the frame
Light = Callable[[NDArray[np.uint8], np.random.Generator], NDArray[np.uint8]]
T = TypeVar("T", bound=np.generic)
COLOURED = 20  # spread of a pixel's three values from which a picture is more than grey
TURNED = 1 / 3  # of the crops, by any angle; all by right angles


@dataclass(frozen=True, eq=False)
class TrainingCrop:
    """Training crop: an augmented square crop of a labelled image.

    Parameters
    ----------
    rgb : (S, S, 3) uint8
    labels : (S, S) int32
        With the picture's own numbers.
    valid : (S, S) bool
        False where the picture does not reach.
    partial : bool
        Whether pixels without a label are unknown.
    """

    rgb: NDArray[np.uint8]
    labels: NDArray[np.int32]
    valid: NDArray[np.bool_]
    partial: bool = False


def random_crop(
    image: LabelledImage,
    size: int,
    rng: np.random.Generator,
    vary: Light | None = None,
) -> TrainingCrop:
    """Return a crop around a random object, at a random scale and orientation.

    The object is chosen first, then the diameter at which it is seen (log-uniform), so that small
    and large cells of all data sets are seen at all sizes.

    Parameters
    ----------
    image : LabelledImage
        With at least one object.
    size : int
        Side of the crop.
    vary : callable, optional
        Varies the intensities; None does as `vary_intensities`.
    """
    shape = np.array(image.labels.shape)
    k = rng.integers(len(image.ids))
    diameter = np.exp(rng.uniform(np.log(SMALLEST_SEEN), np.log(0.55 * size)))
    # at least the scale at which the picture fills the crop, as small pictures do in use
    least = max(0.3, size / shape.max())
    scale = max(least, min(5.0, diameter / image.diameters[k]))
    stretch = np.exp(rng.uniform(-0.15, 0.15))
    scales = np.array([scale * stretch, scale / stretch])
    side = size / scales  # of the crop, in picture pixels
    centre = image.centres[k] + rng.uniform(-0.35, 0.35, 2) * side
    angle = rng.uniform(-np.pi / 4, np.pi / 4) if rng.random() < TURNED else 0.0
    wide = abs(np.cos(angle)) + abs(np.sin(angle)) + 4 / size  # box around the turned crop
    if angle and (wide * side <= shape).all():
        side = wide * side
    else:  # the picture would not reach into the corners
        angle = 0.0
    top, left = np.clip(centre - side / 2, 0, np.maximum(shape - side, 0)).astype(int)
    height, width = np.ceil(side).astype(int)
    region = np.s_[top : top + height, left : left + width]
    labels = image.labels[region]
    fitted = (
        max(1, round(labels.shape[0] * scales[0])),
        max(1, round(labels.shape[1] * scales[1])),
    )
    rgb = resize(np.ascontiguousarray(image.rgb[region]), fitted)
    labels = _nearest(labels, fitted)
    if angle:
        rgb, labels = _turned(rgb, size, angle), _turned(labels, size, angle)
    return _crop(
        rgb[:size, :size], labels[:size, :size], size, image.partial, rng, vary or vary_intensities
    )


def whole_view(image: LabelledImage, frame: int, rng: np.random.Generator) -> TrainingCrop:
    """Return a whole image at SAM's scale: its longer side fills 75 to 100 % of the frame.

    It is padded at the right and bottom.
    """
    height, width = image.labels.shape
    fitted = fit_shape((height, width), round(frame * rng.uniform(0.75, 1)))
    rgb, labels = resize(image.rgb, fitted), _nearest(image.labels, fitted)
    return _crop(rgb, labels, frame, image.partial, rng, vary_intensities)


def _crop(
    rgb: NDArray[np.uint8],
    labels: NDArray[np.int32],
    size: int,
    partial: bool,
    rng: np.random.Generator,
    vary: Light,
) -> TrainingCrop:
    """Vary the intensities, turn and flip, and pad at the right and bottom as in use."""
    rgb = vary(rgb, rng)
    rgb, labels = turn_and_flip(rng, rgb, labels)
    rows, columns = labels.shape
    missing = ((0, size - rows), (0, size - columns))
    valid = np.pad(np.ones((rows, columns), bool), missing)
    return TrainingCrop(np.pad(rgb, (*missing, (0, 0))), np.pad(labels, missing), valid, partial)


def turn_and_flip(
    rng: np.random.Generator, rgb: NDArray[np.uint8], labels: NDArray[T]
) -> tuple[NDArray[np.uint8], NDArray[T]]:
    """Apply one of the eight symmetries of the square to both arrays."""
    turns, flip = int(rng.integers(4)), 1 - 2 * int(rng.integers(2))
    return np.rot90(rgb, turns)[:, ::flip], np.rot90(labels, turns)[:, ::flip]


def _turned(array: NDArray[T], size: int, angle: float) -> NDArray[T]:
    """Turn about the middle and keep the middle (size, size)."""
    height, width = array.shape[:2]
    cos, sin = np.cos(angle), np.sin(angle)
    # Pillow asks where each new (x, y) comes from: the middle from the middle.
    x = width / 2 - (cos - sin) * size / 2
    y = height / 2 - (sin + cos) * size / 2
    how = Image.Resampling.BILINEAR if array.ndim == 3 else Image.Resampling.NEAREST
    origin = (cos, -sin, x, sin, cos, y)
    image = Image.fromarray(array).transform((size, size), Image.Transform.AFFINE, origin, how)
    return np.asarray(image)


def _nearest(labels: NDArray[np.int32], shape: tuple[int, int]) -> NDArray[np.int32]:
    image = Image.fromarray(np.ascontiguousarray(labels))
    return np.asarray(image.resize(shape[::-1], Image.Resampling.NEAREST))


def vary_intensities(rgb: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Vary the intensities of (H, W, 3) uint8 as microscopes and cameras do, at random."""
    if rng.random() < 0.4 and np.ptp(rgb[::8, ::8], axis=2).max() > COLOURED:
        rgb = _stained(rgb, rng)
    rgb = _curve(rng)[rgb]
    if rng.random() < 0.2:
        rgb = rgb[..., rng.permutation(3)]
    if rng.random() < 0.15:
        rgb = np.repeat(rgb.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2)
    if rng.random() < 0.2:
        blur = ImageFilter.GaussianBlur(rng.uniform(0.3, 1.5))
        rgb = np.asarray(Image.fromarray(np.ascontiguousarray(rgb)).filter(blur))
    uneven, noisy = rng.random() < 0.2, rng.random() < 0.35
    if not (uneven or noisy):
        return rgb
    x: NDArray[np.floating] = rgb.astype(np.float32) / 255
    x = _light(x, rng) if uneven else x
    x = _noise(x, rng) if noisy else x
    return (np.clip(x, 0, 1) * 255 + 0.5).astype(np.uint8)


def _stained(rgb: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Change the stains: mix and weigh what absorbs, in optical density."""
    density = np.log(256 / (rgb.astype(np.float32) + 1))
    mixture = np.eye(3) + rng.normal(0, 0.12, (3, 3))
    strength = np.exp(rng.uniform(-0.5, 0.5))
    changed = 256 * np.exp(-strength * density @ mixture.astype(np.float32)) - 1
    return np.clip(changed + 0.5, 0, 255).astype(np.uint8)


def _curve(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return what each of the 256 values becomes: gamma, contrast, inversion."""
    x: NDArray[np.floating] = np.linspace(0, 1, 256)
    if rng.random() < 0.5:
        x = x ** np.exp(rng.uniform(-0.6, 0.6))
    if rng.random() < 0.5:
        low, high = rng.uniform(-0.1, 0.25), rng.uniform(0.6, 1.1)
        x = low + x * (high - low)
    if rng.random() < 0.25:
        x = 1 - x
    return (np.clip(x, 0, 1) * 255 + 0.5).astype(np.uint8)


def _light(x: NDArray[np.floating], rng: np.random.Generator) -> NDArray[np.floating]:
    """Light a picture unevenly, or lay a haze over it."""
    coarse = rng.random((3, 3), dtype=np.float32)
    size = (x.shape[1], x.shape[0])
    field = np.asarray(Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC))[..., None]
    strength = np.float32(rng.uniform(0.2, 0.7))
    return x * (1.15 - strength * field) if rng.random() < 0.7 else x + 0.6 * strength * field


def _noise(x: NDArray[np.floating], rng: np.random.Generator) -> NDArray[np.floating]:
    """Add read noise, and shot noise in the normal limit of Poisson's."""
    normal = rng.standard_normal((*x.shape[:2], 1), dtype=np.float32)
    read = np.float32(rng.uniform(0.005, 0.06))
    shot = np.float32(rng.uniform(0, 0.1)) if rng.random() < 0.5 else np.float32(0)
    return x + normal * np.sqrt(read**2 + shot**2 * np.maximum(x, 0))
