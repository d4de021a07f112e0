"""Labels that dask reads from a zarr are written into that zarr, and no others."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
import zarr

from napari_sam.io.label_stores import levels
from napari_sam.io.label_stores.behind import folder_behind, writable
from napari_sam.io.label_stores.levels import why_unwritable


@pytest.fixture
def stored(tmp_path):
    """Return the path of a zarr array in a group, opened by nobody."""
    group = zarr.open_group(tmp_path / "cells.zarr", mode="w")
    group.create_array("0", data=np.arange(48, dtype="u4").reshape(6, 8), chunks=(3, 4))
    return tmp_path / "cells.zarr" / "0"


def test_the_zarr_that_dask_reads_is_opened_for_writing(stored):
    for lazy in (
        da.from_zarr(stored),
        da.from_zarr(zarr.open_group(stored.parent, mode="r")["0"]),  # as napari's readers do
        da.from_array(zarr.open_array(stored, mode="r")),
    ):
        (array,) = writable([lazy])
        assert folder_behind(lazy) == stored
        assert why_unwritable([array]) == ""
        before = int(np.asarray(lazy[2, 3]))
        array[2, 3] = before + 1
        assert int(np.asarray(lazy[2, 3])) == before + 1


@pytest.mark.parametrize(
    "change",
    [
        lambda lazy: lazy[::-1],
        lambda lazy: lazy + 1,
        lambda lazy: lazy[:3],
        lambda lazy: lazy.astype("i8"),
        lambda lazy: da.concatenate([lazy, lazy]),
        lambda lazy: da.asarray(np.asarray(lazy)),
    ],
)
def test_what_dask_computes_is_not_written_to(stored, change):
    lazy = change(da.from_zarr(stored))
    assert writable([lazy])[0] is lazy
    assert folder_behind(lazy) is None
    assert "computed by dask" in why_unwritable(writable([lazy]))


def test_other_arrays_stay_as_they_are(stored):
    there = [np.zeros((2, 2), int), zarr.open_array(stored, mode="r")]
    assert all(now is then for now, then in zip(writable(there), there, strict=True))
    memory = zarr.create_array({}, shape=(4, 4), chunks=(2, 2), dtype="u4")
    assert folder_behind(da.from_array(memory)) is None


def test_a_folder_in_which_nobody_may_write_is_named(stored, monkeypatch):
    monkeypatch.setattr(levels.os, "access", lambda *_: False)  # as to a user who is not root
    problem = why_unwritable(writable([da.from_zarr(stored)]))
    assert str(stored) in problem
