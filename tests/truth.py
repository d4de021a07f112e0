"""Outlines of the samples' prompted objects: (row, column), those of tissue drawn by eye."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage.draw import polygon2mask

from napari_sam.samples import SAMPLES

TISSUE = (
    ((173, 53), (168, 56), (165, 59), (163, 63), (165, 67), (171, 68), (172, 61)),
    ((195, 49), (194, 52), (199, 55), (202, 58), (206, 58), (207, 53), (204, 50)),
    ((61, 193), (60, 198), (63, 202), (67, 201), (73, 199), (74, 196), (67, 193)),
    ((38, 48), (38, 52), (42, 56), (45, 59), (47, 55), (47, 49), (43, 47)),
    (
        *((154, 114), (157, 117), (164, 120), (171, 122), (179, 123), (186, 122)),
        *((187, 118), (184, 114), (178, 113), (172, 116), (164, 115)),
    ),
)
NUCLEI = Path(__file__).parent / "nuclei_labels.png"  # by the experts of the Data Science Bowl, CC0


def nuclei() -> NDArray[np.uint8]:
    """Return the labels (H, W) of all 124 nuclei of the sample."""
    return np.array(Image.open(NUCLEI))


def truth(name: str, shape: tuple[int, int]) -> list[NDArray[np.bool_]]:
    """Return one (H, W) mask per prompt of the sample."""
    if name == "tissue":
        return [polygon2mask(shape, np.array(outline)) for outline in TISSUE]
    labels = nuclei()
    middles = [
        one.points[0] if len(one.points) else np.reshape(one.box, (2, 2)).mean(0)
        for one in SAMPLES[name].prompts
    ]
    return [labels == labels[tuple(np.round(middle).astype(int))] for middle in middles]


def overlap(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """Return intersection over union."""
    return float((a & b).sum() / (a | b).sum())
