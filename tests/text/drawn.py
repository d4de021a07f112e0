"""A drawn picture of two kinds of nuclei: bright ones on the left, dim ones on the right."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

SHAPE = 88, 192
PLACES = [(row, column) for row in (24, 64) for column in (24, 66, 126, 168)]


def is_bright(column):
    return column < SHAPE[1] // 2


def nuclei():
    rows, columns = np.indices(SHAPE)
    noise = np.random.default_rng(0)
    plane = np.full(SHAPE, 4.0)
    for row, column in PLACES:
        inside = ((rows - row) / 12) ** 2 + ((columns - column) / 11) ** 2 < 1
        plane[inside] = noise.uniform(140, 190) if is_bright(column) else noise.uniform(30, 45)
    return gaussian_filter(noise.normal(plane, 3), 1.2).clip(0, 255).astype(np.uint8)
