"""Rough labels go in as mask prompts; what comes back is shown before it is accepted."""

from __future__ import annotations

import threading

import dask.array as da
import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import QItemSelectionModel, Qt

from napari_sam.session.adopt import adopt
from napari_sam.session.batch import Batch, NewMask
from napari_sam.session.changes import Kind
from napari_sam.session.edit import curation
from napari_sam.session.objects import Status
from tests.widgets.conftest import ours, picture

SHAPE = (4, 40, 60)


def rough_labels():
    rough = np.zeros(SHAPE, np.uint16)
    rough[1, 5:15, 5:15] = 7
    rough[2, 5:15, 6:16] = 7
    rough[1, 20:32, 20:40] = 3
    return rough


@pytest.fixture
def viewer():
    viewer = ViewerModel()
    viewer.add_image(picture(*SHAPE), name="cells")
    viewer.dims.set_point(0, 1)
    return viewer


@pytest.fixture
def rough(viewer):
    return viewer.add_labels(rough_labels(), name="rough")


@pytest.fixture
def panel(viewer, rough, open_panel, settle):
    panel = open_panel(viewer)
    settle(panel)
    panel.controls.refine.labels.choose(rough)
    return panel


@pytest.fixture
def refine(panel, qtbot):
    """Return a function that refines, on this slice or on all, and waits."""

    def refine(all_slices=True, selected=False):
        c = panel.controls.refine
        c.choices["slices"].value = all_slices
        c.choices["objects"].value = selected
        c.start.click()
        qtbot.waitUntil(lambda: not panel.refining.busy, timeout=30_000)

    return refine


def outlines(viewer):
    return next(layer for layer in viewer.layers if layer.name == "napari-sam changes")


def objects(viewer):
    return ours(viewer, "objects")


def test_the_change_is_shown_before_it_is_accepted(viewer, panel, rough, refine, model):
    before = rough.data.copy()
    refine()
    c = panel.controls.refine
    assert "2 objects on 2 slices" in c.text.text()
    assert "median change" in c.text.text()
    assert "0.90" in c.text.text()
    shown = outlines(viewer)
    assert shown.data.shape == (1, 40, 60)
    assert set(np.unique(shown.data)) == {0, 1, 2}
    assert objects(viewer) is None
    np.testing.assert_array_equal(rough.data, before)
    viewer.dims.set_point(0, 3)
    assert not outlines(viewer).data.any()
    viewer.dims.set_point(0, 2)
    assert outlines(viewer).data[0, 10, 6] > 0
    asked = model.asked[-1]
    np.testing.assert_array_equal(asked.mask, before[2] == 7)
    np.testing.assert_allclose(asked.box, (4.5, 5.5, 14.5, 15.5))
    assert list(asked.labels) == [1]


def test_accept_is_one_step_and_keeps_the_numbers(viewer, panel, rough, refine):
    refine()
    panel.controls.refine.accept.click()
    written = objects(viewer).data
    assert set(np.unique(written[1])) == {0, 3, 7}
    assert written[2, 10, 10] == 7
    assert written[1, 5, 5] == 0  # rounder than the rough square
    session = panel.annotation.session
    assert {held.status for held in session.objects.values()} == {Status.ACCEPTED}
    section = session.objects[7].sections[2, None, None]
    assert section.score == pytest.approx(0.9)
    np.testing.assert_array_equal(section.prompts.mask.full(), rough.data[2] == 7)
    assert not outlines(viewer).data.any()
    panel.controls.undo.click()
    assert not written.any()
    assert not session.can_undo
    panel.controls.redo.click()
    assert set(np.unique(written)) == {0, 3, 7}


def test_reject_leaves_everything_as_it_was(viewer, panel, rough, refine):
    refine()
    panel.controls.refine.reject.click()
    assert not outlines(viewer).data.any()
    assert panel.refining.refined.slices == []
    assert objects(viewer) is None
    assert not panel.annotation.session.can_undo
    assert panel.controls.refine.accept.isHidden()


