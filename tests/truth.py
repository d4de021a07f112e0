"""Outlines of the samples' prompted objects, drawn by eye on enlarged pictures: (row, column)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from skimage.draw import disk, polygon2mask

TISSUE = (
    ((397, 173), (392, 176), (389, 179), (387, 183), (389, 187), (395, 188), (396, 181)),
    ((419, 169), (418, 172), (423, 175), (426, 178), (430, 178), (431, 173), (428, 170)),
    ((285, 313), (284, 318), (287, 322), (291, 321), (297, 319), (298, 316), (291, 313)),
    ((262, 168), (262, 172), (266, 176), (269, 179), (271, 175), (271, 169), (267, 167)),
    (
        *((378, 234), (381, 237), (388, 240), (395, 242), (403, 243), (410, 242)),
        *((411, 238), (408, 234), (402, 233), (396, 236), (388, 235)),
    ),
)
CELL = (374, 428), 64


def truth(name: str, shape: tuple[int, int]) -> list[NDArray[np.bool_]]:
    """Return one (H, W) mask per prompt of the sample."""
    if name == "tissue":
        return [polygon2mask(shape, np.array(outline)) for outline in TISSUE]
    mask = np.zeros(shape, bool)
    mask[disk(*CELL, shape=shape)] = True
    return [mask]


def overlap(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """Return intersection over union."""
    return float((a & b).sum() / (a | b).sum())
