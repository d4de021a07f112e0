"""What somebody names becomes a queue: pictures without labels, with what the table knows."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from napari_sam.errors import InputError
from napari_sam.session.queue.pictures import named_queue
from napari_sam.session.queue.queue import Entry, State
from napari_sam.session.queue.table import TABLE, write_table


@pytest.fixture
def folder(tmp_path):
    for name in ("b.tif", "a.tif", "a_labels.tif"):
        tifffile.imwrite(tmp_path / name, np.zeros((4, 5), np.uint8))
    return tmp_path


def test_a_folder_is_a_queue_of_its_pictures(folder):
    table, entries = named_queue([folder])
    assert table == folder / TABLE
    assert [entry.path.name for entry in entries] == ["a.tif", "b.tif"]
    write_table(table, [Entry(folder / "b.tif", State.DONE)])
    assert [entry.state for entry in named_queue([folder])[1]] == [State.TODO, State.DONE]


def test_patterns_files_and_a_table_do_too(folder):
    table, entries = named_queue([folder / "b*.tif"])
    assert [entry.path.name for entry in entries] == ["b.tif"]
    write_table(table, entries)
    assert named_queue([table]) == (table, entries)


def test_nothing_is_no_queue(tmp_path):
    with pytest.raises(InputError, match="no picture"):
        named_queue([tmp_path])
