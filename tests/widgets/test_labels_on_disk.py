"""Somebody annotates a picture whose labels lie on disk, in several levels, in a real window."""

from __future__ import annotations

import numpy as np
import pytest
import zarr
from qtpy.QtCore import Qt

from napari_sam.io.label_stores import opening
from napari_sam.io.label_stores.opening import new_store, open_store
from napari_sam.io.spacing import Spacing
from napari_sam.widgets import model_use
from napari_sam.widgets.layers.labels_target import store_of
from napari_sam.widgets.panel import Panel
from tests.widgets.hands import Hands
from tests.widgets.saved.resumed import question

pytestmark = pytest.mark.gui

SHAPE = (600, 800)


@pytest.fixture
def open_picture(make_napari_viewer, host, monkeypatch, tmp_path):
    """Return a function that opens a picture of two levels and the panel in a new window."""
    monkeypatch.setattr(model_use, "PATIENCE_MS", 1)
    monkeypatch.setattr(opening, "SHARE", 0)  # of the memory
    pixels = np.random.default_rng(0).integers(0, 255, SHAPE, dtype=np.uint8)
    levels = []
    for level, data in enumerate((pixels, pixels[::2, ::2])):
        levels.append(zarr.create_array(tmp_path / f"{level}", data=data, chunks=(128, 128)))

    def open_picture():
        viewer = make_napari_viewer(show=True)
        viewer.add_image(levels, multiscale=True, name="slide", contrast_limits=(0, 255))
        panel = Panel(viewer, host)
        viewer.window.add_dock_widget(panel, name="Click to segment")
        person = Hands(viewer, panel)
        person.focus()
        person.settle()
        return person

    return open_picture


def accept(person, row, column):
    person.click(row, column)
    person.press(Qt.Key.Key_N)


def stored(path):
    return [level[:] for level in open_store(path)]


def test_labels_that_are_large_go_to_the_disk_and_come_back(open_picture):
    person = open_picture()
    accept(person, 100, 120)
    panel = person.panel
    path = store_of(panel.annotation.target)
    assert "they are on disk" in panel.annotation.queries.current.text
    (fine,) = stored(path)  # 600 x 800 is one level
    assert np.count_nonzero(fine) == np.count_nonzero(fine == fine[100, 120]) > 50
    accept(person, 300, 400)
    both = stored(path)[0]
    assert both[300, 400] == 2
    panel.controls.undo.click()
    np.testing.assert_array_equal(stored(path)[0], fine)
    panel.controls.redo.click()
    np.testing.assert_array_equal(stored(path)[0], both)
    panel.close_panel()
    person.viewer.close()

    again = open_picture()
    again.wait_until(lambda: question(again.panel))
    again.panel.controls.go_on.answers[0].click()
    again.wait_until(lambda: again.panel.annotation.target is not None)
    again.settle()
    assert store_of(again.panel.annotation.target) == path
    assert list(again.panel.annotation.session.objects) == [1, 2]
    np.testing.assert_array_equal(stored(path)[0], both)
    accept(again, 500, 200)
    assert stored(path)[0][500, 200] == 3


def test_labels_that_are_opened_are_written_in_all_levels(open_picture, tmp_path):
    person = open_picture()
    levels = new_store(tmp_path / "mine.zarr", SHAPE, np.dtype("u2"), Spacing.usual(2))
    levels[0][500, 700] = 40  # so small that no other level shows it
    coarse = zarr.create_array(tmp_path / "coarse", shape=(300, 400), dtype="u2", chunks=(64, 64))
    layer = person.viewer.add_labels([*levels, coarse], multiscale=True, name="mine")
    person.panel.controls.labels.choose(layer)
    accept(person, 100, 120)
    assert person.panel.annotation.target is layer
    fine = levels[0][:]
    assert fine[100, 120] == 41
    np.testing.assert_array_equal(coarse[:], fine[1::2, 1::2])
    person.panel.controls.undo.click()
    assert np.count_nonzero(levels[0][:]) == 1
    assert not coarse[:].any()
