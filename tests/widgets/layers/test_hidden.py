"""A hidden panel is at rest: no clicks, no keys, no new work; what goes on ends with a word."""

from __future__ import annotations

import threading

import pytest
from napari.components import ViewerModel
from napari.utils.notifications import notification_manager
from qtpy.QtWidgets import QApplication

from napari_sam.widgets.layers.prompt_layers import Tool
from tests.widgets.conftest import ours, picture, rectangle


@pytest.fixture
def shown(panel, settle):
    panel.show()
    settle(panel)
    return panel


@pytest.fixture
def told():
    """Return a function that returns what napari has told since the test began."""
    before = len(notification_manager.records)
    return lambda: [record.message for record in notification_manager.records[before:]]


def modes(viewer):
    return [str(ours(viewer, role).mode) for role in ("points", "boxes")]


def taken(panel):
    """Whether clicks are, and no layer draws them itself."""
    return panel.annotation.pointing.takes_clicks


HIDDEN = "Not taken: the panel is hidden. Show it to go on drawing."
AT_REST = ["pan_zoom", "pan_zoom"]


class TestClicks:
    def test_none_are_taken_while_hidden(self, viewer, shown):
        assert taken(shown)
        shown.hide()
        assert not taken(shown)
        shown.show()
        assert taken(shown)

    @pytest.mark.parametrize("tool", [Tool.EXCLUDE, Tool.BOX, Tool.SCRIBBLE_OUT])
    def test_the_tool_stays_lit_and_is_there_again(self, viewer, shown, tool):
        shown.prompting.arm(tool)
        before = modes(viewer), viewer.layers.selection.active
        shown.hide()
        assert modes(viewer) == AT_REST
        shown.show()
        assert taken(shown)
        assert (modes(viewer), viewer.layers.selection.active) == before
        assert shown.annotation.tool is tool

    def test_a_layer_of_somebody_stays_the_one_in_use(self, viewer, shown):
        """Who paints, and lets the panel float, goes on painting."""
        cells = viewer.layers["cells"]
        viewer.layers.selection.active = cells
        ours(viewer, "points").mode = "select"
        shown.hide()
        shown.show()
        assert viewer.layers.selection.active is cells
        assert modes(viewer) == ["select", "pan_zoom"]

    @pytest.mark.parametrize(("tool", "draws"), [(Tool.INCLUDE, False), (Tool.SCRIBBLE, True)])
    def test_a_layer_that_was_selected_stays_that_unless_ours_draws(
        self, viewer, shown, tool, draws
    ):
        shown.prompting.arm(tool)
        shown.hide()
        viewer.layers.selection.active = cells = viewer.layers["cells"]
        shown.show()
        assert viewer.layers.selection.active is (ours(viewer, "boxes") if draws else cells)
        assert taken(shown)

    def test_not_after_the_3d_view_was_left(self, viewer, shown):
        shown.hide()
        viewer.dims.ndisplay = 3
        viewer.dims.ndisplay = 2
        assert not taken(shown)
        shown.show()
        assert taken(shown)

    def test_not_in_the_3d_view_where_it_is_shown_again(self, viewer, shown):
        shown.hide()
        viewer.dims.ndisplay = 3
        shown.show()
        assert not taken(shown)
        viewer.dims.ndisplay = 2
        assert taken(shown)

    def test_not_over_another_picture(self, viewer, shown):
        shown.hide()
        viewer.layers.remove("cells")
        viewer.add_image(picture(30, 30))
        assert not taken(shown)
        shown.show()
        assert taken(shown)

    def test_a_layer_that_is_deleted_comes_back_with_its_prompts(
        self, viewer, shown, settle, told, qtbot
    ):
        ours(viewer, "points").add((10, 20))
        settle(shown)
        shown.hide()
        viewer.layers.remove(ours(viewer, "points"))
        qtbot.waitUntil(lambda: ours(viewer, "points") is not None)
        assert len(ours(viewer, "points").data) == 1
        assert told() == [f"napari-sam: {HIDDEN}"]
        assert not taken(shown)
        shown.show()
        assert taken(shown)

    def test_shown_twice_is_shown_once(self, viewer, shown):
        for _ in range(20):
            shown.hide()
            shown.show()
        assert taken(shown)
        assert len({shortcut.key().toString() for shortcut in shown.keys.shortcuts}) == len(
            shown.keys.shortcuts
        )

    def test_what_is_drawn_all_the_same_is_put_back_and_said(self, viewer, shown, settle, told):
        """In the mode that somebody chose by hand, or by another plugin."""
        ours(viewer, "points").add((10, 20))
        settle(shown)
        shown.hide()
        ours(viewer, "points").add((30, 20))
        ours(viewer, "boxes").add(rectangle(5, 5, 20, 20))
        assert len(ours(viewer, "points").data) == 1
        assert len(ours(viewer, "boxes").data) == 0
        assert told() == [f"napari-sam: {HIDDEN}"]  # once is enough
        shown.show()
        shown.hide()
        ours(viewer, "points").add((30, 20))
        assert told() == [f"napari-sam: {HIDDEN}"] * 2

    def test_what_is_drawn_stays(self, viewer, shown, settle):
        ours(viewer, "points").add((10, 20))
        settle(shown)
        shown.hide()
        shown.show()
        shown.controls.accept.click()
        assert shown.annotation.target.data[10, 20] == 1


