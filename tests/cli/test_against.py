"""`napari-sam evaluate --against`, as a user calls it."""

import json

import numpy as np
import pytest
import tifffile

from napari_sam.cli.main import main


@pytest.fixture
def folders(tmp_path):
    """Return two folders of labels: of b.tif one object is missing and one is two."""
    mine = np.zeros((40, 60), np.uint16)
    mine[2:12, 2:12], mine[20:30, 20:40] = 1, 2
    theirs = mine.copy()
    theirs[20:30, 30:40], theirs[2:8, 50:58] = 3, 4
    for folder, second in (("mine", mine), ("theirs", theirs)):
        (tmp_path / folder).mkdir()
        tifffile.imwrite(tmp_path / folder / "a.tif", mine)
        tifffile.imwrite(tmp_path / folder / "b.tif", np.stack([second, mine]))
    return tmp_path / "mine", tmp_path / "theirs"


def test_folders_are_compared_and_written_down(folders, tmp_path, capsys):
    mine, theirs = folders
    out = tmp_path / "out"
    command = ["evaluate", str(mine), "--against", str(theirs), "-o", str(out)]
    assert main(command) == 0
    rows = [line.split(" | ") for line in capsys.readouterr().out.splitlines()]
    names = "labels", "mine", "theirs", "mSA", "F1", "only theirs", "only mine"
    assert rows[0][: len(names)] == [f"| {names[0]}", *names[1:]]
    assert rows[2][1:6] == ["2", "2", "1.000", "1.000", "0"]
    assert rows[3][1:] == ["4", "6", "0.615", "0.833", "1", "0", "1", "0", "0", "0 |"]
    assert rows[4][0] == "| mean"
    lines = (out / "differences.csv").read_text().splitlines()
    assert lines[0] == "labels,plane,what,mine,theirs,row,column,pixels,distance"
    assert lines[1].endswith('b.tif,0,"one of mine, several of theirs",2,2 3,24.5,29.5,200,0')
    assert lines[2].endswith("b.tif,0,only theirs,,4,4.5,53.5,48,")
    assert len(lines) == 3
    assert (out / "table.md").read_text().startswith("| labels |")


def test_the_figures_come_as_json(folders, capsys):
    mine, theirs = folders
    assert main(["evaluate", str(mine), "--against", str(theirs), "--json", "--quiet"]) == 0
    found = json.loads(capsys.readouterr().out)["pictures"]
    assert found[str(mine / "b.tif")]["only theirs"] == 1
    assert found[str(mine / "a.tif")]["f1"] == 1


def test_other_shapes_and_missing_files_fail_and_the_rest_is_compared(folders, capsys):
    mine, theirs = folders
    tifffile.imwrite(theirs / "a.tif", np.ones((4, 5), np.uint8))
    tifffile.imwrite(mine / "c.tif", np.ones((4, 5), np.uint8))
    assert main(["evaluate", str(mine), "--against", str(theirs), "--quiet"]) == 1
    err = capsys.readouterr().err
    assert "2 of 3 failed" in err
    assert "it has the shape (40, 60), and" in err
    assert "must have the same name" in err


def test_what_needs_a_model_is_refused(folders, capsys):
    mine, theirs = folders
    assert main(["evaluate", str(mine), "--against", str(theirs), "--held-out"]) == 1
    assert "does not go with --held-out" in capsys.readouterr().err
