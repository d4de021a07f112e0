"""Tables of points, as napari saves them."""

from __future__ import annotations

import numpy as np
import pytest
from napari_builtins.io import napari_write_points

from napari_sam.errors import InputError
from napari_sam.io.points import read_points


def test_what_napari_saves_comes_back(tmp_path):
    points = np.array([[0, 3.5, 7], [2, 40, 1.25]])
    napari_write_points(str(tmp_path / "seeds.csv"), points, {})
    assert read_points(tmp_path / "seeds.csv", 3).tolist() == points.tolist()


def test_a_table_without_points_has_none(tmp_path):
    (tmp_path / "none.csv").write_text("index,axis-0,axis-1\n")
    assert read_points(tmp_path / "none.csv", 2).shape == (0, 2)


@pytest.mark.parametrize("text", ["y,x\n1,2\n", "axis-0,axis-1\n1,two\n", "axis-0,axis-1\n1\n"])
def test_what_is_no_such_table(tmp_path, text):
    (tmp_path / "bad.csv").write_text(text)
    with pytest.raises(InputError, match="number in the columns axis-0, axis-1 of each row"):
        read_points(tmp_path / "bad.csv", 2)


def test_a_missing_file(tmp_path):
    with pytest.raises(InputError, match="there is no file"):
        read_points(tmp_path / "away.csv", 2)
