"""A weights file of the user's own, opened from the list of models."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QApplication, QFileDialog
from safetensors.torch import save_file

from napari_sam.model.config import CONFIGS
from napari_sam.model.sam import Sam
from napari_sam.serving.host import ModelHost
from napari_sam.serving.segmenter import load_segmenter
from napari_sam.widgets.common.model_choice import ModelChoice
from tests.fakes import FakeSegmenter
from tests.widgets.conftest import ours


@pytest.fixture
def host():
    """Loads files in earnest, and the zoo's models never."""

    def load(name, device, report):
        real = "/" in name or "\\" in name
        return load_segmenter(name, device, report, host.store) if real else FakeSegmenter()

    host = ModelHost(load)
    return host


@pytest.fixture
def open_file(panel, monkeypatch):
    """Return a function that takes the last item and answers the dialog."""

    def open_file(path):
        def answer(*args):
            assert panel.controls.model.name == before  # whatever arrives while the dialog is open
            return str(path or ""), ""

        before = panel.controls.model.name
        monkeypatch.setattr(QFileDialog, "getOpenFileName", answer)
        items = panel.controls.model.list
        items.setCurrentIndex(items.count() - 1)

    return open_file


def items(panel):
    return [panel.controls.model.list.itemText(i) for i in range(panel.controls.model.list.count())]


@pytest.mark.parametrize(
    ("name", "save"), [("mine.pt", torch.save), ("mine.safetensors", save_file)]
)
def test_it_is_chosen_and_used(panel, open_file, settle, tmp_path, name, save):
    torch.manual_seed(0)
    path = tmp_path / name
    save(Sam(CONFIGS["cells_tiny"]).state_dict(), path)
    ours(panel._viewer, "points").add((10, 20))
    settle(panel)
    before = panel.annotation.session.prediction
    open_file(path)
    settle(panel)
    choice = panel.controls.model
    assert choice.name == str(path)
    assert choice.list.currentText() == f"{name} — your file"
    assert choice.list.toolTip() == str(path)
    assert choice.button.isHidden()
    assert panel.controls.remark.text() == ""
    after = panel.annotation.session.prediction
    assert after.masks.shape == (3, 40, 60)
    assert not np.array_equal(after.scores, before.scores)


def test_cancelling_goes_back_to_the_model_before(panel, open_file, settle, qtbot):
    choice, before = panel.controls.model, items(panel)
    with qtbot.assertNotEmitted(choice.chosen):
        open_file(None)
    assert choice.name == "cells_tiny"
    assert items(panel) == before
    ours(panel._viewer, "points").add((10, 20))
    settle(panel)
    assert ours(panel._viewer, "preview").data[10, 20] == 1


def test_a_broken_file_says_so_and_costs_nothing(panel, open_file, settle, tmp_path):
    viewer = panel._viewer
    ours(viewer, "points").add((30, 40))
    settle(panel)
    panel.controls.accept.click()
    ours(viewer, "points").add((10, 20))
    settle(panel)
    committed = ours(viewer, "objects").data.copy()
    path = tmp_path / "broken.pt"
    path.write_bytes(b"PK" + b"\x00" * 100)
    open_file(path)
    settle(panel)
    assert str(path) in panel.controls.remark.text()
    assert "damaged" in panel.controls.remark.text()
    assert "choose another model" in panel.controls.status.text()
    assert committed[30, 40] == 1
    np.testing.assert_array_equal(ours(viewer, "objects").data, committed)
    np.testing.assert_allclose(ours(viewer, "points").data, [(10, 20)])
    panel.controls.model.list.setCurrentIndex(0)
    settle(panel)
    assert ours(viewer, "preview").data[10, 20] == 1


def test_a_broken_file_without_a_picture(panel, open_file, settle, tmp_path):
    panel._viewer.layers.clear()
    open_file(tmp_path / "gone.pt")
    settle(panel)
    assert "gone.pt" in panel.controls.remark.text()
    assert panel.controls.score.text() == ""


def test_a_mended_file_can_be_opened_again(panel, open_file, settle, tmp_path):
    path = tmp_path / "mine.pt"
    path.write_bytes(b"")
    open_file(path)
    settle(panel)
    assert "damaged" in panel.controls.remark.text()
    torch.save(Sam(CONFIGS["cells_tiny"]).state_dict(), path)
    open_file(path)
    ours(panel._viewer, "points").add((10, 20))
    settle(panel)
    assert panel.annotation.session.prediction.masks.shape == (3, 40, 60)
    assert items(panel)[-2:] == ["mine.pt — your file", "A file of your own…"]


