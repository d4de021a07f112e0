"""Real windows: the panel closed and opened again, hidden and shown, while pictures come and go."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QPushButton, QWidget

from napari_sam.errors import DISTRIBUTION
from tests.widgets.conftest import ours, picture
from tests.widgets.hands import Hands

pytestmark = pytest.mark.gui

TURNS = 20


def alive():
    """Return the kinds of panel and session that have instances, made since the test began."""
    gc.collect()
    ours = ("napari_sam.widgets.", "napari_sam.session.")
    kinds = {type(one) for one in gc.get_objects()}
    return {kind.__name__ for kind in kinds if str(kind.__module__).startswith(ours)}


class Desk(Hands):
    """A viewer whose panel is opened from the menu and closed with the buttons of its dock."""

    def __init__(self, viewer):
        self.viewer = viewer
        self.open()

    def open(self):
        menu = self.viewer.window.add_plugin_dock_widget
        self.dock, panel = menu(DISTRIBUTION, "Click to segment")
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


@pytest.mark.skipif(sys.platform != "linux", reason="counts the bytes of glibc's heap")
def test_closed_and_opened_again_with_a_click_each_time():
    """In a process of its own, whose Python keeps its objects in the heap that is counted."""
    alone = Path(__file__).with_name("closing.py")
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(alone)],
        capture_output=True,
        text=True,
        timeout=900,
        env=os.environ | {"PYTHONMALLOC": "malloc"},
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "1 passed" in ended.stdout


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
    for _ in range(2):
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


def test_a_closed_panel_leaves_nothing_in_memory(desk):
    d = desk()
    d.click(20, 90)
    d.press(Qt.Key.Key_N)
    d.click(60, 30)
    d.hide()
    d.show()
    assert {"Panel", "Annotation", "PromptLayers", "Session"} <= alive()
    d.close()
    d.dock = d.panel = None
    d.wait(0.1)
    assert alive() == {"_CanvasGuard"}


def test_hidden_and_shown(desk):
    """By its eye and from the menu: at rest and at work in turn, with what was drawn."""
    d = desk()
    d.click(20, 90)
    for _ in range(TURNS):
        d.hide()
        d.click(60, 30)
        d.press(Qt.Key.Key_N)
        assert len(ours(d.viewer, "points").data) == 1
        d.show()
    assert d.panel.annotation.target is None
    d.click(22, 92)
    assert len(ours(d.viewer, "points").data) == 2
    d.press(Qt.Key.Key_N)
    assert d.panel.annotation.target.data[20, 90] == 1


def test_behind_another_tab_it_stays_at_work(desk, model):
    """It is not closed to anybody: its tab is in sight, and its keys and clicks go together."""
    d = desk()
    d.viewer.window.add_dock_widget(QWidget(), name="other", tabify=True)
    d.wait_until(lambda: d.panel.visibleRegion().isEmpty())
    d.focus()
    d.click(20, 90)
    d.press(Qt.Key.Key_N)
    assert d.panel.annotation.target.data[20, 90] == 1


def test_a_minimised_window_is_not_hidden(desk):
    d = desk()
    d.press(Qt.Key.Key_G)
    d.window.showMinimized()
    d.wait(0.1)
    assert d.panel.annotation.pointing.takes_clicks
    d.window.showNormal()
    d.focus()
    d.click(20, 90)
    assert len(d.panel.annotation.session.draft.points) == 1


def test_floating_and_back_it_stays_at_work(desk):
    d = desk()
    d.click(20, 90)
    ours(d.viewer, "points").mode = "select"
    d.dock.setFloating(True)
    d.wait(0.05)
    d.dock.setFloating(False)
    d.wait(0.05)
    d.focus()
    assert str(ours(d.viewer, "points").mode) == "select"
    d.press(Qt.Key.Key_N)
    assert d.panel.annotation.target.data[20, 90] == 1
