"""Real windows: the mouse clicks on the canvas, keys are pressed, pixels of the labels are read."""

from __future__ import annotations

import threading
from itertools import pairwise

import numpy as np
import pytest
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QLineEdit

from napari_sam.widgets.panel import Panel
from tests.widgets.conftest import ours, picture

pytestmark = pytest.mark.gui


class Desk:
    """A viewer with a panel, and hands to use it."""

    def __init__(self, qtbot, viewer, host):
        self.qtbot, self.viewer = qtbot, viewer
        self.panel = Panel(viewer, host)
        self.dock = viewer.window.add_dock_widget(self.panel, name="Click to segment")
        self.canvas = viewer.window._qt_viewer.canvas.native
        self.focus()
        qtbot.wait(50)

    def focus(self):
        window = self.viewer.window._qt_window
        window.activateWindow()
        self.canvas.setFocus()
        self.qtbot.waitUntil(lambda: QApplication.activeWindow() is window)

    def at(self, *position):
        """Where a pixel of the picture lies on the canvas."""
        world = self.panel.annotation.picture.layer.data_to_world(position)
        camera = self.viewer.scene.camera
        y, x = (np.array(world[-2:]) - camera.center[-2:]) * camera.zoom
        return QPoint(round(x + self.canvas.width() / 2), round(y + self.canvas.height() / 2))

    def move(self, place, held=Qt.MouseButton.NoButton):
        # QTest.mouseMove would move the real pointer too, whose events come late on a busy machine.
        local, globally = QPointF(place), QPointF(self.canvas.mapToGlobal(place))
        none = Qt.KeyboardModifier.NoModifier
        kind = QEvent.Type.MouseMove, local, globally, Qt.MouseButton.NoButton, held, none
        QApplication.sendEvent(self.canvas, QMouseEvent(*kind))

    def click(self, *position):
        self.move(self.at(*position))
        QTest.mouseClick(self.canvas, Qt.MouseButton.LeftButton, pos=self.at(*position))
        self.settle()

    def drag(self, *positions):
        left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        QTest.mousePress(self.canvas, left, none, self.at(*positions[0]))
        for start, end in pairwise(np.array(positions)):
            for position in ((start + end) / 2, end):
                self.qtbot.waitUntil(lambda at=position: self.drag_to(at))
        QTest.mouseRelease(self.canvas, left, none, self.at(*positions[-1]))
        self.settle()

    def drag_to(self, position):
        # napari leaves out moves that follow each other closely: move until it has seen one.
        self.move(self.at(*position), Qt.MouseButton.LeftButton)
        seen = self.panel.annotation.picture.layer.world_to_data(self.viewer.cursor.position)
        return np.allclose(seen[-2:], position[-2:], atol=1)

    def press(self, key, modifier=Qt.KeyboardModifier.NoModifier):
        QTest.keyClick(self.canvas, key, modifier)
        self.settle()

    def settle(self):
        self.qtbot.wait(20)
        self.qtbot.waitUntil(lambda: not self.panel.jobs.busy)

    @property
    def labels(self):
        return self.panel.annotation.target.data


@pytest.fixture
def desk(make_napari_viewer, qtbot, host):
    def desk(data=None, **options):
        viewer = make_napari_viewer(show=True)
        viewer.add_image(picture(80, 120) if data is None else data, **options)
        return Desk(qtbot, viewer, host)

    return desk


@pytest.mark.parametrize(
    ("data", "options"),
    [
        (None, {}),
        (None, {"scale": (0.3, 0.3), "translate": (40, -7), "rotate": 25}),
        (picture(80, 120, 3), {"rgb": True}),
    ],
    ids=["plain", "scaled, moved and turned", "rgb"],
)
def test_click_and_accept(desk, data, options):
    d = desk(data, **options)
    d.click(20, 90)
    np.testing.assert_allclose(ours(d.viewer, "points").data, [(20, 90)], atol=1)
    shown = ours(d.viewer, "preview").data
    np.testing.assert_allclose(np.argwhere(shown == 1).mean(axis=0), (20, 90), atol=1)
    d.press(Qt.Key.Key_N)
    np.testing.assert_array_equal(d.labels, shown)
    d.click(60, 30)
    d.press(Qt.Key.Key_N)
    np.testing.assert_allclose(np.argwhere(d.labels == 2).mean(axis=0), (60, 30), atol=1)


def test_only_the_slice_on_show(desk):
    d = desk(picture(6, 80, 120), scale=(4, 1, 1))
    d.viewer.dims.set_point(0, 12)
    d.click(3, 40, 60)
    d.press(Qt.Key.Key_N)
    assert d.labels[3, 40, 60] == 1
    assert set(np.nonzero(d.labels)[0]) == {3}


def test_exclude_refines(desk, model):
    d = desk()
    d.click(40, 60)
    assert ours(d.viewer, "preview").data[40, 64] == 1
    d.press(Qt.Key.Key_Q)
    d.click(40, 68)
    assert list(model.asked[-1].labels) == [1, 0]
    d.press(Qt.Key.Key_N)
    assert d.labels[40, 57] == 1
    assert d.labels[40, 64] == 0


def test_a_box_drawn_from_the_lower_right(desk, model):
    d = desk()
    d.press(Qt.Key.Key_G)
    d.drag((60, 100), (20, 40))
    np.testing.assert_allclose(model.asked[-1].box, (20, 40, 60, 100), atol=1.5)
    d.press(Qt.Key.Key_N)
    assert d.labels[40, 70] == 1
    assert d.labels[22, 42] == 0