def test_files_of_one_name_are_told_apart(panel, open_file, settle, tmp_path):
    paths = [tmp_path / folder / "mine.pt" for folder in "ab"]
    for path in paths:
        open_file(path)
        settle(panel)
    choice = panel.controls.model.list
    places = [choice.findData(str(path)) for path in paths]
    tips = [choice.itemData(place, Qt.ItemDataRole.ToolTipRole) for place in places]
    assert tips == [str(path) for path in paths]


def test_the_bug_report_does_not_name_it(panel, open_file, settle, tmp_path):
    open_file(tmp_path / "patient.pt")
    settle(panel)
    assert "patient.pt" in panel.controls.remark.text()
    panel.controls.report.click()
    assert "patient" not in QApplication.clipboard().text()


@pytest.fixture
def choice(qtbot, monkeypatch):
    """A list of its own, at its last model; `asked` counts the dialogs."""
    choice = ModelChoice()
    qtbot.addWidget(choice)
    choice.asked = 0

    def answer(*args):
        choice.asked += 1
        return "", ""

    monkeypatch.setattr(QFileDialog, "getOpenFileName", answer)
    choice.list.setCurrentIndex(choice.list.count() - 2)
    choice.show()
    return choice


@pytest.mark.parametrize(
    "key", [Qt.Key.Key_Down, Qt.Key.Key_PageDown, Qt.Key.Key_End, Qt.Key.Key_A]
)
def test_keys_stop_before_the_item_that_asks(choice, qtbot, key):
    last = choice.name
    qtbot.keyClick(choice.list, key)
    assert (choice.name, choice.asked) == (last, 0)
    qtbot.keyClick(choice.list, Qt.Key.Key_Up)
    assert choice.name == choice.list.itemData(choice.list.count() - 3)
    qtbot.keyClick(choice.list, Qt.Key.Key_End)
    assert (choice.name, choice.asked) == (last, 0)


def test_the_wheel_stops_before_it_too(choice):
    def turn(notches):
        at = QPointF(5, 5)
        event = QWheelEvent(
            at,
            choice.list.mapToGlobal(at),
            QPoint(),
            QPoint(0, 120 * notches),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(choice.list, event)

    last = choice.name
    turn(-1)
    assert (choice.name, choice.asked) == (last, 0)
    turn(1)
    assert choice.name == choice.list.itemData(choice.list.count() - 3)


def test_the_open_list_reaches_it(choice, qtbot):
    qtbot.keyClick(choice.list, Qt.Key.Key_Space)
    view = choice.list.view()
    qtbot.waitUntil(view.isVisible)
    qtbot.keyClick(view, Qt.Key.Key_Down)
    qtbot.keyClick(view, Qt.Key.Key_Return)
    assert choice.asked == 1
    assert choice.list.currentIndex() == choice.list.count() - 2


def own_model(folder, name):
    header = {
        "name": name,
        "base": {"name": "cells_tiny"},
        "what": "decoder",
        "created": "2026-11-24",
        "figures": {"validation": [{"measure": "1 click", "before": 0.5, "after": 0.75}]},
    }
    text = json.dumps({"__metadata__": {"napari_sam": json.dumps(header)}}).encode()
    path = folder / "models" / "own" / f"{name}.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(len(text).to_bytes(8, "little") + text)
    return path


def test_trained_models_stand_after_the_published_ones(choice, qtbot, tmp_path):
    before = [choice.list.itemText(i) for i in range(choice.list.count())]
    choice.list.setCurrentIndex(1)
    chosen = choice.name
    path = own_model(tmp_path, "yeast")
    own_model(tmp_path, "algae")
    with qtbot.assertNotEmitted(choice.chosen):
        choice.reload()
        choice.reload()
    now = [choice.list.itemText(i) for i in range(choice.list.count())]
    assert now == [*before[:-1], "algae — yours", "yeast — yours", before[-1]]
    assert choice.name == chosen
    choice.list.setCurrentIndex(choice.list.findData("yeast"))
    assert (choice.name, choice.ready) == ("yeast", True)
    assert choice.list.toolTip() == "decoder on cells_tiny, 2026-11-24, 1 click: IoU 0.50 to 0.75"
    assert choice.button.isHidden()
    own_model(tmp_path, "bacteria")
    with qtbot.assertNotEmitted(choice.chosen):
        choice.reload()
    assert choice.name == "yeast"
    path.unlink()
    with qtbot.waitSignal(choice.chosen):
        choice.reload()
    assert choice.name == "cells_tiny"