class TestWork:
    def test_slices_are_not_looked_at_ahead_of_clicks(self, host, open_panel, settle, model, qtbot):
        viewer = ViewerModel()
        viewer.add_image(picture(5, 40, 60))
        panel = open_panel(viewer)
        panel.precompute.switch(False)
        panel.show()
        settle(panel)
        looked = len(model.embedded)
        panel.hide()
        viewer.dims.set_point(0, 4)
        qtbot.wait(200)
        settle(panel)
        assert len(model.embedded) == looked
        panel.show()
        settle(panel)
        assert len(model.embedded) == looked + 1


class TestWords:
    def test_a_mask_that_took_long(self, viewer, shown, model, settle, told, monkeypatch):
        monkeypatch.setattr("napari_sam.widgets.common.activity.PATIENCE_MS", 50)
        gate, predict = threading.Event(), model.predict
        model.predict = lambda *args: (gate.wait(10), predict(*args))[1]
        ours(viewer, "points").add((10, 20))
        shown.hide()
        threading.Timer(0.2, gate.set).start()
        settle(shown)
        assert told() == ["napari-sam: The mask that you asked for is there."]
        assert shown.annotation.session.mask[10, 20]

    def test_none_for_what_took_a_moment_or_was_seen(self, viewer, shown, settle, told):
        ours(viewer, "points").add((10, 20))
        settle(shown)
        ours(viewer, "points").add((12, 22))
        shown.hide()
        settle(shown)
        assert told() == []

    def test_what_went_wrong(self, viewer, shown, model, settle, told):
        gate = threading.Event()

        def fail(*args):
            gate.wait(10)
            raise RuntimeError("no room")

        model.predict = fail
        ours(viewer, "points").add((10, 20))
        shown.hide()
        gate.set()
        settle(shown)
        assert told() == ["napari-sam: ⚠ no room"]

    def test_labels_that_were_saved(self, accept, shown, settle, told, tmp_path, qtbot):
        accept(10, 20)
        shown.hide()
        shown.saver.save(shown.annotation, shown.annotation.target, tmp_path / "labels.tif")
        qtbot.waitUntil(lambda: not shown.saver.busy)
        assert told()[-1].startswith("napari-sam: The labels are saved: ")

    def test_objects_that_were_found(self, shown, settle, told, qtbot):
        shown.auto.controls.start.click()
        shown.hide()
        qtbot.waitUntil(lambda: not shown.auto.work.busy)
        assert told() == [f"napari-sam: Auto: {shown.auto.controls.status.text()}"]

    @pytest.mark.parametrize("away", [False, True])
    def test_long_work_that_ends_while_another_program_is_in_front(
        self, shown, told, qtbot, monkeypatch, away
    ):
        alerted = []
        monkeypatch.setattr("napari_sam.widgets.notices.is_away", lambda: away)
        monkeypatch.setattr(QApplication, "alert", lambda window: alerted.append(window))
        shown.auto.controls.start.click()
        qtbot.waitUntil(lambda: not shown.auto.work.busy)
        expected = f"napari-sam: Auto: {shown.auto.controls.status.text()}"
        assert told() == ([expected] if away else [])
        assert bool(alerted) is away
        ours(shown.annotation.viewer, "points").add((10, 20))  # a moment's work is not told
        shown.prompting.remark("something")
        assert len(told()) == away

    def test_nothing_once_it_is_closed(self, shown, told, model, viewer, qtbot):
        gate, predict = threading.Event(), model.predict
        model.predict = lambda *args: (gate.wait(10), predict(*args))[1]
        ours(viewer, "points").add((10, 20))
        shown.hide()
        shown.close_panel()
        gate.set()
        qtbot.wait(50)
        QApplication.processEvents()
        assert told() == []