def test_only_this_slice_or_only_the_selected_label(panel, rough, refine):
    refine(all_slices=False)
    assert [one.plane for one in panel.refining.refined.slices] == [(1, None, None)]
    assert set(panel.refining.refined.slices[0].found) == {3, 7}
    rough.selected_label = 7
    refine(selected=True)
    assert [set(one.found) for one in panel.refining.refined.slices] == [{7}, {7}]
    rough.selected_label = 99
    refine(selected=True)
    assert "no object" in panel.controls.refine.text.text()


def test_box_and_point_by_choice(panel, refine, model):
    panel.controls.refine.choices["box"].value = False
    refine(all_slices=False)
    assert model.asked[-1].box is None
    ((row, column),) = model.asked[-1].points
    assert model.asked[-1].mask[int(row), int(column)]
    panel.controls.refine.choices["box"].value = True
    panel.controls.refine.choices["point"].value = False
    refine(all_slices=False)
    assert model.asked[-1].box is not None
    assert len(model.asked[-1].points) == 0


def test_another_object_is_no_answer(viewer, panel, rough, refine):
    panel.controls.refine.choices["box"].value = False
    panel.controls.refine.choices["point"].value = False  # the fake finds nothing then
    refine(all_slices=False)
    assert "2 masks would stay" in panel.controls.refine.text.text()
    panel.controls.refine.accept.click()
    np.testing.assert_array_equal(objects(viewer).data[1], rough.data[1])
    held = panel.annotation.session.objects
    assert {one.status for one in held.values()} == {Status.UNCLEAR}


def test_the_labels_that_are_written_to_can_be_refined_themselves(viewer, panel, rough, refine):
    panel.controls.labels.choose(rough)
    before = rough.data.copy()
    before[1, 5:15, 15:25] = 9  # a neighbour that touches 7
    rough.data = before.copy()
    refine()
    panel.controls.refine.accept.click()
    assert set(np.unique(rough.data)) == {0, 3, 7, 9}
    assert rough.data[1, 5, 5] == 0
    assert rough.data[1, 10, 10] == 7
    panel.controls.undo.click()
    np.testing.assert_array_equal(rough.data, before)


def test_where_a_border_moves_the_neighbour_follows(viewer, panel, rough, refine, model):
    panel.controls.labels.choose(rough)
    rough.data = np.where(rough_labels() == 3, 0, rough_labels())
    rough.data[1, 5:15, 15:25] = 9
    predict = model.predict

    def moved(
        embedding, prompts, pause=None
    ):  # the border between 7 and 9 belongs three pixels to the left
        answer = predict(embedding, prompts)
        mask = np.zeros_like(answer.masks)
        left = prompts.mask[10, 8]
        mask[:, 5:15, slice(5, 12) if left else slice(12, 25)] = True
        return type(answer)(mask, answer.scores, answer.logits)

    model.predict = moved
    refine(all_slices=False)
    panel.controls.refine.accept.click()
    assert set(rough.data[1, 10, 5:12]) == {7}
    assert set(rough.data[1, 10, 12:25]) == {9}


def test_other_objects_keep_their_pixels_and_numbers(viewer, panel, rough, refine, settle):
    ours(viewer, "points").add((1, 10, 10))
    settle(panel)
    panel.controls.accept.click()
    first = objects(viewer).data.copy()
    refine()
    panel.controls.refine.accept.click()
    written = objects(viewer).data
    np.testing.assert_array_equal(written[first > 0], first[first > 0])
    assert written[1, 26, 30] not in (0, 1)
    assert written[2, 10, 10] not in (0, 1, written[1, 26, 30])


def test_lazy_labels_and_labels_that_do_not_fit(viewer, panel, refine, model):
    lazy = viewer.add_labels(da.from_array(rough_labels(), chunks=(1, 40, 60)))
    panel.controls.refine.labels.choose(lazy)
    refine()
    assert len(panel.refining.refined.slices) == 2
    panel.controls.refine.labels.choose(viewer.add_labels(np.ones((40, 60), int)))
    refine()
    assert "shape" in panel.controls.refine.text.text()
    assert panel.controls.refine.start.isEnabled()
    panel.controls.refine.labels.choose(None)
    assert not panel.controls.refine.start.isEnabled()


