"""The same picture under another microscope: light, contrast, colours, sharpness, noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

__all__ = ["relit", "vary"]


def vary(rgb: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Change (H, W, 3) uint8 as microscopes and cameras do, by chance a little or a lot."""
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


def relit(rgb: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Change brightness and noise a little: not so much that words for them become untrue."""
    noise = rng.normal(0, rng.uniform(0, 6), rgb.shape)
    lit = np.clip(rgb * rng.uniform(0.9, 1.1) + noise, 0, 255).astype(np.uint8)
    lit[rgb.max(axis=2) == 0] = 0  # what was cut away, or never there, stays so
    return lit
