"""The panel's life: opening, choosing, downloading, sharing, closing."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import threading
import weakref
from pathlib import Path

import numpy as np
import pytest
from app_model.types import KeyBinding
from napari.components import ViewerModel
from napari.utils import progress
from napari.utils.shortcuts import default_shortcuts
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QMainWindow,
    QScrollArea,
    QWidget,
)

from napari_sam.errors import DownloadError
from napari_sam.serving.host import ModelHost
from napari_sam.widgets.common.keys import KEYS
from napari_sam.widgets.layers.prompt_layers import Tool
from napari_sam.widgets.panel import Panel
from napari_sam.widgets.prompt.candidates import CandidateChoice
from napari_sam.zoo import catalogue
from tests.fakes import FakeSegmenter
from tests.widgets.conftest import close_at_end, ours, picture


def callbacks(viewer):
    emitters = [viewer.layers.events, viewer.dims.events, viewer.layers["cells"].events]
    return {
        (index, name): len(emitter.callbacks)
        for index, group in enumerate(emitters)
        for name, emitter in group.emitters.items()
    }


class TestClosing:
    def test_leaves_nothing_behind_but_the_objects(self, viewer, host, qtbot, settle):
        before = callbacks(viewer)
        panel = Panel(viewer, host)
        settle(panel)
        ours(viewer, "points").add((10, 20))
        settle(panel)
        panel.controls.accept.click()
        ours(viewer, "points").add((30, 20))
        panel.close_panel()
        qtbot.wait(20)
        assert [type(layer).__name__ for layer in viewer.layers] == ["Image", "Labels"]
        viewer.layers.remove(ours(viewer, "objects"))
        assert callbacks(viewer) == before

    def test_all_that_follow_the_annotation_are_closed(self, panel, monkeypatch):
        """Every part stands in the one tuple, so that none is forgotten."""
        parts = [one for one in vars(panel).values() if hasattr(one, "follow")]
        assert len(parts) > 9
        followed, closed = [], []
        for part in parts:
            monkeypatch.setattr(part, "follow", lambda _, part=part: followed.append(part))
            monkeypatch.setattr(part, "close", lambda part=part: closed.append(part))
        panel.controls.picture.choose(None)
        assert {*map(id, followed)} == {*map(id, parts)}
        panel.close_panel()
        assert {*map(id, closed)} == {*map(id, parts)}

    def test_ends_the_models_thread(self, viewer, qtbot, settle):
        others = set(threading.enumerate())  # of panels that other tests leave to their timers
        host = ModelHost(lambda name, device, report: FakeSegmenter())
        panel = Panel(viewer, host)
        settle(panel)
        assert self.threads(others)
        panel.close_panel()
        del panel
        qtbot.waitUntil(lambda: not self.threads(others))

    def threads(self, others):
        gc.collect()
        new = set(threading.enumerate()) - others
        return [thread.name for thread in new if thread.name.startswith("napari-sam")]

    def test_lets_go_of_the_model_at_once(self, viewer, host, settle):
        """A model is large: it does not wait for the garbage collector."""
        gc.collect()
        gc.disable()
        try:
            panel = Panel(viewer, host)
            settle(panel)
            ours(viewer, "points").add((10, 20))
            settle(panel)
            model = weakref.ref(panel.model_use.model)
            panel.close_panel()
            assert model() is None
        finally:
            gc.enable()

    def test_while_the_model_works(self, viewer, host, model, qtbot):
        gate, predict = threading.Event(), model.predict
        model.predict = lambda *args: (gate.wait(10), predict(*args))[1]
        panel = Panel(viewer, host)
        ours(viewer, "points").add((10, 20))
        panel.close_panel()
        gate.set()
        qtbot.waitUntil(lambda: not panel.jobs._running or panel.jobs._running.done())
        qtbot.wait(50)
        assert len(viewer.layers) == 1

    @pytest.mark.parametrize("how", ["closed", "its window goes"])
    def test_stops_a_download(self, viewer, qtbot, how):
        stopped, reported = threading.Event(), threading.Event()

        def load(name, device, report):
            try:
                for done in range(10_000):
                    report("Downloading", done, 10_000)
                    reported.set()
                    stopped.wait(0.005)
            except BaseException:
                stopped.set()
                raise

        panel, window = Panel(viewer, ModelHost(load)), QMainWindow()
        window.setCentralWidget(panel)
        assert reported.wait(10)
        panel.close_panel() if how == "closed" else window.deleteLater()
        qtbot.waitUntil(stopped.is_set)

    def test_when_taken_out_of_its_dock(self, viewer, host, qtbot):
        window = QMainWindow()
        qtbot.addWidget(window)
        panel = Panel(viewer, host)
        window.setCentralWidget(panel)
        panel.setParent(None)
        qtbot.wait(20)
        assert [layer.name for layer in viewer.layers] == ["cells"]


class TestLayers:
    def test_a_deleted_picture(self, viewer, open_panel, settle):
        panel = open_panel(viewer)
        ours(viewer, "points").add((10, 20))
        viewer.layers.remove("cells")
        settle(panel)
        assert panel.annotation is None
        assert len(viewer.layers) == 0
        assert "Open a picture" in panel.controls.status.text()

    def test_a_deleted_picture_gives_way_to_another(self, viewer, open_panel, settle):
        other = viewer.add_image(picture(20, 20), name="other")
        panel = open_panel(viewer)
        assert panel.annotation.picture.layer is other
        viewer.layers.remove(other)
        assert panel.annotation.picture.layer.name == "cells"

    def test_another_picture(self, viewer, open_panel, settle):
        other = viewer.add_image(picture(5, 20, 20), name="other")
        panel = open_panel(viewer)
        panel.controls.picture.choose(viewer.layers["cells"])
        assert ours(viewer, "points").ndim == 2
        panel.controls.picture.choose(other)
        assert ours(viewer, "points").ndim == 3
        assert sum(layer.metadata.get("napari-sam") == "points" for layer in viewer.layers) == 1

    @pytest.mark.parametrize("role", ["points", "boxes", "preview"])
    def test_a_deleted_tool_comes_back(self, viewer, open_panel, settle, role):
        panel = open_panel(viewer)
        ours(viewer, "points").add((10, 20))
        settle(panel)
        viewer.layers.remove(ours(viewer, role))
        settle(panel)
        for tool in reversed(Tool):
            panel.prompting.arm(tool)
        ours(viewer, "points").add((12, 22))
        settle(panel)
        assert ours(viewer, "preview").data[12, 22] == 1

    def test_deleting_the_points_layer_is_undone_like_any_step(self, viewer, open_panel, settle):
        panel = open_panel(viewer)
        ours(viewer, "points").add((10, 20))
        viewer.layers.remove(ours(viewer, "points"))
        assert panel.annotation.session.draft.is_empty
        panel.controls.undo.click()
        np.testing.assert_allclose(ours(viewer, "points").data, [(10, 20)])

    def test_everything_deleted_at_once(self, viewer, open_panel, settle):
        panel = open_panel(viewer)
        ours(viewer, "points").add((10, 20))
        settle(panel)
        viewer.layers.clear()
        assert len(viewer.layers) == 0
        assert panel.annotation is None


class TestModels:
    def test_the_status_stands_beside_each(self, viewer, open_panel):
        panel = open_panel(viewer)
        texts = [
            panel.controls.model.list.itemText(i) for i in range(panel.controls.model.list.count())
        ]
        assert texts[0] == "cells_tiny — built in"
        assert any("will download 375 MB" in text for text in texts)
        assert len(texts) == sum(entry.loadable for entry in catalogue.entries().values()) + 1
        assert texts[-1] == "A file of your own…"

    def test_nothing_is_downloaded_without_a_word(self, viewer, qtbot, settle, monkeypatch):
        loaded = []

        def load(name, device, report):
            loaded.append(name)
            report(f"Downloading {name}", 3_000_000, 10_000_000)
            statuses[name] = "cached"
            return FakeSegmenter()

        statuses = {"vit_b": "will download 375 MB"}
        monkeypatch.setattr(catalogue, "status", lambda entry: statuses.get(entry.name, "built in"))
        panel = Panel(viewer, ModelHost(load))
        close_at_end(qtbot, panel)
        settle(panel)
        choice = panel.controls.model
        choice.list.setCurrentIndex(choice.list.findData("vit_b"))
        assert choice.button.text() == "Download 375 MB"
        assert not choice.button.isHidden()
        ours(viewer, "points").add((10, 20))
        settle(panel)
        assert loaded == ["cells_tiny"]
        assert "Download" in panel.controls.status.text()
        choice.button.click()
        settle(panel)
        assert loaded == ["cells_tiny", "vit_b"]
        assert choice.button.isHidden()
        assert ours(viewer, "preview").data[10, 20] == 1

    def test_a_failed_download_can_be_tried_again(self, viewer, qtbot, settle):
        tries = []

        def load(name, device, report):
            tries.append(name)
            if len(tries) == 1:
                raise DownloadError("the network is down; try again later")
            return FakeSegmenter()

        panel = Panel(viewer, ModelHost(load))
        close_at_end(qtbot, panel)
        settle(panel)
        assert "the network is down" in panel.controls.remark.text()
        ours(viewer, "points").add((10, 20))
        settle(panel)
        assert ours(viewer, "preview").data[10, 20] == 1

    def test_another_device_asks_again(self, viewer, open_panel, settle, model):
        panel = open_panel(viewer)
        ours(viewer, "points").add((10, 20))
        settle(panel)
        panel.controls.device.setCurrentText("cpu")
        settle(panel)
        assert len(model.asked) == 2
        assert "on cpu" in panel.controls.score.text()

    def test_devices_are_offered_once_the_model_knows_them(self, viewer, open_panel, model, settle):
        model.devices = ("cuda", "cpu")
        panel = open_panel(viewer)
        settle(panel)
        device = panel.controls.device
        offered = [device.itemText(i) for i in range(device.count())]
        assert offered == ["auto", "cpu", "cuda", "a cluster…"]

    def test_what_is_new_of_the_model_is_said(self, viewer, open_panel, model, settle):
        panel = open_panel(viewer)
        settle(panel)
        model.news = lambda: "the cluster is gone"
        ours(viewer, "points").add((10, 20))
        settle(panel)
        assert panel.controls.remark.text() == "⚠ the cluster is gone"

    def test_opening_the_panel_loads_no_torch_in_its_own_thread(self):
        code = """