def test_a_plane_along_another_axis(viewer, panel, rough, refine):
    viewer.dims.order = (1, 0, 2)
    viewer.dims.set_point(1, 10)
    rough.data[:, 8:12, 30:40] = 5
    refine(all_slices=False)
    (result,) = panel.refining.refined.slices
    assert result.plane == (None, 10, None)
    assert result.shape == (4, 60)
    assert outlines(viewer).data.shape == (4, 1, 60)


def test_cancel_keeps_what_is_done(panel, rough, qtbot, model):
    gate, predict = threading.Event(), model.predict_batch
    calls = []

    def slowly(embedding, prompts, pause=None):
        calls.append(len(prompts))
        if len(calls) == 3:  # each slice is asked about twice
            gate.wait(30)
        return predict(embedding, prompts)

    model.predict_batch = slowly
    c = panel.controls.refine
    c.choices["slices"].value = True
    c.start.click()
    qtbot.waitUntil(lambda: len(calls) == 3, timeout=30_000)
    assert not c.cancel.isHidden()
    c.cancel.click()
    gate.set()
    assert not panel.refining.busy
    assert [one.plane for one in panel.refining.refined.slices] == [(1, None, None)]
    assert "2 objects on 1 slice" in c.text.text()
    assert not c.accept.isHidden()
    qtbot.wait(50)
    assert len(panel.refining.refined.slices) == 1


def test_a_failure_is_said_and_another_picture_forgets(viewer, panel, refine, model):
    model.predict_batch = lambda *_: 1 / 0
    refine()
    assert "⚠" in panel.controls.refine.text.text()
    assert panel.controls.refine.accept.isHidden()
    del model.predict_batch
    refine()
    assert panel.refining.refined.slices
    other = viewer.add_image(picture(*SHAPE))
    panel.controls.picture.choose(other)
    assert panel.refining.refined.slices == []
    assert not [layer for layer in viewer.layers if layer.name == "napari-sam changes"]


def rows(panel):
    table = panel.controls.refine.list.table
    return [
        [table.item(row, column).text() for column in range(table.columnCount())]
        for row in range(table.rowCount())
    ]


def select(panel, *numbers):
    table = panel.controls.refine.list.table
    table.clearSelection()
    for row, (number, *_) in enumerate(rows(panel)):
        if int(number) in numbers:
            table.selectionModel().select(
                table.model().index(row, 0),
                QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows,
            )


