"""Brightness is refused as labels, and no labels are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_sam.errors import InputError
from napari_sam.io.label_checks import check_are_labels
from napari_sam.io.labels import open_labels
from napari_sam.samples import SAMPLES

RNG = np.random.default_rng(0)
CELLS = np.arange(1, 5001).reshape(50, 100)


def tiled(numbers, side):
    return np.kron(numbers, np.ones((side, side), int))


@pytest.mark.parametrize(
    "labels",
    [
        tiled(CELLS, 8),
        tiled(CELLS, 3),
        tiled(CELLS, 2),
        tiled(CELLS % 1000, 3),
        RNG.integers(0, 6, (500, 500)),
        tiled(RNG.integers(0, 200, (64, 64)), 8),
        np.where(RNG.random((500, 500)) < 0.01, RNG.integers(1, 60000, (500, 500)), 0),
        np.zeros((0, 5), int),
        np.arange(400).reshape(20, 20),
        tiled(CELLS, 3)[None, None],
    ],
    ids=[
        *("touching", "tiny", "of 4 pixels", "in 5 pieces", "speckled classes", "patches"),
        *("points", "empty", "too few to judge", "stack"),
    ],
)
def test_labels_go_through(labels):
    check_are_labels(Path("cells.tif"), labels)


@pytest.mark.parametrize(
    "picture",
    [
        *(sample.read() for sample in SAMPLES.values() if sample.read().ndim == 2),
        SAMPLES["tissue"].read()[..., 0],
        RNG.integers(0, 256, (64, 64)).astype(np.uint8),
        RNG.integers(0, 65536, (2, 64, 64)).astype(np.uint16),
        RNG.poisson(100, (64, 64)),
        (100 + 90 * np.sin(np.arange(300) / 40)[:, None] * np.cos(np.arange(300) / 33)).astype(int),
    ],
)
def test_pictures_are_refused(picture):
    with pytest.raises(InputError, match=r"a.tif is a picture of brightness and not of labels: "):
        check_are_labels(Path("a.tif"), picture)


@pytest.mark.parametrize("name", ["a.tif", "a.png"])
def test_no_reader_of_labels_takes_a_picture(tmp_path, name):
    picture = RNG.integers(0, 256, (64, 64)).astype(np.uint8)
    path = tmp_path / name
    if name.endswith("png"):
        Image.fromarray(picture).save(path)
    else:
        tifffile.imwrite(path, picture)
    with pytest.raises(InputError, match="brightness"), open_labels(path):
        pass
