"""What is stored of an array, and what it holds."""

from __future__ import annotations

import numpy as np
import pytest
import zarr

from napari_sam.io.label_stores.chunks import filled, holds_any, largest


@pytest.mark.parametrize(
    "more",
    [
        {"zarr_format": 2, "chunk_key_encoding": {"name": "v2", "separator": "/"}},
        {"zarr_format": 2},
        {"zarr_format": 3},
        {"zarr_format": 3, "shards": (1, 400, 400)},
    ],
    ids=["nested", "dots", "0.5", "sharded"],
)
def test_only_stored_chunks_are_read(tmp_path, more):
    array = zarr.create_array(
        tmp_path, shape=(2, 100_000, 100_000), chunks=(1, 200, 200), dtype="u4", **more
    )
    assert not holds_any(array)
    array[1, 50_010, 70_010] = 77
    array[0, 99_999, 99_999] = 5
    blocks = filled(array)
    assert len(blocks) == 2
    assert blocks[0][0] == slice(0, 1)
    assert blocks[0][2].stop == 100_000
    assert [int(array[block].max()) for block in blocks] == [5, 77]
    assert largest(array) == 77


def test_an_array_whose_missing_chunks_are_no_zeros_is_read_as_a_whole(tmp_path):
    array = zarr.create_array(tmp_path, shape=(30, 40), chunks=(10, 20), dtype="u2", fill_value=3)
    assert sum(array[block].size for block in filled(array)) == 30 * 40
    assert largest(array) == 3


def test_small_neighbours_are_read_together(tmp_path):
    array = zarr.create_array(tmp_path, shape=(2, 9000, 9000), chunks=(1, 512, 512), dtype="u1")
    array[0, 600:1100, 100] = 1  # two chunks, and a third one in the same block
    array[0, 1600, 1800] = 2
    array[1, 8999, 8999] = 3
    assert [[(p.start, p.stop) for p in block] for block in filled(array)] == [
        [(0, 1), (512, 2048), (0, 2048)],
        [(1, 2), (8704, 9000), (8704, 9000)],
    ]


def test_arrays_come_in_blocks():
    array = np.zeros((2, 3000, 100), np.uint8)
    array[1, 2900, 50] = 9
    assert len(filled(array)) == 4
    assert largest(array) == 9
    assert holds_any(array)
