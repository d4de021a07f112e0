"""Real windows: the mouse clicks on the canvas, keys are pressed, pixels of the labels are read."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import tifffile
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QLineEdit

from napari_sam.errors import DISTRIBUTION
from napari_sam.session.disk.folder import read_session
from napari_sam.session.disk.library import all_saved
from napari_sam.widgets.objects import save_labels
from napari_sam.widgets.panel import Panel
from tests.inference.moving import draw
from tests.widgets.conftest import ours, picture
from tests.widgets.hands import Hands
from tests.widgets.stack.conftest import FollowingSegmenter

pytestmark = pytest.mark.gui


class Desk(Hands):
    """A viewer with a panel, and hands to use it."""

    def __init__(self, qtbot, viewer, host):
        super().__init__(viewer, Panel(viewer, host))
        self.qtbot = qtbot
        self.dock = viewer.window.add_dock_widget(self.panel, name="Click to segment")
        self.focus()
        self.wait(0.05)

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
    rule = d.panel.controls.choices["rule"].native
    rule.setCurrentIndex(rule.findData("ask"))
    d.panel.tabs.setCurrentWidget(d.panel.stack.controls)
    d.focus()
    d.click(1, 40, 66)
    d.press(Qt.Key.Key_N)
    assert d.panel.controls.query.isVisible()


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


@pytest.mark.parametrize("model", [FollowingSegmenter()])
def test_the_viewer_is_closed_while_objects_are_followed(desk, model, qtbot, tmp_path):
    """The slices that have come are saved, and can be gone on with from another window."""
    d = desk(draw({1: lambda z: (14, 20, 6)}))
    d.panel.precompute.switch(False)
    d.viewer.dims.set_point(0, 4)
    d.click(4, 14, 20)
    d.press(Qt.Key.Key_N)
    model.go = threading.Semaphore(3)  # the slice it starts from is looked at, too
    d.panel.stack.controls.start.click()
    hosted, objects = d.panel.annotation.model, d.panel.annotation.session.objects
    qtbot.waitUntil(lambda: len(objects[1].planes) == 3)
    d.viewer.close()
    assert hosted.submit(lambda _: "free", lambda *report: None).result(5) == "free"
    (saved,) = all_saved(tmp_path / "sessions")
    qtbot.waitUntil(lambda: not saved.is_open)
    (held,) = read_session(saved.path).objects.values()
    assert [plane[0] for plane in held.planes] == [4, 5, 6]


def test_two_viewers_at_once(desk):
    one, two = desk(), desk()
    assert one.panel.model_use.model is two.panel.model_use.model
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
    dock, panel = viewer.window.add_plugin_dock_widget(DISTRIBUTION, "Click to segment")
    again, same = viewer.window.add_plugin_dock_widget(DISTRIBUTION, "Click to segment")
    assert again is dock
    assert same is panel
    assert panel.annotation.picture.layer is viewer.layers[0]


def test_the_viewer_is_closed_while_other_threads_work(desk, caplog, tmp_path, monkeypatch):
    """What they find does not go to widgets that are gone; the file is finished."""
    d = desk(picture(3, 80, 120))
    d.click(1, 40, 60)
    d.press(Qt.Key.Key_N)
    panel, labels = d.panel, d.labels.copy()
    gate, begun, ended = threading.Event(), [], []

    def slowly(what, work):
        begun.append(what)
        gate.wait(10)
        try:
            return work()
        finally:
            ended.append(what)

    original = save_labels.write_objects
    monkeypatch.setattr(
        save_labels,
        "write_objects",
        lambda *args, **more: slowly("labels", lambda: original(*args, **more)),
    )
    panel.controls.more.click()
    view = panel.controls.channels.view
    view.source = lambda: lambda: slowly("view", lambda: np.zeros((8, 8, 3), np.uint8))
    view.refresh()
    store = panel.controls.store
    store._background.submit(lambda: slowly("store", lambda: 0), store._show_size)
    panel.saver.save(panel.annotation, panel.annotation.target, tmp_path / "labels.tif")
    d.qtbot.waitUntil(lambda: {*begun} == {"labels", "view", "store"})
    d.viewer.close()
    d.qtbot.wait(100)
    gate.set()
    d.qtbot.waitUntil(lambda: {*ended} == {"labels", "view", "store"})
    d.qtbot.wait(100)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "labels.tif"), labels)
    assert [record for record in caplog.records if record.name == "concurrent.futures"] == []
