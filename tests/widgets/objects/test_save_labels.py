"""Saving the labels from the panel."""

from __future__ import annotations

import csv
import threading
from pathlib import Path

import numpy as np
import pytest
import tifffile
from napari.components import ViewerModel
from napari.layers._source import layer_source
from qtpy.QtWidgets import QFileDialog, QMessageBox

from napari_sam.io.export import read_objects
from napari_sam.io.labels import open_labels
from napari_sam.io.objects.instances import paint
from napari_sam.widgets.objects import save_labels
from tests.widgets.conftest import ours, picture


@pytest.fixture
def viewer():
    viewer = ViewerModel()
    viewer.add_image(
        picture(3, 40, 60), name="cells: day/1", scale=(2, 0.5, 0.5), units=("um",) * 3
    )
    return viewer


@pytest.fixture
def panel(viewer, open_panel, settle):
    panel = open_panel(viewer)
    settle(panel)
    ours(viewer, "points").add((1, 10, 20))
    settle(panel)
    return panel


@pytest.fixture
def save_as(panel, monkeypatch, qtbot):
    """Return a function that presses the button and answers the dialog."""

    def save_as(path, kind="OME-TIFF (*.ome.tif)", wait=True):
        asked = []

        def answer(parent, title, start, kinds):
            asked.append((start, kinds))
            return str(path), kind

        monkeypatch.setattr(QFileDialog, "getSaveFileName", answer)
        (panel.footer.measure if "csv" in kind else panel.footer.save).click()
        if wait:
            qtbot.waitUntil(lambda: not panel.saver.busy)
        return asked

    return save_as


@pytest.mark.parametrize(
    ("typed", "written"),
    [("a.ome.csv", "a.csv"), ("a.ome.geojson", "a.geojson"), ("a.OME.csv", "a.csv")],
)
def test_the_ome_of_a_picture_is_not_kept_before_other_endings(
    panel, save_as, tmp_path, typed, written
):
    """Qt replaces only the last ending where somebody chooses another format."""
    panel.controls.accept.click()
    save_as(tmp_path / "out" / typed, "Measurements (*.csv)")
    assert [path.name for path in (tmp_path / "out").iterdir()] == [written]


def test_a_file_that_gets_another_name_is_replaced_only_if_one_says_so(
    panel, save_as, tmp_path, monkeypatch
):
    panel.controls.accept.click()
    there = tmp_path / "a.csv"
    there.write_text("mine")
    said = []
    monkeypatch.setattr(
        QMessageBox,
        "question",
        lambda *args: said.append(args) or QMessageBox.StandardButton.No,
    )
    save_as(tmp_path / "a.ome.csv", "Measurements (*.csv)", wait=False)
    assert len(said) == 1
    assert there.read_text() == "mine"


def test_the_offered_name_has_no_ome_of_the_picture(panel, save_as, tmp_path):
    panel.controls.accept.click()
    panel.annotation.target.name = "cells.ome objects"
    ((start, _),) = save_as(tmp_path / "a.tif")
    assert start.endswith("cells objects.ome.tif")


@pytest.mark.parametrize(
    ("typed", "kind", "written"),
    [
        ("a.ome.tif", "OME-TIFF (*.ome.tif)", "a.ome.tif"),
        ("a.ome.zarr", "OME-Zarr (*.ome.zarr)", "a.ome.zarr"),
        ("a", "OME-Zarr (*.ome.zarr)", "a.ome.zarr"),
        ("day 1.5", "OME-TIFF (*.ome.tif)", "day 1.5.ome.tif"),
        ("a.tiff", "OME-Zarr (*.ome.zarr)", "a.tiff"),
    ],
)
def test_labels_are_saved_where_one_says(panel, save_as, tmp_path, typed, kind, written):
    panel.controls.accept.click()
    save_as(tmp_path / "out" / typed, kind)
    assert [path.name for path in (tmp_path / "out").iterdir()] == [written]
    with open_labels(tmp_path / "out" / written) as found:
        np.testing.assert_array_equal(found[...], panel.annotation.target.data)
    assert str(tmp_path / "out" / written) in panel.controls.remark.text()


@pytest.mark.parametrize("answer", ["No", "Yes"])
def test_a_file_that_the_dialog_did_not_see_is_asked_about(
    panel, save_as, tmp_path, monkeypatch, answer
):
    panel.controls.accept.click()
    (tmp_path / "a.ome.tif").write_bytes(b"mine")
    asked = []
    button = getattr(QMessageBox.StandardButton, answer)
    monkeypatch.setattr(QMessageBox, "question", lambda *args: asked.append(args) or button)
    save_as(tmp_path / "a")
    assert "a.ome.tif" in asked[0][2]
    assert ((tmp_path / "a.ome.tif").read_bytes() == b"mine") is (answer == "No")


