"""Labels within an OME-Zarr picture: those that are there, and a place for new ones."""

from __future__ import annotations

import dask.array as da
import numpy as np
import zarr

from napari_sam.io.label_stores.group import free_path, group_of, labels_in
from napari_sam.io.label_stores.opening import new_store
from napari_sam.io.spacing import Spacing
from tests.io.test_ome_parent import VERSIONS, picture

SHAPE = (41, 50)


@VERSIONS
def test_a_picture_is_known_by_its_pixels_and_by_its_path(tmp_path, version, form):
    home = picture(tmp_path / "picture.zarr", version, form)
    by_pixels = group_of(da.from_zarr(home / "0"), None)
    by_path = [group_of(np.zeros(SHAPE), str(path)) for path in (home, home / "0")]
    assert {found.path for found in (by_pixels, *by_path)} == {home}
    assert group_of(np.zeros(SHAPE), None) is None
    assert group_of(np.zeros(SHAPE), str(tmp_path)) is None
    assert group_of(np.zeros(SHAPE), str(tmp_path / "nothing.tif")) is None


@VERSIONS
def test_labels_that_fit_are_found_and_new_ones_have_a_free_name(tmp_path, version, form):
    home = picture(tmp_path / "picture.zarr", version, form)
    group = group_of(da.from_zarr(home / "0"), None)
    assert labels_in(group, SHAPE) == []
    assert free_path(group, SHAPE) == home / "labels" / "objects"
    new_store(home / "labels" / "objects", SHAPE, "u4", Spacing.usual(2))
    new_store(home / "labels" / "small", (20, 25), "u4", Spacing.usual(2))
    assert labels_in(group, SHAPE) == [home / "labels" / "objects"]
    assert free_path(group, SHAPE) == home / "labels" / "objects-2"
    assert free_path(group, (3, *SHAPE)) is None  # which no labels of this picture can have


def test_a_list_of_labels_that_are_gone_offers_nothing(tmp_path):
    home = picture(tmp_path / "picture.zarr", "0.4", 2)
    zarr.open_group(home / "labels", mode="w", zarr_format=2).attrs["labels"] = ["gone", 7]
    assert labels_in(group_of(None, str(home)), SHAPE) == []
