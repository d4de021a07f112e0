"""The table of a queue is written whole, read back the same, and shared with others."""

from __future__ import annotations

import pytest

from napari_sam.errors import InputError
from napari_sam.session.queue.queue import Entry, State
from napari_sam.session.queue.table import TABLE, read_table, write_table


def test_a_table_comes_back_as_it_was(tmp_path):
    table = tmp_path / "pictures" / TABLE
    entries = [
        Entry(table.parent / "a, b.tif", State.STARTED, 3, 1, 7, 2, 12.5, 0.25, "odd"),
        Entry(table.parent / "plate.zarr" / "B" / "0"),
        Entry(tmp_path / "outside.tif", State.DONE),
    ]
    write_table(table, entries)
    assert sorted(read_table(table), key=lambda one: one.path) == sorted(
        entries, key=lambda one: one.path
    )
    assert [file.name for file in table.parent.iterdir()] == [TABLE]


def test_rows_of_other_pictures_stay(tmp_path):
    table = tmp_path / TABLE
    write_table(table, [Entry(tmp_path / "a.tif", State.DONE), Entry(tmp_path / "b.tif")])
    write_table(table, [Entry(tmp_path / "b.tif", State.STARTED)])
    states = {one.path.name: one.state for one in read_table(table)}
    assert states == {"a.tif": State.DONE, "b.tif": State.STARTED}


def test_a_row_that_says_nonsense_is_named(tmp_path):
    table = tmp_path / TABLE
    table.write_text("picture,state\na.tif,to do\nb.tif,almost\n")
    with pytest.raises(InputError, match=r"row 3: .*almost.*one of to do, filled in"):
        read_table(table)
    before = table.read_text()
    with pytest.raises(InputError):
        write_table(table, [Entry(tmp_path / "c.tif")])
    assert table.read_text() == before


def test_another_table_is_refused(tmp_path):
    table = tmp_path / "points.csv"
    table.write_text("y,x\n1,2\n")
    with pytest.raises(InputError, match="no column 'picture'"):
        read_table(table)