def test_pixels_keep_their_size(panel, save_as, tmp_path):
    panel.controls.accept.click()
    save_as(tmp_path / "a.ome.tif")
    with tifffile.TiffFile(tmp_path / "a.ome.tif") as file:
        assert 'PhysicalSizeZ="2.0" PhysicalSizeZUnit="µm"' in file.ome_metadata


@pytest.mark.parametrize("ending", ["zip", "geojson", "json"])
def test_other_programs_get_objects_with_their_class(panel, save_as, tmp_path, ending):
    panel.controls.accept.click()
    (name,) = set(panel.annotation.session.classes.values())
    path = tmp_path / f"a.{ending}"
    save_as(path)
    drawn = read_objects(path, (3, 40, 60), "zyx")
    np.testing.assert_array_equal(paint(drawn)[0], panel.annotation.target.data)
    assert {piece.name for piece in drawn.pieces} == {name}


def test_measurements_know_pixel_size_and_brightness(panel, save_as, tmp_path):
    panel.controls.accept.click()
    save_as(tmp_path / "a", "Measurements (*.csv)")
    mask = panel.annotation.target.data > 0
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert float(row["volume_um3"]) == mask.sum() * 2 * 0.5 * 0.5
    brightness = panel.annotation.picture.data[mask].mean()
    assert float(row["intensity_mean"]) == pytest.approx(brightness)
    said = panel.controls.remark.text()
    assert said.startswith(f"The objects are measured: {tmp_path / 'a.csv'}")


def test_a_name_is_offered_that_every_system_takes(panel, save_as, tmp_path):
    panel.controls.accept.click()
    ((start, kinds),) = save_as("")
    assert Path(start).name == "cells_ day_1 objects.ome.tif"
    assert "OME-TIFF" in kinds
    assert "OME-Zarr" in kinds
    assert not panel.saver.busy


def test_without_labels_it_says_what_to_do(panel, save_as):
    assert save_as("never asked") == []
    assert "accept a mask first" in panel.controls.remark.text()


def test_what_is_saved_is_what_was_there_and_annotating_goes_on(
    viewer, panel, save_as, settle, tmp_path, monkeypatch, qtbot
):
    panel.controls.accept.click()
    before = panel.annotation.target.data.copy()
    begun, go_on = threading.Event(), threading.Event()

    def slowly(path, labels, spacing, **more):
        begun.set()
        assert go_on.wait(10)
        original(path, labels, spacing, **more)

    original = save_labels.write_objects
    monkeypatch.setattr(save_labels, "write_objects", slowly)
    save_as(tmp_path / "a.tif", wait=False)
    assert begun.wait(10)
    ours(viewer, "points").add((1, 30, 40))
    settle(panel)
    panel.controls.accept.click()
    assert (panel.annotation.target.data != before).any()
    go_on.set()
    qtbot.waitUntil(lambda: not panel.saver.busy)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "a.tif"), before)


def test_an_error_is_said_and_nothing_is_lost(panel, save_as, tmp_path):
    panel.controls.accept.click()
    (tmp_path / "file").write_text("in the way")
    save_as(tmp_path / "file" / "a.tif")
    assert "The labels were not saved" in panel.controls.remark.text()
    save_as(tmp_path / "file" / "a", "Measurements (*.csv)")
    assert "The objects were not measured" in panel.controls.remark.text()
    assert panel.annotation.target.data.any()
    save_as(tmp_path / "a.tif")
    assert (tmp_path / "a.tif").exists()


def test_the_picture_is_never_replaced(viewer, panel, save_as, tmp_path):
    path = tmp_path / "picture.tif"
    tifffile.imwrite(path, picture(40, 60))
    before = path.read_bytes()
    with layer_source(path=str(path)):
        viewer.add_image(picture(40, 60))
    panel.controls.accept.click()
    save_as(path)
    assert "is an input, too" in panel.controls.remark.text()
    assert path.read_bytes() == before


def test_closing_the_panel_lets_the_file_be_finished(panel, save_as, tmp_path, qtbot):
    panel.controls.accept.click()
    save_as(tmp_path / "a.tif", wait=False)
    panel.close_panel()
    qtbot.waitUntil(lambda: (tmp_path / "a.tif").exists())
