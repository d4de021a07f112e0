"""Tables of points, as napari saves them."""

from __future__ import annotations

import numpy as np
import pytest
from napari_builtins.io import napari_write_points

from napari_sam.batch.slices import seeds_of
from napari_sam.errors import InputError
from napari_sam.io.tables import read_points


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


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e400"])
def test_points_that_are_not_finite_are_refused(tmp_path, value):
    (tmp_path / "bad.csv").write_text(f"axis-0,axis-1\n1,2\n{value},2\n")
    with pytest.raises(InputError, match="must be finite; row 2 holds"):
        read_points(tmp_path / "bad.csv", 2)


def test_points_outside_of_the_picture_are_said(tmp_path, caplog):
    path, shape = tmp_path / "points.csv", (4, 32, 64)
    rows = ["0,3,4", "3.4,31.5,63.5", "3.5,3,4", "-1,3,4", "1,-3,4", "1,3,64"]
    path.write_text("\n".join(["axis-0,axis-1,axis-2", *rows]))
    with seeds_of(str(path), shape) as seeds:
        found = [seeds((plane,)).tolist() for plane in range(4)]
    assert found == [[[3, 4]], [], [], [[31.5, 63.5]]]
    assert "4 of the 6 points" in caplog.text
    path.write_text("axis-0,axis-1,axis-2\n9,3,4\n")
    with pytest.raises(InputError, match="1 of the 1 points"), seeds_of(str(path), shape):
        pass


def test_a_missing_file(tmp_path):
    with pytest.raises(InputError, match="there is no file"):
        read_points(tmp_path / "away.csv", 2)
