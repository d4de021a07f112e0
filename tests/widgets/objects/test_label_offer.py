"""Labels of other origin: counted, asked about once, worked on or refined."""

from __future__ import annotations

import dask.array
import numpy as np
import pytest
import zarr
from napari.components import ViewerModel

from napari_sam.io.label_stores import opening
from napari_sam.widgets.objects import adopting
from tests.widgets.conftest import ours, picture


@pytest.fixture
def quiet(qtbot, calm):
    """Return a function that waits until all labels are counted and taken up."""

    def quiet(panel):
        calm(panel)
        qtbot.waitUntil(lambda: not panel.label_offer.busy)

    return quiet


def cells(*shape):
    labels = np.zeros(shape, np.int32)
    labels[..., 2:8, 3:9] = 7
    labels[..., 20:30, 40:50] = 4_000
    return labels


def text(panel):
    query = panel.controls.query
    return "" if query.isHidden() else query.text.text()


def push(panel, answer):
    next(b for b in panel.controls.query.buttons if b.text() == answer).click()


def answers(panel):
    return [button.text() for button in panel.controls.query.buttons]


def test_work_on_them_makes_all_of_them_objects(viewer, panel, quiet):
    labels = viewer.add_labels(cells(40, 60), name="from elsewhere")
    before = labels.data.copy()
    quiet(panel)
    assert text(panel) == "2 objects in 'from elsewhere'."
    push(panel, "Work on them")
    quiet(panel)
    assert panel.annotation.target is labels
    assert panel.controls.labels.layer is labels
    assert sorted(panel.annotation.session.objects) == [7, 4_000]
    assert "2 objects of 'from elsewhere' are in the list" in panel.controls.remark.text()
    np.testing.assert_array_equal(labels.data, before)
    assert text(panel) == ""
    panel.controls.undo.click()
    assert not panel.annotation.session.objects
    assert "2" in panel.controls.remark.text()
    assert "stay as they are" in panel.controls.remark.text()
    np.testing.assert_array_equal(labels.data, before)
    panel.controls.redo.click()
    assert sorted(panel.annotation.session.objects) == [7, 4_000]


def test_refine_them_opens_the_tab_with_the_layer(viewer, panel, quiet):
    labels = viewer.add_labels(cells(40, 60))
    quiet(panel)
    push(panel, "Refine them")
    assert panel.controls.refine.labels.layer is labels
    assert panel.tabs.tabText(panel.tabs.currentIndex()) == "Refine"
    assert text(panel) == ""


def test_who_refines_them_is_not_asked_about_them(viewer, panel, quiet):
    labels = viewer.add_labels(cells(40, 60))
    quiet(panel)
    assert "2 objects" in text(panel)
    panel.controls.refine.labels.choose(labels)
    panel.controls.refine.start.click()
    assert text(panel) == ""


def test_each_layer_is_asked_about_once(viewer, panel, quiet):
    viewer.add_labels(cells(40, 60), name="a")
    viewer.add_labels(cells(40, 60), name="b")
    quiet(panel)
    assert "'b'" in text(panel)
    push(panel, "Leave them")
    quiet(panel)
    assert "'a'" in text(panel)
    push(panel, "Leave them")
    quiet(panel)
    assert text(panel) == ""
    assert panel.annotation.target is None
    other = viewer.add_image(picture(40, 60), name="other")
    panel.controls.picture.choose(other)
    quiet(panel)
    assert text(panel) == ""


def test_the_question_goes_with_its_layer_and_its_picture(viewer, panel, quiet):
    labels = viewer.add_labels(cells(40, 60))
    quiet(panel)
    assert text(panel)
    viewer.layers.remove(labels)
    quiet(panel)
    assert text(panel) == ""
    viewer.add_labels(cells(40, 60))
    quiet(panel)
    assert text(panel)
    other = viewer.add_image(picture(50, 70), name="other")
    panel.controls.picture.choose(other)
    quiet(panel)
    assert text(panel) == ""


def test_nobody_is_asked_about_our_own_empty_or_other_labels(viewer, panel, quiet, accept):
    accept(10, 20)
    viewer.add_labels(np.zeros((40, 60), int))
    viewer.add_labels(cells(50, 70))
    viewer.add_labels(cells(3, 40, 60))
    quiet(panel)
    assert text(panel) == ""
    accept(30, 50)
    target = ours(viewer, "objects")
    panel.controls.labels.setCurrentIndex(0)  # a new one
    quiet(panel)
    assert target.data.any()
    assert text(panel) == ""


def test_labels_that_are_filled_later_are_asked_about(viewer, panel, quiet):
    labels = viewer.add_labels(np.zeros((40, 60), np.int32))
    quiet(panel)
    assert text(panel) == ""
    labels.data = cells(40, 60)
    quiet(panel)
    assert "2 objects" in text(panel)
    labels.data = np.zeros((40, 60), np.int32)
    quiet(panel)
    assert text(panel) == ""


