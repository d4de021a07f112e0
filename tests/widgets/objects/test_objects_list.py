"""The list of objects, and going through them, without a window."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.utils.shortcuts import default_shortcuts
from qtpy.QtCore import QItemSelectionModel, Qt

from napari_sam.masks import CroppedMask
from napari_sam.session.batch import Batch, NewMask
from napari_sam.session.changes import Kind
from napari_sam.session.edit import curation
from napari_sam.session.objects import Status
from napari_sam.widgets.common.keys import KEYS
from napari_sam.widgets.objects import review
from napari_sam.widgets.objects.highlight import rings
from napari_sam.widgets.objects.objects_list import BUTTONS, MENU
from napari_sam.widgets.objects.objects_model import Column
from tests.widgets.conftest import ours, picture


@pytest.fixture
def viewer():
    viewer = ViewerModel()
    viewer.add_image(picture(6, 40, 60), name="stack", scale=(3, 0.5, 0.5), translate=(7, 0, 0))
    return viewer


@pytest.fixture
def three(viewer, panel, accept):
    """Three objects: one clicked and accepted, one proposed on three slices, one unclear."""
    viewer.dims.set_point(0, 7)
    accept(0, 10, 10)
    with Batch(panel.annotation.session, Kind.PROPAGATED) as batch:
        for at, score in ((1, 0.9), (2, 0.4), (3, 0.8)):
            batch.add((at, None, None), [NewMask(block(20, 30), score=score, object_id=2)])
        unclear = NewMask(block(5, 45), score=0.6, object_id=3, status=Status.UNCLEAR)
        batch.add((4, None, None), [unclear])
    panel.review.refresh()
    return panel


def block(row, column):
    mask = np.zeros((40, 60), bool)
    mask[row : row + 8, column : column + 8] = True
    return mask


def shown(panel, column):
    objects = panel.controls.objects.sorted
    cells = (objects.index(row, column) for row in range(objects.rowCount()))
    return [objects.data(cell) for cell in cells]


def ids(panel):
    return list(map(int, shown(panel, Column.ID)))


def select(panel, *numbers):
    """Select rows as a person does."""
    objects = panel.controls.objects
    chosen = objects.table.selectionModel()
    chosen.clearSelection()
    flags = QItemSelectionModel.SelectionFlag
    for number in numbers:
        index = objects.sorted.mapFromSource(objects.model.index(objects.model.find(number), 0))
        chosen.select(index, flags.Select | flags.Rows)


def status(panel, number, at):
    return panel.annotation.session.objects[number].sections[at, None, None].status


def test_objects_appear_the_least_sure_first(three):
    assert ids(three) == [3, 2, 1]
    assert shown(three, Column.SLICES) == ["4", "1-3", "0"]
    assert shown(three, Column.SCORE)[:2] == ["0.60", "0.40"]
    assert [text.split()[1] for text in shown(three, Column.STATUS)] == [
        "unclear",
        "proposed",
        "accepted",
    ]
    assert three.controls.objects.heading.text() == "Objects (3, 2 unsure)"


def test_the_list_is_there_while_there_are_objects_and_before_the_first_steps(
    viewer, panel, accept
):
    viewer.dims.set_point(0, 7)
    objects = panel.controls.objects
    assert not objects.empty.isHidden()
    assert objects.frame.isHidden()
    accept(0, 10, 10)
    panel.review.refresh()
    assert objects.empty.isHidden()
    assert not objects.frame.isHidden()
    panel.controls.undo.click()
    panel.review.refresh()
    assert not objects.empty.isHidden()
    assert objects.frame.isHidden()


def test_what_has_no_button_is_in_the_menu_with_its_key(three):
    objects = three.controls.objects
    texts = [action.text() for action in objects.menu.actions()]
    for name, (text, _) in (MENU | BUTTONS).items():
        reached = name in objects.buttons or f"{text}  [{KEYS[name]}]" in texts
        assert reached, name
    assert set(MENU | BUTTONS) == set(three.review.actions)


def test_sorted_by_any_column(three):
    table = three.controls.objects.table
    for column, order in (
        (Column.ID, [1, 2, 3]),
        (Column.SLICES, [1, 3, 2]),
        (Column.SCORE, [2, 3, 1]),
        (Column.STATUS, [3, 2, 1]),
    ):
        table.sortByColumn(column, Qt.SortOrder.AscendingOrder)
        assert ids(three) == order, column
        table.sortByColumn(column, Qt.SortOrder.DescendingOrder)
        found = ids(three)
        key = [shown(three, column)[found.index(number)] for number in order]
        assert key == [shown(three, column)[::-1][i] for i in range(3)], column


def test_only_those_of_one_status(three):
    choice = three.controls.objects.show_only
    for row, expected in enumerate(([3, 2, 1], [3], [2], [1])):
        choice.setCurrentIndex(row)
        assert ids(three) == expected


def test_a_row_leads_to_the_weakest_slice(viewer, three):
    select(three, 2)
    assert viewer.dims.point[0] == pytest.approx(7 + 3 * 2)
    assert three.annotation.seen == (2, None, None)
    assert "object 2 right here" in three.controls.status.text()
    select(three, 3)
    assert three.annotation.seen == (4, None, None)


def test_a_row_turns_the_view_to_the_planes_of_its_object(viewer, three):
    viewer.dims.order = (1, 0, 2)
    select(three, 2)
    assert viewer.dims.displayed == (1, 2)
    assert three.annotation.seen == (2, None, None)


def test_the_camera_moves_only_to_what_is_out_of_sight(viewer, three):
    camera = viewer.scene.camera
    layer = three.annotation.picture.layer
    before = camera.center
    select(three, 3)
    assert camera.center == before
    layer.corner_pixels[:] = [(0, 20, 20), (0, 39, 39)]
    select(three, 2)
    assert camera.center == before
    select(three, 3)
    assert camera.center == (0.0, 8.5 * 0.5, 48.5 * 0.5)


def test_accepting_slice_by_slice_goes_through_all_that_is_unsure(viewer, three):
    actions = three.review.actions
    actions["next_unsure"]()
    for at in (1, 2, 3):
        assert three.annotation.seen == (at, None, None)
        assert three.controls.objects.selected == [2]
        actions["accept_slice"]()
        assert status(three, 2, at) is Status.ACCEPTED
    assert three.annotation.seen == (4, None, None)
    assert three.controls.objects.selected == [3]
    actions["accept_slice"]()
    assert "Nothing is left" in three.controls.remark.text()
    assert three.controls.objects.heading.text() == "Objects (3)"


def test_a_filter_does_not_move_the_view_when_a_judged_object_leaves_it(viewer, three):
    three.controls.objects.show_only.setCurrentIndex(2)  # proposed
    select(three, 2)
    viewer.dims.set_point(0, 7)
    curation.set_status(three.annotation.session, [2], Status.ACCEPTED)
    three.review.refresh()
    assert ids(three) == []
    assert viewer.dims.point[0] == 7


def test_an_object_is_accepted_as_a_whole_and_an_accepted_slice_made_unclear(three):
    select(three, 2)
    three.review.actions["accept_object"]()
    assert three.annotation.session.objects[2].status is Status.ACCEPTED
    select(three, 1)
    three.review.actions["unclear"]()
    assert status(three, 1, 0) is Status.UNCLEAR
    three.controls.undo.click()
    assert status(three, 1, 0) is Status.ACCEPTED


def test_opening_brings_the_prompts_back_and_accepting_changes_the_object(
    viewer, three, settle, model
):
    select(three, 1)
    assert "opens it again" in three.controls.status.text()
    three.review.actions["open"]()
    np.testing.assert_allclose(ours(viewer, "points").data, [(0, 10, 10)])
    assert "Object 1 is open" in three.controls.status.text()
    asked = len(model.asked)
    ours(viewer, "points").add((0, 20, 10))
    settle(three)
    assert len(model.asked) == asked + 1
    three.controls.accept.click()
    assert sorted(three.annotation.session.objects) == [1, 2, 3]
    assert three.annotation.target.data[0, 20, 10] == 1


def test_a_double_click_opens(three, qtbot):
    select(three, 1)
    three.controls.objects.table.doubleClicked.emit(three.controls.objects.sorted.index(0, 0))
    assert three.annotation.session.draft.object_id == 1


def test_an_object_goes_on_where_it_is_not_yet(viewer, three, settle):
    select(three, 1)
    viewer.dims.set_point(0, 7 + 3 * 5)
    assert "not on this slice" in three.controls.status.text()
    three.review.actions["continue"]()
    assert "Object 1 goes on" in three.controls.status.text()
    ours(viewer, "points").add((5, 10, 10))
    settle(three)
    three.controls.accept.click()
    assert three.annotation.session.objects[1].planes == [(0, None, None), (5, None, None)]


def test_merged_split_and_deleted(three, settle):
    select(three, 3, 2)
    three.review.actions["merge"]()
    assert sorted(ids(three)) == [1, 2]
    assert three.controls.objects.selected == [2]
    three.review.actions["split"]()
    assert sorted(ids(three)) == [1, 2, 3]
    select(three, 1, 3)
    three.review.actions["delete"]()
    assert ids(three) == [2]
    for _ in range(3):
        three.controls.undo.click()
    three.review.refresh()
    assert sorted(ids(three)) == [1, 2, 3]


def test_a_locked_object_stays_and_says_so(three):
    select(three, 1)
    three.review.actions["lock"]()
    assert "is locked" in three.controls.status.text()
    three.review.actions["delete"]()
    assert "unlock" in three.controls.remark.text()
    assert 1 in three.annotation.session.objects
    three.review.actions["lock"]()
    three.review.actions["delete"]()
    assert 1 not in three.annotation.session.objects


def test_a_class_from_the_menu(three):
    three.annotation.session.configure(classes={1: "cell", 2: "dividing"})
    objects = three.controls.objects
    assert set(shown(three, Column.CLASS)) == {"cell"}
    select(three, 2, 3)
    objects.class_menu.aboutToShow.emit()
    next(a for a in objects.class_menu.actions() if a.text() == "dividing").trigger()
    assert shown(three, Column.CLASS) == ["dividing", "dividing", "cell"]


def test_classes_are_named_and_the_labels_may_hold_them(three):
    options = three.controls.objects.classes
    options.names.setText("cell, dividing")
    options.names.editingFinished.emit()
    assert three.annotation.session.classes == {1: "cell", 2: "dividing"}
    select(three, 2)
    three.controls.objects.class_wanted.emit(2)
    options.holds.setCurrentIndex(1)
    assert three.annotation.target.data[2, 24, 34] == 2
    assert three.annotation.target.data[0, 10, 10] == 1
    assert three.annotation.target.data[4, 8, 48] == 1
    three.controls.undo.click()
    assert three.annotation.target.data[4, 8, 48] == 3
    assert options.holds.currentIndex() == 0
    three.controls.redo.click()
    assert options.holds.currentIndex() == 1
    options.holds.setCurrentIndex(0)
    assert three.annotation.target.data[4, 8, 48] == 3
    options.new.setCurrentIndex(1)
    assert three.annotation.session.new_class == 2


def test_a_class_in_use_keeps_its_name(three):
    options = three.controls.objects.classes
    options.names.setText("")
    options.names.editingFinished.emit()
    assert "is in use" in three.controls.remark.text()
    assert options.names.text() == "object"


def test_the_object_below_the_mouse_is_selected(viewer, three):
    viewer.dims.set_point(0, 7 + 3 * 2)
    viewer.cursor.position = (13, 24 * 0.5, 34 * 0.5)
    three.review.actions["pick"]()
    assert three.controls.objects.selected == [2]
    viewer.cursor.position = (13, 0, 0)
    three.review.actions["pick"]()
    assert "no object below the mouse" in three.controls.remark.text()


def test_nothing_happens_without_a_selection_but_a_word(three):
    before = three.annotation.session.history.done[-1]
    three.controls.objects.table.clearSelection()
    for name, action in three.review.actions.items():
        if name not in ("next_unsure", "pick"):
            action()
            assert three.controls.remark.text(), name
    assert three.annotation.session.history.done[-1] is before


def test_a_portrait_is_drawn_once_and_again_when_the_mask_changes(three, qtbot):
    objects = three.controls.objects
    made = []
    objects.thumbnails.drawn.connect(made.append)

    def look(number):
        row = objects.model.find(number)
        cell = objects.model.index(row, Column.THUMBNAIL)
        return objects.model.data(cell, Qt.ItemDataRole.DecorationRole)

    assert look(2) is None
    qtbot.waitUntil(lambda: made == [2])
    first = look(2).pixmap(36).toImage()
    assert first.width() == first.height() > 0
    curation.lock(three.annotation.session, [2])
    three.review.refresh()
    assert look(2).pixmap(36).toImage() == first
    assert not objects.thumbnails._waiting
    curation.lock(three.annotation.session, [2], False)
    curation.set_status(three.annotation.session, [2], Status.ACCEPTED, (2, None, None))
    three.review.refresh()
    assert look(2).pixmap(36).toImage() == first  # until the other is there
    qtbot.waitUntil(lambda: made == [2, 2])
    assert look(2).pixmap(36).toImage() != first


def test_the_colour_is_that_of_the_labels(three):
    objects = three.controls.objects
    cell = objects.model.index(objects.model.find(2), Column.ID)
    swatch = objects.model.data(cell, Qt.ItemDataRole.DecorationRole).pixmap(12).toImage()
    expected = three.annotation.target.get_color(2)
    np.testing.assert_allclose(swatch.pixelColor(6, 6).getRgbF(), expected, atol=1 / 255)


def test_another_labels_layer_has_a_list_of_its_own(viewer, three):
    viewer.add_labels(np.zeros((6, 40, 60), np.uint16), scale=(3, 0.5, 0.5), translate=(7, 0, 0))
    three.controls.labels.choose(viewer.layers[-1])
    assert three.annotation.target is viewer.layers[-1]
    assert ids(three) == []
    assert three.controls.objects.heading.text() == "Objects (0)"


def test_keys_are_none_of_naparis_own_and_none_twice():
    taken = {str(key) for keys in default_shortcuts.values() for key in keys}
    assert not taken & set(KEYS.values())
    assert len(set(KEYS.values())) == len(KEYS)


def ring(viewer):
    """Where the ring next to selected objects shows, by slice, row and column."""
    layer = ours(viewer, "selected")
    return None if layer is None else layer.data == 1


def around(row, column):
    """The ring that belongs around a block."""
    near = np.zeros((40, 60), bool)
    near[row - 1 : row + 9, column : column + 8] = True
    near[row : row + 8, column - 1 : column + 9] = True
    return near & ~block(row, column)


class TestHighlight:
    def test_the_selected_object_has_a_ring_on_the_slice_in_view(self, viewer, three):
        assert ring(viewer) is None
        select(three, 2)
        (found,) = ring(viewer)
        np.testing.assert_array_equal(found, around(20, 30))
        assert ours(viewer, "selected").translate[0] == 7 + 3 * 2
        assert ours(viewer, "selected") is not three.annotation.target

    def test_it_follows_the_slice_and_the_selection(self, viewer, three):
        select(three, 2)
        viewer.dims.set_point(0, 7 + 3 * 3)
        assert ring(viewer).any()
        assert ours(viewer, "selected").translate[0] == 7 + 3 * 3
        viewer.dims.set_point(0, 7 + 3 * 5)
        assert not ring(viewer).any()
        select(three, 3)
        np.testing.assert_array_equal(ring(viewer)[0], around(5, 45))
        select(three)
        assert not ring(viewer).any()

    def test_all_selected_objects_have_one(self, viewer, three):
        with Batch(three.annotation.session, Kind.AUTOMATIC) as batch:
            batch.add((4, None, None), [NewMask(block(25, 10), score=0.5, object_id=4)])
        three.review.refresh()
        select(three, 3)
        select(three, 3, 4)
        np.testing.assert_array_equal(ring(viewer)[0], around(5, 45) | around(25, 10))

    def test_it_follows_what_becomes_of_the_object(self, viewer, three):
        select(three, 3)
        curation.delete(three.annotation.session, [3])
        assert not ring(viewer).any()
        three.controls.undo.click()
        select(three, 3)
        np.testing.assert_array_equal(ring(viewer)[0], around(5, 45))

    def test_it_is_no_layer_of_the_user(self, viewer, three, tmp_path):
        labels = three.annotation.target.data.copy()
        select(three, 2)
        choice = three.controls.labels
        texts = [choice.itemText(index) for index in range(choice.count())]
        assert ours(viewer, "selected").name not in texts
        assert three.annotation.target.name in texts
        viewer.layers.remove(ours(viewer, "selected"))
        select(three, 3)
        np.testing.assert_array_equal(ring(viewer)[0], around(5, 45))
        np.testing.assert_array_equal(three.annotation.target.data, labels)
        three.close_panel()
        assert ours(viewer, "selected") is None

    def test_in_3d_there_is_none(self, viewer, three):
        select(three, 2)
        viewer.dims.ndisplay = 3
        assert not ring(viewer).any()

    def test_at_the_edge_and_in_a_large_picture(self):
        mask = np.zeros((2100, 8), bool)
        mask[:2, 3:5] = True
        shown = rings([CroppedMask.of(mask)])
        assert shown[0].tolist() == [1, 1, 1, 0, 0, 1, 1, 1]
        assert shown[1:9, 3].tolist() == [0, 1, 1, 1, 2, 2, 2, 0]


def test_many_rows_come_and_go_in_parts_and_none_is_left_out(three, monkeypatch, qtbot):
    monkeypatch.setattr(review, "AT_ONCE", 4)
    rows, told = three.controls.objects.model, []
    rows.rowsInserted.connect(lambda _, first, last: told.append(last - first + 1))
    session = three.annotation.session
    with Batch(session, Kind.AUTOMATIC) as batch:
        batch.add((5, None, None), [NewMask(block(0, column)) for column in range(0, 50, 8)])
    qtbot.waitUntil(lambda: rows.rowCount() == len(session.objects) == 10)
    assert told == [4, 3]
    session.undo()
    qtbot.waitUntil(lambda: rows.rowCount() == 3)
    assert ids(three) == [3, 2, 1]
    session.redo()
    three.review.refresh()
    assert rows.rowCount() == 10