def test_delete_a_prompt_and_undo_that(desk):
    d = desk()
    d.click(20, 30)
    d.click(60, 90)
    assert ours(d.viewer, "preview").data[60, 90] == 1
    ours(d.viewer, "points").mode = "select"
    d.click(60, 90)
    d.press(Qt.Key.Key_Delete)
    assert len(ours(d.viewer, "points").data) == 1
    assert ours(d.viewer, "preview").data[60, 90] == 0
    d.press(Qt.Key.Key_U)
    assert ours(d.viewer, "preview").data[60, 90] == 1
    d.press(Qt.Key.Key_U, Qt.KeyboardModifier.ShiftModifier)
    d.press(Qt.Key.Key_N)
    assert d.labels[20, 30] == 1
    assert d.labels[60, 90] == 0


def test_cycle_and_reject(desk):
    d = desk()
    d.click(40, 60)
    first = ours(d.viewer, "preview").data.sum()
    d.press(Qt.Key.Key_W)
    assert ours(d.viewer, "preview").data.sum() > first
    d.press(Qt.Key.Key_N, Qt.KeyboardModifier.ShiftModifier)
    assert not ours(d.viewer, "preview").data.any()
    assert d.panel.annotation.target is None


def test_letters_typed_into_a_text_field_are_no_commands(desk):
    d = desk()
    d.click(40, 60)
    field = QLineEdit()
    d.viewer.window.add_dock_widget(field)
    field.setFocus()
    QTest.keyClicks(field, "nuqgw")
    assert field.text() == "nuqgw"
    assert d.panel.annotation.target is None
    assert len(ours(d.viewer, "points").data) == 1


def test_keys_work_while_the_panel_floats(desk):
    d = desk()
    d.dock.setFloating(True)
    d.qtbot.wait(50)
    d.focus()
    d.click(40, 60)
    d.press(Qt.Key.Key_N)
    assert d.labels[40, 60] == 1


def test_keys_work_in_the_stack_tab_and_say_there_what_came_of_it(desk):
    d = desk(picture(3, 80, 120))
    d.panel.tabs.setCurrentWidget(d.panel.stack.controls)
    d.focus()
    d.click(1, 40, 60)
    d.press(Qt.Key.Key_N)
    assert d.labels[1, 40, 60] == 1
    assert d.panel.stack.controls.remark.isVisible()
    assert d.panel.stack.controls.remark.text().startswith("Object 1 is in the labels")
    d.press(Qt.Key.Key_U)
    assert not d.labels.any()


def test_a_question_is_asked_where_it_is_seen(desk):
    d = desk(picture(3, 80, 120))
    d.click(1, 40, 60)
    d.press(Qt.Key.Key_N)
    rule = d.panel.controls.rule
    rule.setCurrentIndex(rule.findData("ask"))
    d.panel.tabs.setCurrentWidget(d.panel.stack.controls)
    d.focus()
    d.click(1, 40, 66)
    d.press(Qt.Key.Key_N)
    assert d.panel.controls.question.isVisible()


def test_the_panel_is_closed_while_the_model_works(desk, model):
    d = desk()
    gate, predict = threading.Event(), model.predict
    model.predict = lambda *args: (gate.wait(10), predict(*args))[1]
    QTest.mouseClick(d.canvas, Qt.MouseButton.LeftButton, pos=d.at(40, 60))
    d.qtbot.waitUntil(lambda: d.panel.jobs.busy)
    d.viewer.window.remove_dock_widget(d.dock)
    assert [type(layer).__name__ for layer in d.viewer.layers] == ["Image"]
    gate.set()
    d.qtbot.wait(100)
    assert [type(layer).__name__ for layer in d.viewer.layers] == ["Image"]
    QTest.keyClick(d.canvas, Qt.Key.Key_N)


def test_the_viewer_is_closed_while_the_model_works(desk, model):
    d = desk()
    gate, predict = threading.Event(), model.predict
    model.predict = lambda *args: (gate.wait(10), predict(*args))[1]
    QTest.mouseClick(d.canvas, Qt.MouseButton.LeftButton, pos=d.at(40, 60))
    d.qtbot.waitUntil(lambda: d.panel.jobs.busy)
    d.viewer.close()
    d.qtbot.wait(50)
    gate.set()
    d.qtbot.wait(100)


def test_two_viewers_at_once(desk):
    one, two = desk(), desk()
    assert one.panel._model is two.panel._model
    one.focus()
    one.click(20, 30)
    two.focus()
    two.click(60, 90)
    assert len(ours(one.viewer, "points").data) == len(ours(two.viewer, "points").data) == 1
    two.press(Qt.Key.Key_N)
    assert two.labels[60, 90] == 1
    assert one.panel.annotation.target is None
    one.focus()
    one.press(Qt.Key.Key_N)
    assert one.labels[20, 30] == 1
    assert one.labels[60, 90] == 0


def test_opened_from_the_menu_there_is_one(make_napari_viewer, monkeypatch, host):
    monkeypatch.setattr("napari_sam.widgets.panel.ModelHost", lambda: host)
    viewer = make_napari_viewer(show=True)
    viewer.add_image(picture(80, 120))
    dock, panel = viewer.window.add_plugin_dock_widget("napari-sam", "Click to segment")
    again, same = viewer.window.add_plugin_dock_widget("napari-sam", "Click to segment")
    assert again is dock
    assert same is panel
    assert panel.annotation.picture.layer is viewer.layers[0]
