"""New labels on disk, and those of others, to be written to; read back by other readers."""

from __future__ import annotations

import bioio_ome_zarr
import numpy as np
import pytest
import zarr
from bioio import BioImage

from napari_sam.errors import InputError
from napari_sam.io.label_stores.levels import LabelLevels
from napari_sam.io.label_stores.opening import (
    new_labels_path,
    new_store,
    open_store,
)
from napari_sam.io.labels import open_labels
from napari_sam.io.ome_zarr import create_ome_zarr
from napari_sam.io.scale import read_spacing
from napari_sam.io.spacing import Spacing
from tests.io.test_ome_parent import VERSIONS, picture

FLAT = (None, None)
SPACING = Spacing.of(2, {"scale": (0.5, 0.5), "units": ("micrometer",) * 2})


def draw(levels):
    """Write an object of 20 x 30 pixels."""
    rows, columns = (at.ravel() for at in np.mgrid[10:30, 15:45])
    LabelLevels(levels).write(FLAT, rows, columns, np.full(600, 4))


def test_new_labels_have_levels_until_few_pixels_are_left(tmp_path):
    levels = new_store(tmp_path / "new.ome.zarr", (5000, 3000), np.dtype("u4"), SPACING)
    assert [level.shape for level in levels] == [
        (5000, 3000),
        (2500, 1500),
        (1250, 750),
        (625, 375),
    ]
    assert not any(level.read_only for level in levels)
    draw(levels)
    with open_labels(tmp_path / "new.ome.zarr") as labels:
        assert labels[10:30, 15:45].tolist() == np.full((20, 30), 4).tolist()
        assert np.count_nonzero(labels[...]) == 600
    assert read_spacing(tmp_path / "new.ome.zarr", 2).scale == (0.5, 0.5)


@VERSIONS
def test_labels_of_a_picture_have_its_version_and_levels_and_are_listed(tmp_path, version, form):
    home = picture(tmp_path / "picture.zarr", version, form)
    path = home / "labels" / "cells.zarr"
    levels = new_store(path, (41, 50), np.dtype("u4"), Spacing.usual(2))
    assert [level.shape for level in levels] == [(41, 50), (20, 25)]
    draw(levels)
    assert levels[1][:].sum() == 4 * 150
    about = zarr.open_group(home / "labels", mode="r").attrs.asdict()
    assert about.get("ome", about)["labels"] == ["cells.zarr"]


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_another_reader_of_ome_zarr_reads_all_levels(tmp_path, version):
    path = tmp_path / "new.ome.zarr"
    create_ome_zarr(path, (3, 2100, 900), np.dtype("u4"), Spacing.usual(3), version)
    rows, columns = (at.ravel() for at in np.mgrid[100:140, 200:240])
    LabelLevels(open_store(path)).write((1, *FLAT), rows, columns, np.full(1600, 70_000))
    read = BioImage(path, reader=bioio_ome_zarr.Reader)
    shapes = []
    for level, pixels in enumerate((1600, 400, 100)):
        read.set_resolution_level(level)
        shapes.append(read.shape[-3:])
        assert np.count_nonzero(read.data == 70_000) == pixels
    assert shapes == [(3, 2100, 900), (3, 1050, 450), (3, 525, 225)]


def test_a_place_is_found_beside_the_picture_or_elsewhere(tmp_path):
    file = tmp_path / "slide.tif"
    file.touch()
    path = new_labels_path(file, "slide [0] objects", tmp_path / "other")
    assert path == tmp_path / "slide _0_ objects.ome.zarr"
    path.mkdir()
    assert new_labels_path(file, "slide [0] objects", tmp_path).name.startswith(
        "slide _0_ objects-2"
    )
    assert new_labels_path(None, "a", tmp_path / "other") == tmp_path / "other" / "a.ome.zarr"


def test_what_is_no_labels_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be opened"):
        open_store(tmp_path / "nothing.zarr")
    with pytest.raises(InputError, match="is there already"):
        new_store(tmp_path, (9, 9), np.dtype("u4"), Spacing.usual(2))
