"""Real windows: the panel closed and opened again, hidden and shown, while pictures come and go."""

from __future__ import annotations

import gc

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QPushButton

from tests.widgets.conftest import ours, picture
from tests.widgets.hands import Hands

pytestmark = pytest.mark.gui

TURNS = 20


class Desk(Hands):
    """A viewer whose panel is opened from the menu and closed with the buttons of its dock."""

    def __init__(self, viewer):
        self.viewer = viewer
        self.open()

    def open(self):
        menu = self.viewer.window.add_plugin_dock_widget
        self.dock, panel = menu("napari-sam", "Click to segment")
        super().__init__(self.viewer, panel)
        self.focus()
        self.settle()
        self.wait_until(lambda: not panel.resuming.busy)

    def press_on_dock(self, name):
        button = self.dock.titleBarWidget().findChild(QPushButton, name)
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        self.wait(0.05)

    def close(self):
        self.press_on_dock("QTitleBarCloseButton")

    def hide(self):
        self.press_on_dock("QTitleBarHideButton")

    def show(self):
        self.dock.toggleViewAction().trigger()  # as the menu does
        self.focus()
        self.settle()


@pytest.fixture(autouse=True)
def quick_garbage():
    """napari collects garbage for every layer that goes: let it look at what is new only."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def desk(make_napari_viewer, monkeypatch, host):
    monkeypatch.setattr("napari_sam.widgets.panel.ModelHost", lambda: host)

    def desk(*shape):
        viewer = make_napari_viewer(show=True)
        viewer.add_image(picture(*(shape or (80, 120))), name="cells")
        return Desk(viewer)

    return desk


def test_closed_and_opened_again_with_a_click_each_time(desk):
    """napari used to draw from memory that was not there, and the process ended."""
    d = desk()
    for _ in range(TURNS):
        d.click(20, 90)
        np.testing.assert_allclose(ours(d.viewer, "points").data, [(20, 90)], atol=1)
        d.close()
        assert [layer.name for layer in d.viewer.layers] == ["cells"]
        d.open()
    d.click(20, 90)
    d.press(Qt.Key.Key_N)
    assert d.panel.annotation.target.data[20, 90] == 1


def test_pictures_change_between(desk):
    """Removed one by one or all at once, and others added, of other kinds and in the 3D view."""
    d = desk()
    shapes = [(3, 80, 120), (80, 120), (2, 3, 40, 60)]
    for turn in range(TURNS):
        position = (0,) * (d.panel.annotation.picture.ndim - 2) + (20, 30)
        d.click(*position)
        assert len(ours(d.viewer, "points").data) == 1
        d.press(Qt.Key.Key_N)
        if turn % 2:
            d.close()
        if turn % 4 < 2:
            d.viewer.layers.clear()
        else:
            del d.viewer.layers[:]
        d.wait(0.02)
        d.viewer.add_image(picture(*shapes[turn % 3]))
        d.viewer.dims.ndisplay = 3
        d.wait(0.02)
        if turn % 2:
            d.open()
        d.viewer.dims.ndisplay = 2
        d.viewer.reset_view()
        d.settle()


def test_layers_go_after_the_panel_did(desk):
    """The panel's guard over the canvas stays: what it left there goes as safely."""
    d = desk()
    for _ in range(5):
        d.click(20, 90)
        d.press(Qt.Key.Key_N)
        d.close()
        (objects,) = [layer for layer in d.viewer.layers if layer.name != "cells"]
        shapes = d.viewer.add_shapes(np.array([(5, 5), (20, 40)]), shape_type="line")
        d.wait(0.05)
        d.viewer.layers.remove(shapes)
        d.viewer.layers.remove(objects)
        d.wait(0.05)
        d.open()
