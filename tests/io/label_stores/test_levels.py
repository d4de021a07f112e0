"""Pixels written into labels on disk, in one level or several."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr

from napari_sam.io.label_stores.levels import LabelLevels, PlaneWindow, reserve, why_unwritable

FLAT = (None, None)


def arrays(folder, shapes, **more):
    return [
        zarr.create_array(folder / str(k), shape=shape, dtype="u4", fill_value=0, **more)
        for k, shape in enumerate(shapes)
    ]


def middle(fine, shape):
    """Return what a level shows of a finer one, axis by axis."""
    places = [
        ((np.arange(n) + 0.5) * m / n).astype(int) for n, m in zip(shape, fine.shape, strict=True)
    ]
    return fine[np.ix_(*places)]


@pytest.mark.parametrize(
    "more",
    [
        {"chunks": (1, 16, 16), "zarr_format": 2},
        {"chunks": (1, 16, 16), "zarr_format": 3},
        {"chunks": (1, 8, 8), "shards": (2, 32, 32), "zarr_format": 3},
    ],
    ids=["0.4", "0.5", "sharded"],
)
def test_every_level_shows_the_middle_of_what_was_written(tmp_path, more):
    shapes = (5, 61, 80), (5, 30, 40), (2, 15, 20)  # half a pixel is left, and z differs
    levels = arrays(tmp_path, shapes, **more)
    store, there = LabelLevels(levels), np.zeros(shapes[0], np.uint32)
    rng = np.random.default_rng(0)
    for number in range(1, 9):
        z, at = int(rng.integers(5)), rng.choice(61 * 80, 700, replace=False)
        rows, columns = np.unravel_index(at, (61, 80))
        store.write((z, *FLAT), rows, columns, np.full(700, number))
        there[z, rows, columns] = number
    for level, shape in zip(levels, shapes, strict=True):
        np.testing.assert_array_equal(level[:], middle(there, shape))


def test_the_finest_level_is_written_last_so_that_what_is_missing_is_seen(tmp_path, monkeypatch):
    """What was cut short is written again where the finest level lacks it, in all levels."""
    (fine, coarse) = arrays(tmp_path, [(20, 20), (10, 10)], chunks=(8, 8))
    put, order = zarr.Array.set_coordinate_selection, []

    def full(level, *what):
        order.append(level.shape)
        if len(order) == 1:
            raise OSError(errno.ENOSPC, "no room")
        put(level, *what)

    monkeypatch.setattr(zarr.Array, "set_coordinate_selection", full)
    what = FLAT, np.array([3, 4]), np.array([5, 5]), np.array([7, 7])
    with pytest.raises(OSError, match="no room"):
        LabelLevels([fine, coarse]).write(*what)
    assert not fine[:].any()
    LabelLevels([fine, coarse]).write(*what)
    assert order == [(10, 10), (10, 10), (20, 20)]
    np.testing.assert_array_equal(coarse[:], middle(fine[:], (10, 10)))


def test_planes_across_the_chunks_are_written_too(tmp_path):
    levels = arrays(tmp_path, [(9, 20, 20), (4, 10, 10)], chunks=(1, 8, 8))
    store = LabelLevels(levels)
    store.write((None, 7, None), np.arange(9), np.full(9, 5), np.arange(1, 10))
    assert levels[0][:, 7, 5].tolist() == list(range(1, 10))
    assert levels[1][:, 3, 2].tolist() == middle(levels[0][:], (4, 10, 10))[:, 3, 2].tolist()
    assert levels[1][:].any()


def test_no_pixel_but_those_written_changes(tmp_path):
    """Others make levels in other ways: what they made of other pixels is theirs."""
    (fine, coarse) = arrays(tmp_path, [(20, 20), (10, 10)], chunks=(8, 8))
    coarse[:] = 9
    LabelLevels([fine, coarse]).write(FLAT, np.array([3]), np.array([5]), np.array([7]))
    assert (coarse[:] != 9).sum() == 1
    assert coarse[1, 2] == 7


def test_a_memory_map_of_a_tiff_is_written_and_read_back(tmp_path):
    path = tmp_path / "labels.tif"
    mapped = tifffile.memmap(path, shape=(3, 40, 50), dtype=np.uint16, photometric="minisblack")
    store = LabelLevels([mapped])
    assert not store.in_memory
    assert isinstance(store.plane((1, *FLAT)), PlaneWindow)
    store.write((1, *FLAT), np.array([4, 5]), np.array([6, 7]), np.array([300, 301]))
    mapped.flush()
    read = tifffile.imread(path)
    assert (read[1, 4, 6], read[1, 5, 7], np.count_nonzero(read)) == (300, 301, 2)


def test_the_disk_room_of_a_memory_map_is_taken_before_anything_is_written(tmp_path, monkeypatch):
    """Else the system would end the process at the first pixel that the disk has no room for."""
    mapped = np.memmap(tmp_path / "holes", np.uint32, "w+", shape=(1000, 1000))
    reserve(mapped[10:])
    assert Path(mapped.filename).stat().st_blocks * 512 >= mapped.nbytes

    def full(*_):
        raise OSError(errno.ENOSPC, "no room")

    monkeypatch.setattr("os.posix_fallocate", full)
    with pytest.raises(OSError, match=r"is full: 4\.0 MB are needed"):
        reserve(mapped)


def test_what_cannot_be_written_says_why(tmp_path):
    (array,) = arrays(tmp_path, [(4, 4)], chunks=(4, 4))
    assert why_unwritable([array, np.zeros((2, 2))]) == ""
    assert "read-only" in why_unwritable([zarr.open_array(tmp_path / "0", mode="r")])
    fixed = np.zeros((2, 2))
    fixed.flags.writeable = False
    assert "read-only" in why_unwritable([fixed])
