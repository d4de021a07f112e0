"""What the axes of a picture are: from its file, from what was said before, or by a question."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import tifffile
from napari.components import ViewerModel
from napari.layers import Image
from napari.layers._source import layer_source
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog

from napari_sam.settings import load_settings
from napari_sam.widgets.layers.image_stack import ImageStack
from napari_sam.widgets.objects.objects_model import Column
from tests.widgets.conftest import ours, picture

STACK = (4, 40, 60)
MICRONS = {"PhysicalSizeZ": 2.0, "PhysicalSizeY": 0.325, "PhysicalSizeX": 0.325}


@pytest.fixture
def opened(qtbot, open_panel, calm, tmp_path):
    """Return a function that opens a panel over a file, as a reader without metadata would."""

    def opened(write, data, name="a.tif", shown=None, **options):
        path = tmp_path / name
        write(path, data)
        with layer_source(path=str(path)):
            layer = Image(data if shown is None else shown, name="cells", **options)
        viewer = ViewerModel()
        viewer.add_layer(layer)
        panel = open_panel(viewer)
        qtbot.waitUntil(lambda: not panel.axes.busy)
        calm(panel)
        return viewer, panel

    return opened


@pytest.fixture
def rows(qtbot, settle, monkeypatch, tmp_path):
    """Return a function that saves measurements and reads them."""

    def rows(panel):
        path = tmp_path / "rows.csv"
        kind = "Measurements (*.csv)"
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), kind))
        panel.footer.measure.click()
        qtbot.waitUntil(lambda: not panel.saver.busy)
        assert path.exists(), panel.controls.remark.text()
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    return rows


def ome(axes, **more):
    about = {"axes": axes, **more}
    return lambda path, data: tifffile.imwrite(path, data, ome=True, metadata=about)


def plain(path, data):
    tifffile.imwrite(path, data, photometric="minisblack")


def question(panel):
    query = panel.controls.query
    return "" if query.isHidden() else query.text.text()


def push(panel, answer):
    next(b for b in panel.controls.query.buttons if b.text() == answer).click()


def draw(viewer, panel, settle, *position):
    for axis, at in enumerate(position[:-2]):
        viewer.dims.set_point(axis, at)
    ours(viewer, "points").add(position)
    settle(panel)
    panel.controls.accept.click()


class TestTheFile:
    def test_says_depth_and_pixel_size(self, opened, settle, rows):
        viewer, panel = opened(ome("ZYX", **MICRONS), picture(*STACK))
        assert question(panel) == ""
        said = "From the file: 4 slices, 0.325 µm a pixel, 2 µm from slice to slice."
        assert panel.controls.remark.text() == said
        assert list(viewer.layers["cells"].scale) == [1, 1, 1]  # nothing moves
        draw(viewer, panel, settle, 1, 10, 20)
        (row,) = rows(panel)
        voxels = np.count_nonzero(panel.annotation.target.data)
        assert float(row["volume_um3"]) == pytest.approx(voxels * 2 * 0.325**2)

    def test_says_that_it_is_a_time_series(self, opened, settle, rows):
        viewer, panel = opened(ome("TYX", **MICRONS), picture(*STACK))
        assert question(panel) == ""
        assert panel.annotation.picture.axis_word == "frame"
        draw(viewer, panel, settle, 1, 10, 20)
        panel.annotation.target.data[2] = panel.annotation.target.data[1]
        first, second = rows(panel)
        assert (first["label"], first["t"], second["t"]) == ("1", "1", "2")
        pixels = np.count_nonzero(panel.annotation.target.data[1])
        assert float(first["area_um2"]) == pytest.approx(pixels * 0.325**2)
        assert not [name for name in first if "volume" in name]

    def test_says_which_axis_the_channels_are(self, opened, settle):
        _, panel = opened(ome("CYX"), picture(3, 40, 60))
        assert panel.annotation.picture.shape == (40, 60)
        assert question(panel) == ""
        assert panel.controls.remark.text() == "From the file: 3 colours."

    def test_does_not_move_what_was_drawn_in_the_meantime(
        self, open_panel, calm, settle, tmp_path, monkeypatch, qtbot
    ):
        import threading

        from napari_sam.widgets.prompt import axes

        gate, read = threading.Event(), axes.spacing_of_array
        monkeypatch.setattr(axes, "spacing_of_array", lambda *args: gate.wait(10) and read(*args))
        path = tmp_path / "a.tif"
        ome("CYX")(path, picture(3, 40, 60))
        with layer_source(path=str(path)):
            layer = Image(picture(3, 40, 60))
        viewer = ViewerModel()
        viewer.add_layer(layer)
        panel = open_panel(viewer)
        ours(viewer, "points").add((1, 10, 20))
        settle(panel)
        gate.set()
        qtbot.waitUntil(lambda: not panel.axes.busy)
        calm(panel)
        assert panel.annotation.picture.shape == (3, 40, 60)
        assert panel.annotation.session.draft.points

    def test_counts_for_channels_that_a_reader_took_apart(self, opened):
        data = picture(3, 5, 40, 60)
        _, panel = opened(ome("TCYX", **MICRONS), data, shown=data[:, 2])
        assert panel.annotation.picture.axes.spacing.known[0] == "t"
        assert panel.annotation.picture.axes.spacing.scale[-1] == 0.325
        assert question(panel) == ""

    def test_counts_less_than_what_the_layer_says(self, opened):
        place = {"scale": (3, 0.5, 0.5), "units": ("um",) * 3, "axis_labels": ("t", "y", "x")}
        _, panel = opened(ome("ZYX", **MICRONS), picture(*STACK), **place)
        spacing = panel.annotation.picture.axes.spacing
        assert spacing.scale == (3, 0.5, 0.5)
        assert spacing.axes == "tyx"
        assert panel.controls.remark.text() == ""

    def test_of_another_shape_tells_nothing(self, opened):
        _, panel = opened(ome("TYX", **MICRONS), picture(*STACK), shown=picture(9, 40, 60))
        assert "slices in depth, or time points?" in question(panel)
        assert not panel.annotation.picture.axes.spacing.measured

    @pytest.mark.parametrize("content", [b"", b"no picture"])
    def test_that_cannot_be_read_is_no_trouble(self, opened, content):
        _, panel = opened(lambda path, _: path.write_bytes(content), picture(9, 40, 60))
        assert "slices in depth, or time points?" in question(panel)
        assert panel.controls.remark.text() == ""


class TestTheQuestion:
    @pytest.mark.parametrize(
        ("said", "word", "rows_of"), [("Slices in depth", "slice", 1), ("Time points", "frame", 2)]
    )
    def test_tells_depth_from_time(self, opened, settle, rows, said, word, rows_of):
        viewer, panel = opened(plain, picture(9, 40, 60))
        assert question(panel) == "'cells' holds 9 images: slices in depth, or time points?"
        push(panel, said)
        assert question(panel) == ""
        assert panel.annotation.picture.axis_word == word
        draw(viewer, panel, settle, 1, 10, 20)
        panel.annotation.target.data[2] = panel.annotation.target.data[1]
        found = rows(panel)
        assert len(found) == rows_of
        assert ("volume_px3" in found[0]) is (word == "slice")
        assert "nobody has said" not in panel.controls.remark.text()

    def test_without_an_answer_it_is_depth_and_that_is_said(self, opened, settle, rows):
        viewer, panel = opened(plain, picture(9, 40, 60))
        draw(viewer, panel, settle, 1, 10, 20)
        (row,) = rows(panel)
        assert "volume_px3" in row
        assert "nobody has said" in panel.controls.remark.text()

    def test_is_not_put_again_for_such_files(self, opened):
        _, panel = opened(plain, picture(9, 40, 60))
        push(panel, "Time points")
        assert load_settings().axes == {".tif, axis 0 of 3": "t"}
        panel.close_panel()
        _, panel = opened(plain, picture(7, 30, 30), name="b.tif")
        assert question(panel) == ""
        assert panel.annotation.picture.axis_word == "frame"
        assert "Taken as time points, as you said before" in panel.controls.remark.text()
        panel.close_panel()
        _, panel = opened(plain, picture(7, 30, 30), name="c.lsm")
        assert question(panel)

    def test_the_answer_can_be_changed(self, opened):
        _, panel = opened(plain, picture(9, 40, 60))
        choice, heads = panel.controls.channels.stack, panel.controls.objects.model.headerData
        assert choice.currentIndex() == -1
        push(panel, "Time points")
        assert choice.currentText() == "Time points"
        assert heads(Column.SLICES, Qt.Orientation.Horizontal) == "Frames"
        choice.activated.emit(0)
        assert choice.currentText() == "Slices in depth"
        assert heads(Column.SLICES, Qt.Orientation.Horizontal) == "Slices"
        assert panel.annotation.picture.axis_word == "slice"
        assert load_settings().axes == {".tif, axis 0 of 3": "z"}

    def test_the_file_can_be_contradicted(self, opened):
        _, panel = opened(ome("ZYX"), picture(*STACK))
        choice = panel.controls.channels.stack
        assert choice.currentText() == "Slices in depth"
        choice.activated.emit(1)
        assert panel.annotation.picture.axes.spacing.axes == "tyx"
        assert question(panel) == ""

    def test_of_two_axes_asks_which_is_time(self, opened):
        _, panel = opened(plain, picture(7, 9, 40, 60))
        assert question(panel) == "'cells' holds 7 times 9 images: which are the time points?"
        buttons = [button.text() for button in panel.controls.query.buttons]
        assert buttons == ["7 time points, 9 slices", "7 slices, 9 time points"]
        push(panel, buttons[1])
        stack = panel.annotation.picture
        assert stack.axes.spacing.axes == "ztyx"
        assert stack.axes.name_of((3, 5, None, None)) == "slice 3, frame 5"

    def test_comes_after_the_one_about_colours(self, opened):
        _, panel = opened(plain, picture(3, 9, 40, 60))
        assert question(panel) == "Axis 0 of 'cells' has 3 entries: are they colours?"
        push(panel, "Colours")
        assert question(panel) == "'cells' holds 9 images: slices in depth, or time points?"
        push(panel, "Time points")
        assert question(panel) == ""
        assert panel.annotation.picture.axes.spacing.axes == "tyx"
        assert panel.annotation.picture.axis_word == "frame"


@pytest.mark.parametrize(
    ("shape", "labels", "word", "name"),
    [
        ((9, 40, 60), ("t", "y", "x"), "frame", "frame 3"),
        ((9, 40, 60), ("z", "y", "x"), "slice", "slice 3"),
        ((9, 40, 60), ("-3", "-2", "-1"), "slice", "slice 3"),
    ],
)
def test_words(shape, labels, word, name):
    stack = ImageStack(Image(np.zeros(shape, np.uint8), axis_labels=labels))
    assert stack.axis_word == word
    assert stack.axes.name_of((3, None, None)) == name


@pytest.mark.parametrize(
    ("labels", "name"),
    [
        (("t", "z", "y", "x"), "frame 3, slice 5"),
        (("t", "-3", "-2", "-1"), "frame 3, slice 5"),
        (("-4", "z", "-2", "-1"), "frame 3, slice 5"),
        (("-4", "-3", "-2", "-1"), "slice 3, 5"),
        (("t", "c", "y", "x"), "frame 3"),
    ],
)
def test_words_of_two_axes(labels, name):
    stack = ImageStack(Image(np.zeros((7, 9, 4, 6), np.uint8), axis_labels=labels))
    assert stack.axes.name_of((3, 5, None, None)) == name


@pytest.mark.parametrize(("order", "count"), [("ZCYX", 1), ("TCYX", 2), ("TYXC", 2)])
def test_measured_with_channels_inside(open_panel, settle, rows, order, count):
    shape = {"Z": 7, "T": 7, "C": 3, "Y": 40, "X": 60}
    viewer = ViewerModel()
    data = picture(*(shape[letter] for letter in order))
    cells = viewer.add_image(data, axis_labels=tuple(order), rgb=False)
    panel = open_panel(viewer)
    at = [{"Y": 10, "X": 20, "C": 0}.get(letter, 2) for letter in order]
    viewer.dims.set_point(range(4), cells.data_to_world(at))
    draw(viewer, panel, settle, *at)
    panel.annotation.target.data[3] = panel.annotation.target.data[2]
    found = rows(panel)
    assert len(found) == count
    assert {"intensity_mean_c0", "intensity_mean_c2"} <= set(found[0])
    assert ("volume_px3" in found[0]) is (order[0] == "Z")