import sys
from qtpy.QtWidgets import QApplication
app = QApplication([])
from napari.components import ViewerModel
from napari_sam.serving.host import ModelHost
from napari_sam.widgets.panel import Panel
from napari_sam.widgets.prompt.candidates import CandidateChoice
panel = Panel(ViewerModel(), ModelHost(lambda *_: None))
assert "torch" not in sys.modules
panel.close_panel()
"""
        environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
        subprocess.run([sys.executable, "-c", code], check=True, env=environment)

    def test_long_work_shows_in_the_activity_dock(self, viewer, open_panel, model, settle, qtbot):
        panel = open_panel(viewer)
        settle(panel)
        gate, predict = threading.Event(), model.predict
        model.predict = lambda *args: (gate.wait(10), predict(*args))[1]
        ours(viewer, "points").add((10, 20))
        qtbot.waitUntil(lambda: bool(progress._all_instances))
        assert next(iter(progress._all_instances)).desc.startswith("napari-sam: Predicting")
        gate.set()
        settle(panel)
        qtbot.waitUntil(lambda: not progress._all_instances)


class TestHost:
    def test_two_viewers_share_one_model(self, viewer, host, qtbot, settle):
        window = QMainWindow()
        qtbot.addWidget(window)
        first = Panel(viewer, host)
        window.setCentralWidget(first)
        second = Panel(ViewerModel())
        settle(second)
        assert second.host is host
        assert second.model_use.model is first.model_use.model
        second.close_panel()
        first.close_panel()

    def test_models_leave_memory_with_their_last_user(self):
        segmenter = FakeSegmenter()
        host = ModelHost(lambda name, device, report: segmenter)
        one, two = host.model("a", "cpu"), host.model("a", "cpu")
        assert one is two
        assert host.model("a", "auto") is not one
        assert one.submit(lambda s: s is segmenter, print).result(10)
        gone = weakref.ref(one)
        del one
        assert gone() is two
        del two
        gc.collect()
        assert gone() is None

    def test_one_thread_per_model(self):
        host = ModelHost(lambda name, device, report: FakeSegmenter())
        model = host.model("a", "cpu")
        futures = [model.submit(lambda _: threading.get_ident(), print) for _ in range(20)]
        assert len({future.result(10) for future in futures}) == 1


class TestWords:
    def test_the_hint_is_shown_until_the_first_steps_were_made(
        self, viewer, open_panel, settle, tmp_path
    ):
        panel = open_panel(viewer)
        settle(panel)
        assert not panel.controls.hint.isHidden()
        ours(viewer, "points").add((20, 30))
        settle(panel)
        panel.controls.reject.click()
        assert not panel.controls.hint.isHidden()
        ours(viewer, "points").add((20, 30))
        settle(panel)
        panel.controls.accept.click()
        assert panel.controls.hint.isHidden()
        assert json.loads((tmp_path / "settings.json").read_text())["hint_dismissed"]
        assert open_panel(ViewerModel()).controls.hint.isHidden()

    def test_the_first_screen_has_at_most_a_dozen_controls(self, viewer, open_panel, settle):
        panel = open_panel(viewer)
        settle(panel)
        screen = panel.controls
        kinds = QAbstractButton, QComboBox, QAbstractSpinBox, QAbstractSlider, QLineEdit
        inner = CandidateChoice, QComboBox, QAbstractSpinBox, QScrollArea, QAbstractItemView
        controls = [
            child
            for kind in kinds
            for child in screen.findChildren(kind)
            if child.isVisibleTo(screen) and not isinstance(child.parent(), inner)
        ]
        controls.append(screen.thumbnails)  # one choice of three
        assert 8 < len(controls) <= 12, [child.accessibleName() for child in controls]

    def test_the_bug_report_names_no_files(self, viewer, open_panel, settle, model):
        def fail(embedding, prompts, pause=None):
            raise OSError(f"cannot read {Path.home()}/secret.tif")

        model.predict = fail
        viewer.layers["cells"].name = "/home/someone/cells.tif"
        panel = open_panel(viewer)
        ours(viewer, "points").add((10, 20))
        settle(panel)
        panel.controls.report.click()
        report = QApplication.clipboard().text()
        assert "Image (40, 60) uint8" in report
        assert "napari-sam" in report
        assert "OSError: cannot read ~/secret.tif" in report
        assert "someone" not in report
        assert str(Path.home()) not in report

    def test_every_control_has_a_name_and_a_way_to_it(self, viewer, open_panel):
        panel = open_panel(viewer)
        kinds = ("QComboBox", "LayerChoice", "QPushButton", "QToolButton", "QCheckBox")
        for widget in panel.findChildren(QWidget):
            if widget.metaObject().className() in kinds and type(widget).__name__ in kinds:
                assert widget.accessibleName() or widget.text()
                assert widget.focusPolicy()
        buddies = {label.buddy() for label in panel.findChildren(QLabel)} - {None}
        assert {panel.controls.model.list, panel.controls.labels} <= buddies

    def test_the_first_screen_is_small(self, viewer, open_panel, settle):
        panel = open_panel(viewer)
        panel.show()
        ours(viewer, "points").add((10, 20))
        settle(panel)
        kinds = ("QComboBox", "LayerChoice", "QPushButton", "QCheckBox")
        seen = [
            widget
            for widget in panel.findChildren(QWidget)
            if type(widget).__name__ in kinds and widget.isVisible()
        ]
        assert len(seen) <= 12

    def test_a_low_window_scrolls_and_the_wheel_chooses_nothing(self, viewer, open_panel):
        panel = open_panel(viewer)
        panel.resize(300, 200)
        panel.show()
        area = panel.tabs.currentWidget()
        bar, rule = area.verticalScrollBar(), panel.controls.choices["rule"].native
        panel.controls.more.click()
        QApplication.processEvents()
        assert bar.maximum() > 0 == area.horizontalScrollBar().maximum()
        down = QPoint(0, -120)
        args = QPointF(5, 5), QPointF(rule.mapToGlobal(QPoint(5, 5))), down, down
        none, begin = Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase
        wheel = QWheelEvent(*args, Qt.MouseButton.NoButton, none, begin, False)
        QApplication.sendEvent(rule, wheel)
        assert rule.currentIndex() == 0
        assert not wheel.isAccepted()  # goes on to what is around it

    @pytest.mark.parametrize("key", KEYS.values())
    def test_no_key_is_one_of_naparis(self, key):
        taken = {str(binding) for keys in default_shortcuts.values() for binding in keys}
        assert str(KeyBinding.from_str(key)) not in taken