def test_of_labels_that_cannot_be_painted_a_copy_is_worked_on(begin, quiet):
    viewer, panel = begin(picture(4, 40, 60), axis_labels=("z", "y", "x"))
    lazy = viewer.add_labels(dask.array.from_array(cells(4, 40, 60)), name="lazy")
    quiet(panel)
    assert answers(panel)[0] == "Work on a copy"
    push(panel, "Work on a copy")
    quiet(panel)
    target = panel.annotation.target
    assert target is not lazy
    assert target.name == "lazy objects"
    np.testing.assert_array_equal(target.data, cells(4, 40, 60))
    assert len(panel.annotation.session.objects[7].sections) == 4
    assert not lazy.visible
    assert text(panel) == ""


def test_of_labels_that_lie_elsewhere_a_copy_on_the_picture_is_worked_on(begin, quiet):
    viewer, panel = begin(picture(40, 60), scale=(0.5, 0.5))
    viewer.add_labels(cells(40, 60), name="unscaled")
    quiet(panel)
    assert answers(panel) == ["Work on a copy", "Leave them"]
    push(panel, "Work on a copy")
    quiet(panel)
    assert list(panel.annotation.target.scale) == [0.5, 0.5]
    assert sorted(panel.annotation.session.objects) == [7, 4_000]


def test_long_work_says_how_far_it_is_and_can_be_stopped(begin, quiet, qtbot, monkeypatch):
    monkeypatch.setattr(adopting, "TELL_S", 0)
    monkeypatch.setattr(adopting, "PIECE_MASKS", 2)
    viewer, panel = begin(picture(50, 40, 60), axis_labels=("z", "y", "x"))
    labels = viewer.add_labels(cells(50, 40, 60), name="stack")
    quiet(panel)
    push(panel, "Work on them")
    qtbot.waitUntil(lambda: "Taking up" in text(panel))
    assert "of 50" in text(panel)
    push(panel, "Stop")
    quiet(panel)
    taken = len(panel.annotation.session.objects[7].sections)
    assert 0 < taken < 50
    assert "Stopped" in panel.controls.remark.text()
    assert text(panel) == ""
    before = labels.data.copy()
    panel.controls.undo.click()
    assert not panel.annotation.session.objects
    assert not panel.annotation.session.can_undo
    np.testing.assert_array_equal(labels.data, before)


def test_labels_of_large_slices_on_disk_are_read_in_windows(begin, quiet, monkeypatch, tmp_path):
    viewer, panel = begin(picture(3, 40, 60), axis_labels=("z", "y", "x"))
    monkeypatch.setattr(adopting, "is_large", lambda _: True)
    monkeypatch.setattr(adopting, "on_plane", None)  # which reads whole slices
    stored = zarr.create_array(tmp_path / "0", data=cells(3, 40, 60), chunks=(1, 16, 16))
    viewer.add_labels(stored, name="stored")
    quiet(panel)
    push(panel, "Work on them")
    quiet(panel)
    objects = panel.annotation.session.objects
    assert {len(objects[number].sections) for number in (7, 4_000)} == {3}
    drawn = np.stack([objects.owners((z, None, None), (0, 0, 40, 60)) for z in range(3)])
    np.testing.assert_array_equal(drawn, stored[:])


def test_labels_too_large_for_a_copy_are_left(begin, quiet, monkeypatch):
    viewer, panel = begin(picture(40, 60), scale=(0.5, 0.5))
    viewer.add_labels(cells(40, 60), name="elsewhere", translate=(3, 3))
    quiet(panel)
    monkeypatch.setattr(opening, "SHARE", 0)
    push(panel, "Work on a copy")
    quiet(panel)
    assert "'elsewhere' of shape (40, 60) does not fit" in panel.controls.remark.text()
    assert panel.annotation.target is None


def test_an_undo_on_the_way_ends_it(begin, quiet, qtbot, monkeypatch):
    monkeypatch.setattr(adopting, "PIECE_MASKS", 2)
    viewer, panel = begin(picture(50, 40, 60), axis_labels=("z", "y", "x"))
    viewer.add_labels(cells(50, 40, 60))
    quiet(panel)
    push(panel, "Work on them")
    qtbot.waitUntil(lambda: bool(panel.annotation.session.objects))
    panel.controls.undo.click()
    quiet(panel)
    assert not panel.annotation.session.objects


def test_labels_that_no_object_can_have_are_told(viewer, panel, quiet):
    wrong = cells(40, 60)
    wrong[0, 0] = -3
    labels = viewer.add_labels(wrong, name="odd")
    quiet(panel)
    push(panel, "Work on them")
    quiet(panel)
    assert "'odd'" in panel.controls.remark.text()
    assert "negative" in panel.controls.remark.text()
    assert panel.annotation.target is labels
    assert not panel.annotation.session.objects


def test_two_panels_ask_about_their_own(open_panel, quiet):
    viewers = [ViewerModel() for _ in range(2)]
    for viewer in viewers:
        viewer.add_image(picture(40, 60))
    panels = [open_panel(viewer) for viewer in viewers]
    viewers[1].add_labels(cells(40, 60))
    for panel in panels:
        quiet(panel)
    assert text(panels[0]) == ""
    assert "2 objects" in text(panels[1])
