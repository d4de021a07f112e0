"""Work that was saved is offered again, comes back whole, and is never lost by a wrong answer."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from napari.components import ViewerModel
from npe2 import PluginManager
from qtpy.QtWidgets import QMessageBox

from napari_sam.session.saved import all_saved, sessions_folder
from napari_sam.widgets.panel import Panel
from tests.widgets.conftest import ours, picture

SHAPE = 6, 40, 60


@pytest.fixture
def calm(qtbot, settle):
    """Return a function that waits until a panel has found and read all there is."""

    def calm(panel):
        qtbot.waitUntil(lambda: not panel.resuming.busy)
        settle(panel)

    return calm


@pytest.fixture
def new_panel(qtbot, host, calm):
    """Return a function that opens a panel, which a test may close before its end."""
    panels = []

    def new_panel(viewer):
        panels.append(Panel(viewer, host))
        calm(panels[-1])
        return viewer, panels[-1]

    yield new_panel
    for panel in panels:
        panel.close_panel()


@pytest.fixture
def begin(new_panel):
    """Return a function that opens a picture in a viewer of its own."""

    def begin(data, **more):
        viewer = ViewerModel()
        viewer.add_image(data, **{"name": "cells", **more})
        return new_panel(viewer)

    return begin


def question(panel):
    asked = panel.controls.go_on
    return "" if asked.isHidden() else asked.text.text()


def work(viewer, panel, settle):
    """Accept two objects on two slices and begin a third; return the labels."""
    for z, row, column in ((2, 10, 20), (3, 30, 40)):
        viewer.dims.set_point(0, z)
        ours(viewer, "points").add((z, row, column))
        settle(panel)
        panel.controls.accept.click()
    ours(viewer, "points").add((3, 5, 50))
    settle(panel)
    return panel.annotation.target.data.copy()


def test_a_picture_without_saved_work_asks_nothing(begin):
    _, panel = begin(picture(*SHAPE))
    assert question(panel) == ""


def test_everything_comes_back(begin, settle, calm):
    data = picture(*SHAPE)
    viewer, panel = begin(data)
    labels = work(viewer, panel, settle)
    panel.annotation.target.name = "my cells"
    viewer.scene.camera.zoom = 3.5
    viewer.layers["cells"].contrast_limits = (10, 200)
    panel.close_panel()

    viewer, panel = begin(data.copy(), name="renamed")
    assert "2 objects saved" in question(panel)
    panel.controls.go_on.answers[0].click()
    calm(panel)
    assert question(panel) == ""
    target = panel.annotation.target
    np.testing.assert_array_equal(target.data, labels)
    assert target.name == "my cells"
    assert panel.controls.labels.layer is target
    np.testing.assert_allclose(ours(viewer, "points").data, [(3, 5, 50)])
    assert viewer.dims.point[0] == 3
    assert viewer.scene.camera.zoom == 3.5
    assert tuple(viewer.layers["renamed"].contrast_limits) == (10, 200)
    assert panel.annotation.session.mask is not None
    panel.controls.accept.click()
    assert set(np.unique(target.data)) == {0, 1, 2, 3}
    for _ in range(6):
        panel.controls.undo.click()
    assert not target.data.any()
    assert len(all_saved(sessions_folder())) == 1


def test_labels_that_agree_are_gone_on_with_and_others_are_spared(begin, settle, calm):
    data = picture(*SHAPE)
    viewer, panel = begin(data)
    labels = work(viewer, panel, settle)
    panel.close_panel()
    for known, same in ((labels, True), (np.full_like(labels, 7), False)):
        viewer, panel = begin(data)
        layer = viewer.add_labels(known.copy())
        panel.controls.labels.choose(layer)
        panel.controls.go_on.answers[0].click()
        calm(panel)
        assert (panel.annotation.target is layer) is same
        np.testing.assert_array_equal(layer.data, known)
        np.testing.assert_array_equal(panel.annotation.target.data, labels)
        panel.close_panel()


def test_starting_anew_keeps_what_was_saved(begin, settle):
    data = picture(*SHAPE)
    viewer, panel = begin(data)
    work(viewer, panel, settle)
    panel.close_panel()
    viewer, panel = begin(data)
    panel.controls.go_on.answers[1].click()
    assert question(panel) == ""
    work(viewer, panel, settle)
    panel.close_panel()
    assert [saved.count() for saved in all_saved(sessions_folder())] == [2, 2]


def test_accepting_without_an_answer_is_an_answer(begin, settle):
    data = picture(*SHAPE)
    viewer, panel = begin(data)
    work(viewer, panel, settle)
    panel.close_panel()
    viewer, panel = begin(data)
    assert question(panel)
    work(viewer, panel, settle)
    assert question(panel) == ""


def test_work_that_is_open_in_another_window_is_not_offered(begin, settle):
    data = picture(*SHAPE)
    viewer, panel = begin(data)
    work(viewer, panel, settle)
    _, other = begin(data)
    assert question(other) == ""


@pytest.fixture
def file(tmp_path):
    """A picture on disk."""
    path = tmp_path / "cells.tif"
    tifffile.imwrite(path, picture(*SHAPE))
    return path


@pytest.fixture
def open_file(new_panel):
    """Return a function that opens a file, or nothing, in a viewer of its own."""
    PluginManager.instance().discover()

    def open_file(path=None):
        viewer = ViewerModel()
        if path is not None:
            viewer.open(path, plugin="napari")
        return new_panel(viewer)

    return open_file


def test_a_changed_picture_is_asked_about(file, open_file, settle, calm):
    viewer, panel = open_file(file)
    labels = work(viewer, panel, settle)
    panel.close_panel()
    tifffile.imwrite(file, 255 - picture(*SHAPE))
    viewer, panel = open_file(file)
    assert "other pixels now" in question(panel)
    panel.controls.go_on.answers[0].click()
    calm(panel)
    np.testing.assert_array_equal(panel.annotation.target.data, labels)


def test_a_picture_of_another_shape_is_told(file, open_file, settle):
    viewer, panel = open_file(file)
    work(viewer, panel, settle)
    panel.close_panel()
    tifffile.imwrite(file, picture(5, 30, 30))
    viewer, panel = open_file(file)
    assert "another picture then, of 6 x 40 x 60" in question(panel)
    assert panel.controls.go_on.answers[0].isHidden()


def chosen(panel, qtbot, count=1):
    """Open the list of saved work and choose its first row."""
    shown = panel.saved_work
    panel.controls.saved_work.click()
    qtbot.waitUntil(lambda: shown.list.topLevelItemCount() == count)
    shown.list.topLevelItem(0).setSelected(True)
    return shown


def test_the_list_opens_the_picture_too(file, open_file, settle, calm, qtbot):
    viewer, panel = open_file(file)
    labels = work(viewer, panel, settle)
    panel.close_panel()
    viewer, panel = open_file()
    chosen(panel, qtbot).go_on.click()
    calm(panel)
    qtbot.waitUntil(lambda: panel.annotation.target is not None)
    np.testing.assert_array_equal(panel.annotation.target.data, labels)


def test_a_missing_picture_is_told_and_known_again_elsewhere(file, open_file, settle, calm, qtbot):
    viewer, panel = open_file(file)
    labels = work(viewer, panel, settle)
    panel.close_panel()
    moved = file.rename(file.with_name("moved.tif"))
    viewer, panel = open_file()
    chosen(panel, qtbot).go_on.click()
    assert "cannot be found" in panel.controls.remark.text()
    viewer.open(moved, plugin="napari")
    calm(panel)
    assert "2 objects saved" in question(panel)
    panel.controls.go_on.answers[0].click()
    calm(panel)
    np.testing.assert_array_equal(panel.annotation.target.data, labels)


def test_the_list_continues_on_the_picture_that_is_open(begin, settle, calm, qtbot):
    data = picture(*SHAPE)
    viewer, panel = begin(data)
    labels = work(viewer, panel, settle)
    panel.close_panel()
    viewer, panel = begin(data)
    panel.controls.go_on.answers[1].click()
    chosen(panel, qtbot).go_on.click()
    calm(panel)
    qtbot.waitUntil(lambda: panel.annotation.target is not None)
    np.testing.assert_array_equal(panel.annotation.target.data, labels)


def test_what_is_deleted_was_asked_about(begin, settle, qtbot, monkeypatch):
    data = picture(*SHAPE)
    viewer, panel = begin(data)
    work(viewer, panel, settle)
    panel.close_panel()
    viewer, panel = begin(data)
    shown = chosen(panel, qtbot)
    answers = iter([QMessageBox.StandardButton.No, QMessageBox.StandardButton.Yes])
    monkeypatch.setattr(QMessageBox, "question", lambda *_: next(answers))
    shown.delete.click()
    assert len(all_saved(sessions_folder())) == 1
    shown.delete.click()
    qtbot.waitUntil(lambda: shown.list.topLevelItemCount() == 0)
    assert not all_saved(sessions_folder())


def test_work_that_is_open_is_neither_deleted_nor_opened_twice(begin, settle, qtbot, monkeypatch):
    viewer, panel = begin(picture(*SHAPE))
    labels = work(viewer, panel, settle)
    shown = chosen(panel, qtbot)
    assert shown.list.topLevelItem(0).text(2) == "open now"
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Yes)
    shown.delete.click()
    qtbot.waitUntil(lambda: "open in another window" in shown.text.text())
    assert shown.list.topLevelItemCount() == 1
    shown.list.topLevelItem(0).setSelected(True)
    shown.go_on.click()
    assert "open here" in panel.controls.remark.text()
    np.testing.assert_array_equal(panel.annotation.target.data, labels)


def test_damaged_work_says_so_and_keeps_what_can_be_read(begin, settle, calm):
    data = picture(*SHAPE)
    viewer, panel = begin(data)
    work(viewer, panel, settle)
    panel.close_panel()
    (saved,) = all_saved(sessions_folder())
    (journal,) = saved.path.glob("journal-*.jsonl")
    lines = journal.read_bytes().splitlines(keepends=True)
    accepted = next(i for i, line in enumerate(lines) if b'"accepted"' in line)
    lines[accepted + 1] = b"x" * 20 + b"\n"
    journal.write_bytes(b"".join(lines))
    viewer, panel = begin(data)
    panel.controls.go_on.answers[0].click()
    calm(panel)
    assert "could not be read" in panel.controls.remark.text()
    assert "recovered, 1 lost" in panel.controls.remark.text()
    assert set(panel.annotation.session.objects) == {1, 2}
