"""`napari-sam convert`."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
import tifffile

from napari_sam.cli.main import main
from napari_sam.io.export import read_objects, write_instances, write_objects
from napari_sam.io.labels import open_labels
from napari_sam.io.objects.instances import cut_out
from napari_sam.io.spacing import Spacing


@pytest.fixture
def labels():
    labels = np.zeros((3, 20, 24), np.uint16)
    labels[1:, 2:9, 3:10] = 7
    labels[1, 4:6, 5:8] = 0
    labels[0, 12:15, 1:5] = 300
    return labels


@pytest.fixture
def folder(tmp_path, monkeypatch, labels):
    monkeypatch.chdir(tmp_path)
    about = Spacing.of(3, {"scale": (2, 0.5, 0.5), "units": ("micrometer",) * 3})
    write_objects(tmp_path / "cells.ome.tif", labels, about)
    image = np.stack([labels, labels + 1], axis=1)
    metadata = {"axes": "ZCYX", "spacing": 2, "unit": "micron"}
    tifffile.imwrite("image.tif", image, imagej=True, resolution=(2, 2), metadata=metadata)
    return tmp_path


def test_objects_go_round_through_every_format(folder, labels, capsys):
    names = ("a.zip", "b.geojson", "c.json", "d.zarr", "e.tif")
    before = "cells.ome.tif"
    for name in names:
        assert main(["convert", before, "-o", name, "--image", "image.tif"]) == 0
        assert capsys.readouterr().out.startswith("2 objects")
        before = name
    with open_labels(folder / "e.tif") as found:
        np.testing.assert_array_equal(found[...], labels)


def test_measurements_are_those_of_the_picture(folder, labels):
    assert main(["convert", "cells.ome.tif", "-o", "rois.zip"]) == 0
    assert main(["convert", "rois.zip", "-o", "cells.csv", "--image", "image.tif"]) == 0
    with open("cells.csv", newline="", encoding="utf-8") as file:
        rows = {row["label"]: row for row in csv.DictReader(file)}
    assert float(rows["7"]["volume_um3"]) == (labels == 7).sum() * 2 * 0.5 * 0.5
    assert float(rows["300"]["intensity_mean_c1"]) == 301


def test_what_the_axes_are_can_be_said(folder, labels, capsys):
    tifffile.imwrite("plain.tif", labels, photometric="minisblack")
    assert main(["convert", "plain.tif", "-o", "depth.csv"]) == 0
    assert main(["convert", "plain.tif", "-o", "time.csv", "--axes", "tyx"]) == 0
    rows = []
    for name in ("depth.csv", "time.csv"):
        with open(name, newline="", encoding="utf-8") as file:
            rows.append(list(csv.DictReader(file)))
    assert [row["label"] for row in rows[0]] == ["7", "300"]
    assert "volume_px3" in rows[0][0]
    assert [(row["t"], row["label"]) for row in rows[1]] == [("0", "300"), ("1", "7"), ("2", "7")]
    assert float(rows[1][2]["area_px2"]) == (labels[2] == 7).sum()
    assert not [name for name in rows[1][0] if "volume" in name]


@pytest.mark.parametrize("axes", ["yx", "tyz", "qyx", "tzyx", "yyx"])
def test_axes_that_cannot_be_are_refused(folder, capsys, axes):
    assert main(["convert", "cells.ome.tif", "-o", "a.csv", "--axes", axes]) == 1
    assert (
        f"3 different letters of tczyx, with yx the last; got '{axes}'" in capsys.readouterr().err
    )
    assert not (folder / "a.csv").exists()


def test_several_pictures_go_into_one_coco_file_and_out_again(folder, labels, capsys):
    write_objects(folder / "more.png", labels[1])
    assert main(["convert", "cells.ome.tif", "more.png", "-o", "all.json", "--polygons"]) == 0
    whole = json.loads((folder / "all.json").read_text())
    assert len(whole["images"]) == 4
    assert any(isinstance(one["segmentation"], list) for one in whole["annotations"])
    assert main(["convert", "all.json", "-o", "one.tif"]) == 1
    assert "cells.ome.tif, more.png" in capsys.readouterr().err
    assert main(["convert", "all.json", "-o", "one.tif", "--picture", "more.png"]) == 0
    with open_labels(folder / "one.tif") as found:
        np.testing.assert_array_equal(found[...], labels[1])


def test_a_folder_of_labels_becomes_one_coco_file_of_its_pictures_and_back(folder, labels, capsys):
    for place in ("pictures", "drawn"):
        (folder / place).mkdir()
    for number, name in enumerate("ab"):
        tifffile.imwrite(folder / "pictures" / f"{name}.tif", labels[number])
        write_objects(folder / "drawn" / f"{name}_labels.png", labels[number])
    for more in (["drawn"], ["drawn/*.png"]):
        assert main(["convert", *more, "-o", "all.json", "--image", "pictures"]) == 0
        whole = json.loads((folder / "all.json").read_text())
        assert [one["file_name"] for one in whole["images"]] == ["a.tif", "b.tif"]
    capsys.readouterr()
    assert main(["convert", "all.json", "-o", "back"]) == 0
    assert capsys.readouterr().out.startswith("2 objects on 2 pictures: ")
    for number, name in enumerate("ab"):
        np.testing.assert_array_equal(tifffile.imread(f"back/{name}_labels.tif"), labels[number])
    (folder / "pictures" / "b.tif").unlink()
    assert main(["convert", "drawn", "-o", "all.json", "--image", "pictures"]) == 1
    err = capsys.readouterr().err
    assert "drawn/b_labels.png  needs one picture called b in pictures; 0 are" in err


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["none.json", "-o", "back"], "there is no file"),
        (["cells.ome.tif", "-o", "back"], "objects are written as"),
        (["cells.ome.tif", "-o", "cells.jpg"], ".geojson"),
        (["cells.ome.tif", "-o", "cells.ome.tif"], "is an input, too"),
        (["cells.ome.tif", "image.tif", "-o", "a.zip"], "only into a .json"),
        (["none.geojson", "-o", "a.tif"], "there is no file"),
    ],
)
def test_what_cannot_be_done_is_said(folder, capsys, arguments, reason):
    before = (folder / "cells.ome.tif").read_bytes()
    assert main(["convert", *arguments]) == 1
    assert reason in capsys.readouterr().err
    assert (folder / "cells.ome.tif").read_bytes() == before


def test_classes_reach_the_table(folder):
    write_objects(folder / "a.geojson", np.eye(4, dtype=np.uint8), classes={1: "nucleus"})
    assert {piece.name for piece in read_objects(folder / "a.geojson").pieces} == {"nucleus"}
    assert main(["convert", "a.geojson", "-o", "a.csv"]) == 0
    assert "1,nucleus,4" in (folder / "a.csv").read_text()


def test_one_picture_of_a_coco_file_that_fails_takes_no_other_along(folder, labels, capsys):
    names = {"n" * 300: labels[1], "good.png": labels[1]}
    write_instances(folder / "all.json", {name: cut_out(one, "yx") for name, one in names.items()})
    assert main(["convert", "all.json", "-o", "back"]) == 1
    out, err = capsys.readouterr()
    assert out.startswith("1 objects on 1 pictures: ")
    assert "1 of 2 failed" in err
    np.testing.assert_array_equal(tifffile.imread("back/good_labels.tif"), labels[1])
