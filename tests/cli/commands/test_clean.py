"""`napari-sam clean`."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tifffile

from napari_sam.cli.main import main
from napari_sam.io.export import write_objects
from napari_sam.io.labels import open_labels
from napari_sam.io.scale import read_spacing
from napari_sam.io.spacing import Spacing


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Two files of labels: a stack of half a micrometer a pixel, and a plane."""
    monkeypatch.chdir(tmp_path)
    labels = np.zeros((4, 30, 40), np.uint16)
    labels[:, 5:20, 5:20] = 7
    labels[:, 10:12, 10:12] = 0
    labels[1, 27, 35] = 7
    (tmp_path / "in").mkdir()
    about = Spacing.of(3, {"scale": (2, 0.5, 0.5), "units": ("micrometer",) * 3})
    write_objects(tmp_path / "in" / "a_labels.tif", labels, about)
    tifffile.imwrite("in/b.tif", labels[1], photometric="minisblack")
    return tmp_path


def read(path):
    with open_labels(path) as labels:
        return np.asarray(labels)


def test_a_folder_is_cleaned_into_another_one(folder, capsys):
    assert main(["clean", "in", "-o", "out", "--fill-holes", "--largest"]) == 0
    assert "1 objects changed, 16 pixels gained, 1 lost" in capsys.readouterr().out
    found = read(folder / "out" / "a_labels.tif")
    assert (found[:, 5:20, 5:20] == 7).all()
    assert np.count_nonzero(found) == 4 * 15 * 15
    assert found.dtype == np.uint16
    np.testing.assert_array_equal(read(folder / "out" / "b.tif"), found[1])
    assert read_spacing(folder / "out" / "a_labels.tif", 3).scale == (2, 0.5, 0.5)
    assert main(["clean", "in", "-o", "out", "--fill-holes", "--largest", "--resume"]) == 0
    assert "done before" in capsys.readouterr().out


def test_lengths_in_micrometers(folder, capsys):
    assert main(["clean", "in/a_labels.tif", "-o", "um.tif", "--grow", "1", "--um"]) == 0
    assert main(["clean", "in/a_labels.tif", "-o", "px.tif", "--grow", "2"]) == 0
    np.testing.assert_array_equal(read(folder / "um.tif"), read(folder / "px.tif"))
    capsys.readouterr()
    assert main(["clean", "in", "-o", "out", "--grow", "1", "--um", "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert [one["source"] for one in said["labels"]] == ["in/a_labels.tif"]
    assert "micrometers" in said["failures"]["in/b.tif"]


def test_no_rule_and_the_input_as_output_are_refused(folder, capsys):
    assert main(["clean", "in", "-o", "out"]) == 1
    assert "--fill-holes" in capsys.readouterr().err
    assert main(["clean", "in", "-o", "in", "--smooth", "1"]) == 1
    assert "is an input" in capsys.readouterr().err
