"""Sample images of scikit-image's wheel, and prompts for a first try. No network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_sam.arrays import Array
from napari_sam.files import Json
from napari_sam.prompts import Prompts

__all__ = ["SAMPLES", "Sample", "cell_layer", "tissue_layer"]


@dataclass(frozen=True)
class Sample:
    """Microscopy sample image, and prompts that each mean one object of it.

    Parameters
    ----------
    name : str
        Of the layer.
    credit : str
        Who made it, and its terms.
    read : callable
        Returns the picture, (H, W) or (H, W, 3) uint8.
    prompts : tuple of Prompts
    """

    name: str
    credit: str
    read: Callable[[], NDArray[np.uint8]]
    prompts: tuple[Prompts, ...]


def _tissue() -> NDArray[np.uint8]:
    from skimage import data

    return np.asarray(data.immunohistochemistry())[224:480, 120:376]  # nuclei large enough to see


def _cell() -> NDArray[np.uint8]:
    from skimage import data

    return np.asarray(data.cell())


SAMPLES = {
    "tissue": Sample(
        "nuclei in colon tissue",
        "Part of colon, hematoxylin and DAB; Center for Microscopy and Molecular Imaging (CMMI); "
        "no known copyright restrictions; from scikit-image",
        _tissue,
        (
            Prompts(points=[(168, 62)], labels=[1]),
            Prompts(points=[(201, 53)], labels=[1]),
            Prompts(points=[(67, 197)], labels=[1]),
            Prompts(points=[(43, 52)], labels=[1]),
            Prompts(box=(153, 112, 188, 125)),
        ),
    ),
    "cell": Sample(
        "cell in saline",
        "Quantitative phase image; Müller et al. 2018, doi:10.1364/OE.26.010729; CC0; from "
        "scikit-image",
        _cell,
        (Prompts(points=[(375, 428)], labels=[1]),),
    ),
}


def tissue_layer() -> list[tuple[Array, Json, str]]:
    """Return the stained tissue as napari's sample data."""
    return _layer(SAMPLES["tissue"])


def cell_layer() -> list[tuple[Array, Json, str]]:
    """Return the single cell as napari's sample data."""
    return _layer(SAMPLES["cell"])


def _layer(sample: Sample) -> list[tuple[Array, Json, str]]:
    image = sample.read()
    about = {"name": sample.name, "rgb": image.ndim == 3, "metadata": {"credit": sample.credit}}
    return [(image, about, "image")]
