"""Objects of labels on disk, looked at in windows; measured and written as those in memory."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import tifffile
import zarr

from napari_sam.io import labels as label_files
from napari_sam.io import ome_zarr
from napari_sam.io.export import write_objects
from napari_sam.io.label_stores import objects
from napari_sam.io.label_stores.objects import object_windows
from napari_sam.io.labels import open_labels
from napari_sam.io.measurements import measure
from napari_sam.io.objects.instances import cut_out
from napari_sam.io.spacing import Spacing

SPACING = Spacing.of(3, {"scale": (2, 0.5, 0.5), "units": ("micrometer",) * 3})


@pytest.fixture
def labels():
    """Return forty blocks of all sizes in a stack, some of them in several chunks."""
    rng = np.random.default_rng(0)
    labels = np.zeros((4, 300, 400), np.uint32)
    for number in range(1, 41):
        low = rng.integers((4, 280, 380))
        high = low + rng.integers((2, 3, 3), (3, 60, 60))
        labels[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = number * 5000
    return labels


@pytest.fixture
def stored(tmp_path, labels):
    array = zarr.create_array(
        tmp_path / "a.zarr", shape=labels.shape, chunks=(2, 64, 64), dtype="u4"
    )
    array[:] = labels
    return array


@pytest.fixture(autouse=True)
def small_windows(monkeypatch):
    monkeypatch.setattr(objects, "SIDE", 100)


@pytest.mark.parametrize("outside", [(), (0,)])
def test_each_object_comes_once_and_whole(labels, stored, outside):
    seen = {}
    for one in object_windows(stored, outside):
        for number in np.unique(one.pixels[one.pixels > 0]).tolist():
            assert (one.place, number) not in seen
            seen[one.place, number] = np.count_nonzero(one.pixels == number)
    places = [(z,) for z in range(4)] if outside else [()]
    there = {
        (place, number): count
        for place in places
        for number, count in zip(
            *(found.tolist() for found in np.unique(labels[place], return_counts=True)), strict=True
        )
        if number
    }
    assert seen == there


@pytest.mark.parametrize("axes", ["zyx", "tyx"])
def test_measurements_are_those_of_an_array_in_memory(labels, stored, axes):
    spacing = SPACING.named(axes)
    image = np.random.default_rng(1).integers(0, 999, (2, *labels.shape))
    there = list(measure(labels, spacing, image))
    rows = sorted(measure(stored, spacing, image), key=lambda row: (row.get("t", 0), row["label"]))
    assert len(rows) == len(there) > 30
    for row, right in zip(rows, there, strict=True):
        assert row.keys() == right.keys()
        np.testing.assert_allclose(list(row.values()), list(right.values()), rtol=1e-9)


def test_outlines_are_those_of_an_array_in_memory(labels, stored):
    for one, right in zip(
        cut_out(stored, "zyx").pieces, cut_out(labels, "zyx").pieces, strict=True
    ):
        assert (one.id, one.plane, one.corner) == (right.id, right.plane, right.corner)
        assert np.array_equal(one.mask, right.mask)


def test_large_planes_are_written_part_by_part(labels, stored, tmp_path, monkeypatch):
    monkeypatch.setattr(label_files, "MOST", 1000)
    monkeypatch.setattr(label_files, "TILE", 128)
    monkeypatch.setattr(ome_zarr, "MOST", 1000)
    for name in ("a.tif", "b.ome.zarr"):
        write_objects(tmp_path / name, stored, SPACING)
        with open_labels(tmp_path / name) as read:
            np.testing.assert_array_equal(read[...], labels)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "a.tif"), labels)


def test_a_huge_sparse_picture_takes_the_memory_of_its_objects(tmp_path):
    array = zarr.create_array(
        tmp_path / "huge.zarr", shape=(10**6, 10**6), chunks=(512, 512), dtype="u4"
    )
    for at in (100, 500_000, 999_900):
        array[at : at + 50, at : at + 50] = at
    tracemalloc.start()
    rows = list(measure(array))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [row["pixels"] for row in rows] == [2500] * 3
    assert rows[1]["centroid_y_px"] == 500_024.5
    assert most < 60e6
