"""Tables of boxes: each box can be used, or it is said why not."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sam.errors import InputError
from napari_sam.io.tables import read_boxes

SHAPE = (32, 64)


def table(path, *rows, columns="y0,x0,y1,x1"):
    path.write_text("\n".join([columns, *rows]) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "row",
    [
        "-0.5,-0.5,31.5,63.5",  # the whole picture
        "-0.5,0,0,0.5",
        "31,63,31.5,63.5",
        "19.5,16.5,7.5,4.5",  # corners the other way round
        "19.5,4.5,7.5,16.5",
        "2.9,2.9,3.1,3.1",
        "-1,-1,32,64",  # as far beside as the model takes them
    ],
)
def test_a_box_with_a_pixels_centre_fits(tmp_path, row):
    fitting, why = read_boxes(table(tmp_path / "b.csv", row), SHAPE).fitting(SHAPE)
    assert len(fitting.ids) == 1
    assert not why
    y0, x0, y1, x1 = fitting.corners[0]
    assert y0 < y1
    assert x0 < x1


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("3.1,3.1,3.9,3.9", "no centre"),
        ("3.9,3.1,3.1,30", "no centre"),
        ("3.2,3,3.2000000001,9", "no centre"),
        ("3,3,3,9", "no area"),
        ("3,3,3,3", "no area"),
        ("-0.9,1,-0.6,9", "no centre"),
        ("31.2,1,31.9,9", "no centre"),
        ("7,4,7.0000000001,4.0000000001", "no area"),
        ("7,4,7.009,9", "no area"),
        ("1,1,90,9", "leaves the picture of 32 x 64 pixels"),
        ("-5,3,9,9", "leaves the picture"),
        ("100,100,120,120", "leaves the picture"),
        ("1,1,1e18,1e18", "leaves the picture"),
    ],
)
def test_a_box_that_cannot_be_answered_is_said_and_takes_no_other_along(tmp_path, row, reason):
    path = table(tmp_path / "b.csv", "7.5,4.5,19.5,16.5", row)
    fitting, why = read_boxes(path, SHAPE).fitting(SHAPE)
    assert fitting.ids.tolist() == [1]
    assert [*why] == ["2"]
    assert reason in why["2"]


def test_of_thousands_of_boxes_each_is_in_one_of_both(tmp_path):
    rng = np.random.default_rng(0)
    rows = [",".join(map(str, row)) for row in rng.uniform(-3, 40, (5000, 4)).round(1)]
    fitting, why = read_boxes(table(tmp_path / "b.csv", *rows), SHAPE).fitting(SHAPE)
    assert {*map(str, fitting.ids.tolist())} | {*why} == {str(n) for n in range(1, 5001)}
    assert len(fitting.ids) + len(why) == 5000


def test_boxes_of_a_stack_are_said_with_their_slice(tmp_path):
    path = table(tmp_path / "b.csv", "2,3,3,3,9,7", columns="slice,y0,x0,y1,x1,id")
    _, why = read_boxes(path, (3, *SHAPE)).fitting(SHAPE)
    assert [*why] == ["7 on slice 2"]


@pytest.mark.parametrize(
    "row",
    [
        "nan,1,2,3",
        "1,1,inf,3",
        "1,-inf,2,3",
        "1,two,2,3",
        "1,2,3",
        ",,,",
        "1e400,1,2,3",
        "\0,1,2,3",
    ],
)
def test_what_is_no_number_is_refused(tmp_path, row):
    with pytest.raises(InputError, match="a number in the columns y0, x0, y1, x1"):
        read_boxes(table(tmp_path / "b.csv", row), SHAPE)


@pytest.mark.parametrize("number", ["1.5", "nan", "1e300", "9" * 400, "-1", "0", str(2**31), ""])
def test_numbers_that_no_label_can_have_are_refused(tmp_path, number):
    path = table(tmp_path / "b.csv", f"1,1,9,9,{number}", columns="y0,x0,y1,x1,id")
    with pytest.raises(InputError, match="ids"):
        read_boxes(path, SHAPE)
    path = table(tmp_path / "b.csv", f"{number or 'x'},1,1,9,9", columns="slice,y0,x0,y1,x1")
    with pytest.raises(InputError, match="slice"):
        read_boxes(path, (0, *SHAPE))
