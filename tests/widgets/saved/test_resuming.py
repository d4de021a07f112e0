"""Work that was saved is offered again, comes back whole, and is never lost by a wrong answer."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import tifffile
from napari.components import ViewerModel
from npe2 import PluginManager
from qtpy.QtWidgets import QMessageBox

from napari_sam.session.disk.library import all_saved, sessions_folder
from tests.widgets.conftest import ours, picture
from tests.widgets.saved.resumed import question, work

SHAPE = 6, 40, 60


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


def of_a_later_version(path):
    values = json.loads((path / "session.json").read_text())
    (path / "session.json").write_text(json.dumps({**values, "version": 2}))


def on_a_disk_that_can_only_be_read(path):
    (path / "lock").unlink(missing_ok=True)
    (path / "lock").mkdir()


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda path: next(path.glob("j*")).write_bytes(b"x" * 50 + b"\n"), "can be read"),
        (lambda path: (path / "session.json").unlink(), "session.json"),
        (lambda path: (path / "session.json").write_text("[" * 100_000), "is damaged"),
        (of_a_later_version, "later version"),
        (on_a_disk_that_can_only_be_read, "nothing can be written"),
        (lambda path: shutil.rmtree(path) or path.write_text("x"), "no saved session"),
    ],
)
def test_saved_work_that_cannot_be_opened_is_named(begin, settle, damage, reason):
    data = picture(*SHAPE)
    viewer, panel = begin(data)
    work(viewer, panel, settle)
    panel.close_panel()
    (saved,) = all_saved(sessions_folder())
    damage(saved.path)
    _, panel = begin(data)
    assert question(panel) == ""
    said = panel.controls.remark.text()
    assert said.startswith("⚠ There is saved work of this picture that cannot be opened")
    assert reason in said
    assert str(saved.path) in said


def test_work_that_can_be_opened_is_offered_beside_what_cannot(begin, settle):
    data = picture(*SHAPE)
    viewer, panel = begin(data)
    work(viewer, panel, settle)
    panel.close_panel()
    (saved,) = all_saved(sessions_folder())
    later = saved.path.with_name("later")
    shutil.copytree(saved.path, later)
    of_a_later_version(later)
    _, panel = begin(data)
    assert "2 objects saved" in question(panel)
    assert "later version" in panel.controls.remark.text()


def test_work_that_is_open_in_another_window_is_not_offered_but_named(begin, settle):
    data = picture(*SHAPE)
    viewer, panel = begin(data)
    work(viewer, panel, settle)
    _, other = begin(data)
    assert question(other) == ""
    assert "open in another window" in other.controls.remark.text()


@pytest.mark.parametrize("text", ["[" * 100_000, "{}", "\x00"])
def test_one_odd_folder_hides_nobodys_work(begin, settle, qtbot, text):
    data = picture(*SHAPE)
    viewer, panel = begin(data)
    work(viewer, panel, settle)
    panel.close_panel()
    (sessions_folder() / "odd").mkdir()
    (sessions_folder() / "odd" / "session.json").write_text(text)
    _, panel = begin(data)
    assert "2 objects saved" in question(panel)
    shown = chosen(panel, qtbot, 2)
    assert shown.go_on.isEnabled()
    odd = shown.list.topLevelItem(1)
    assert [odd.text(0), odd.text(2)] == ["odd", "cannot be read"]
    shown.list.clearSelection()
    odd.setSelected(True)
    assert "is damaged" in shown.text.text()
    assert not shown.go_on.isEnabled()


@pytest.mark.parametrize(
    "view",
    [
        {"order": [0, "1", None], "point": 3, "zoom": None, "labels": 7, "model": [], "tool": []},
        {"order": [0, 1, 2], "point": [1e300, 0, 0], "contrast": [5, "x"], "ndisplay": "x"},
        {"order": [0, 1, 2], "point": [1, 0, 0], "zoom": -1, "center": [], "angles": {}},
    ],
)
def test_a_view_that_makes_no_sense_is_left_alone(begin, settle, calm, view):
    data = picture(*SHAPE)
    viewer, panel = begin(data)
    labels = work(viewer, panel, settle)
    panel.annotation.session.keep_view(view)
    panel.resuming.follow(None)  # or the view of now would follow
    panel.close_panel()
    _, panel = begin(data)
    panel.controls.go_on.answers[0].click()
    calm(panel)
    np.testing.assert_array_equal(panel.annotation.target.data, labels)