class TestOneByOne:
    def test_each_object_has_its_score_and_its_change(self, panel, refine):
        assert panel.controls.refine.list.isHidden()
        refine()
        assert not panel.controls.refine.list.isHidden()
        found = {row[0]: row[1:] for row in rows(panel)}
        assert set(found) == {"3", "7"}
        for number, slices in (("3", "1"), ("7", "2")):
            assert found[number][:2] == [slices, "0.90"]
            largest = max(
                one.found[int(number)][0].change
                for one in panel.refining.refined.slices
                if int(number) in one.found
            )
            assert found[number][2] == f"{100 * largest:.0f} %"

    def test_the_least_sure_come_first_and_any_column_sorts(self, panel, refine, model):
        predict = model.predict

        def unsure(embedding, prompts, pause=None):
            answer = predict(embedding, prompts)
            wide = prompts.mask.any(axis=0).sum() > 15
            return type(answer)(answer.masks, answer.scores - 0.5 * wide, answer.logits)

        model.predict = unsure
        refine()
        assert [row[0] for row in rows(panel)] == ["3", "7"]
        panel.controls.refine.list.table.sortByColumn(1, Qt.SortOrder.DescendingOrder)
        assert [row[0] for row in rows(panel)] == ["7", "3"]

    def test_only_what_is_selected_is_accepted_and_one_undo_takes_it_back(
        self, viewer, panel, refine
    ):
        refine()
        c = panel.controls.refine
        assert not c.list.accept.isEnabled()
        select(panel, 7)
        c.list.accept.click()
        written = objects(viewer).data
        assert set(np.unique(written)) == {0, 7}
        assert written[2, 10, 10] == 7
        assert [row[0] for row in rows(panel)] == ["3"]
        assert "1 object on 1 slice" in c.text.text()
        assert c.list.selected == [3]  # on to the next
        c.list.accept.click()
        assert set(np.unique(written)) == {0, 3, 7}  # as in the rough labels
        assert c.list.isHidden()
        panel.controls.undo.click()
        assert set(np.unique(written)) == {0, 7}
        panel.controls.undo.click()
        assert not written.any()

    def test_what_is_rejected_is_gone_and_changes_nothing(self, viewer, panel, refine):
        refine()
        select(panel, 3)
        panel.controls.refine.list.reject.click()
        assert [row[0] for row in rows(panel)] == ["7"]
        assert objects(viewer) is None
        panel.controls.refine.accept.click()
        assert set(np.unique(objects(viewer).data)) == {0, 7}

    def test_the_view_goes_to_a_selected_object_and_shows_its_change_alone(
        self, viewer, panel, refine, rough
    ):
        rough.data[2, 5:15, 20:23] = 7  # a tail that the new mask loses
        refine()
        viewer.dims.set_point(0, 0)
        select(panel, 7)
        assert viewer.dims.point[0] == 2
        select(panel, 3)
        assert viewer.dims.point[0] == 1
        shown = outlines(viewer).data[0]
        assert shown[20:32].any()
        assert not shown[:18].any()
        panel.controls.refine.list.table.clearSelection()
        assert outlines(viewer).data[0, :18].any()

    def test_a_number_that_was_given_away_meanwhile_is_not_used_again(
        self, viewer, panel, refine, settle
    ):
        refine()
        select(panel, 7)
        panel.controls.refine.list.accept.click()
        session = panel.annotation.session
        with Batch(session, Kind.AUTOMATIC) as batch:
            far = np.zeros((40, 60), bool)
            far[35:38, 50:55] = True
            batch.add((1, None, None), [NewMask(far, 3, 0.9)])
        panel.controls.refine.accept.click()
        written = objects(viewer).data
        assert (written[1, 35:38, 50:55] == 3).all()
        assert written[1, 26, 30] not in (0, 3, 7)

    def test_what_lies_on_another_object_is_left_out_and_named(self, viewer, panel, refine):
        refine()
        select(panel, 7)
        panel.controls.refine.list.accept.click()
        with Batch(panel.annotation.session, Kind.AUTOMATIC) as batch:
            there = np.zeros((40, 60), bool)
            there[18:36, 20:42] = True
            (number,) = batch.add((1, None, None), [NewMask(there, score=0.9)])
        before = objects(viewer).data.copy()
        panel.controls.refine.accept.click()
        np.testing.assert_array_equal(objects(viewer).data, before)
        said = panel.controls.remark.text()
        assert said == (f"1 of 1 new masks lay on other objects and was left out: object {number}.")

    def test_a_locked_object_stays_and_that_is_said(self, panel, rough, refine):
        panel.controls.labels.choose(rough)
        before = rough.data.copy()
        refine()
        adopt(panel.annotation.session, (1, None, None))
        curation.lock(panel.annotation.session, [3])
        select(panel, 3)
        panel.controls.refine.list.accept.click()
        np.testing.assert_array_equal(rough.data, before)
        assert "stay as they are" in panel.controls.remark.text()


class TestSelected:
    def test_in_the_labels_that_are_written_to_it_means_the_list_of_objects(
        self, panel, rough, refine
    ):
        c = panel.controls.refine
        assert c.choices["objects"].native.itemText(1) == "The label selected in that layer"
        panel.controls.labels.choose(rough)
        assert c.choices["objects"].native.itemText(1) == "Those selected in the list of objects"
        adopt(panel.annotation.session, (1, None, None))
        panel.review.refresh()
        rough.selected_label = 3
        refine(selected=True)
        assert "Select an object" in c.text.text()
        panel.controls.objects.select(7)
        refine(selected=True)
        assert {id_ for one in panel.refining.refined.slices for id_ in one.found} == {7}
        panel.controls.labels.choose(None)
        assert c.choices["objects"].native.itemText(1) == "The label selected in that layer"


def test_changes_are_drawn_above_labels_that_came_later(viewer, panel, refine):
    layers = viewer.layers
    later = viewer.add_labels(rough_labels(), name="later")
    panel.controls.refine.labels.choose(later)
    refine()
    assert layers.index("napari-sam changes") > layers.index(later)
    layers.move(layers.index(later), len(layers))
    viewer.dims.set_point(0, 2)
    assert layers.index("napari-sam changes") > layers.index(later)
