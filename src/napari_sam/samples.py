"""Sample pictures that come with the package or with scikit-image, and prompts for a first try."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from napari_sam.arrays import Array
from napari_sam.files import Json
from napari_sam.prompts import Prompts

__all__ = [
    "SAMPLES",
    "Sample",
    "movie_layer",
    "nuclei_layer",
    "sample_layer",
    "stack_layer",
    "tissue_layer",
]

Picture = NDArray[np.uint8]
BRIGHT = 99.8  # percent of the pixels that are below white


@dataclass(frozen=True)
class Sample:
    """Microscopy sample picture, and prompts that each mean one object of it.

    Parameters
    ----------
    name : str
        Of the layer.
    credit : str
        Who made it, and its terms.
    read : callable
        Returns the picture, (H, W), (H, W, 3) or (N, H, W) uint8.
    prompts : tuple of Prompts
        On the slice `at` of a stack.
    at : int, optional
        Which slice; None for a single picture.
    axes : str
        A letter each: ``"zyx"`` for slices in depth, ``"tyx"`` for frames.
    scale, units : tuple, optional
        Size of a pixel along each axis, where it is known.
    """

    name: str
    credit: str
    read: Callable[[], Picture]
    prompts: tuple[Prompts, ...] = ()
    at: int | None = None
    axes: str = "yx"
    scale: tuple[float, ...] = ()
    units: tuple[str, ...] = ()


def _shipped(name: str, height: int | None = None) -> Picture:
    """Read a picture of the package; its planes of a height lie one below the other."""
    from PIL import Image

    with files("napari_sam").joinpath("pictures", f"{name}.png").open("rb") as file:
        pixels = np.array(Image.open(file))
    return pixels if height is None else pixels.reshape(-1, height, pixels.shape[-1])


def _tissue() -> Picture:
    from skimage import data

    return np.asarray(data.immunohistochemistry())[224:480, 120:376]  # nuclei large enough to see


def _clicks(*places: tuple[int, int]) -> tuple[Prompts, ...]:
    return tuple(Prompts(points=[place], labels=[1]) for place in places)


SAMPLES = {
    "nuclei": Sample(
        "nuclei of human cells",
        "Fluorescent nuclei of the 2018 Data Science Bowl (BBBC038, Broad Institute; Caicedo et "
        "al. 2019, doi:10.1038/s41592-019-0612-7); CC0",
        partial(_shipped, "nuclei"),
        (
            *_clicks((204, 359), (453, 642), (37, 70), (128, 649), (481, 350), (284, 132)),
            *_clicks((59, 475), (369, 488), (44, 308), (299, 653)),
            Prompts(box=(459, 32, 496, 55)),
        ),
    ),
    "tissue": Sample(
        "nuclei in colon tissue",
        "Part of colon, hematoxylin and DAB; Center for Microscopy and Molecular Imaging (CMMI); "
        "no known copyright restrictions; from scikit-image",
        _tissue,
        (
            *_clicks((168, 62), (201, 53), (67, 197), (43, 52)),
            Prompts(box=(153, 112, 188, 125)),
        ),
    ),
    "stack": Sample(
        "nuclei in depth",
        "Nuclei in 16 slices; Allen Institute for Cell Science; from scikit-image's cells3d",
        partial(_shipped, "stack", 256),
        _clicks((156, 111), (202, 173), (96, 161), (73, 111), (139, 190)),
        at=8,
        axes="zyx",
        scale=(0.58, 0.26, 0.26),
        units=("micrometer",) * 3,
    ),
    "movie": Sample(
        "growing yeast",
        "Budding yeast in phase contrast, 10 frames; copyright 2022 North Carolina State "
        "University, under the three clauses in pictures/CREDITS.md; from YeastVision",
        partial(_shipped, "movie", 240),
        axes="tyx",
    ),
}


def sample_layer(name: str) -> tuple[Array, Json, str]:
    """Return a sample by its name in `SAMPLES` as a layer of napari."""
    sample = SAMPLES[name]
    image = sample.read()
    about: Json = {
        "name": sample.name,
        "rgb": len(sample.axes) < image.ndim,
        "axis_labels": tuple(sample.axes),
        "metadata": {"credit": sample.credit},
    }
    if not about["rgb"]:
        about["contrast_limits"] = int(image.min()), int(np.percentile(image, BRIGHT)) + 1
    if sample.scale:
        about |= {"scale": sample.scale, "units": sample.units}
    return image, about, "image"


def nuclei_layer() -> list[tuple[Array, Json, str]]:
    """Return the fluorescent nuclei as napari's sample data."""
    return [sample_layer("nuclei")]


def tissue_layer() -> list[tuple[Array, Json, str]]:
    """Return the stained tissue as napari's sample data."""
    return [sample_layer("tissue")]


def stack_layer() -> list[tuple[Array, Json, str]]:
    """Return the stack of nuclei as napari's sample data."""
    return [sample_layer("stack")]


def movie_layer() -> list[tuple[Array, Json, str]]:
    """Return the moving nuclei as napari's sample data."""
    return [sample_layer("movie")]
