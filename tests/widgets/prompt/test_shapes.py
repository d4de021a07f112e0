"""Boxes, outlines and scribbles in the Shapes layer, one object or many."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_sam.session import drawing
from napari_sam.session.objects import Source, Status
from napari_sam.widgets.layers.prompt_layers import Tool
from tests.widgets.conftest import ours, picture, rectangle

CIRCLE = [
    (15 + 8 * np.sin(a), 20 + 8 * np.cos(a)) for a in np.linspace(0, 2 * np.pi, 16, endpoint=False)
]


@pytest.fixture
def settle(settle, qtbot):
    def settle_late(panel):
        qtbot.wait(20)  # lines and lassos are taken when napari has finished them
        settle(panel)

    return settle_late


@pytest.fixture
def settle_all(settle, qtbot):
    def settle_all(panel):
        settle(panel)
        qtbot.waitUntil(lambda: not panel.annotation.asking.boxes.busy, timeout=30_000)

    return settle_all


def add(viewer, vertices, kind):
    ours(viewer, "boxes").add(np.array(vertices, float), shape_type=kind)


def choose(panel, tool):
    panel.controls.shape.entries[tool].trigger()


def test_the_menu_changes_what_the_button_and_its_key_draw(viewer, panel):
    modes = []
    for tool in (Tool.OUTLINE, Tool.ELLIPSE, Tool.SCRIBBLE, Tool.BOXES, Tool.BOX):
        choose(panel, tool)
        assert panel.annotation.tool is tool
        modes.append(str(ours(viewer, "boxes").mode))
        panel.prompting.switch_polarity()
        panel.prompting.draw_box()
        assert panel.controls.shape.button.isChecked()
    expected = ["add_polygon_lasso", "add_ellipse", "add_path", "pan_zoom", "pan_zoom"]
    assert modes == expected


def test_the_polarity_key_turns_a_scribble_round(viewer, panel):
    choose(panel, Tool.SCRIBBLE)
    colour = ours(viewer, "boxes").current_edge_color
    panel.prompting.switch_polarity()
    assert panel.annotation.tool is Tool.SCRIBBLE_OUT
    assert ours(viewer, "boxes").current_edge_color != colour
    panel.prompting.switch_polarity()
    assert panel.annotation.tool is Tool.SCRIBBLE


@pytest.mark.parametrize("kind", ["polygon", "ellipse"])
def test_an_outline_asks_with_its_box_and_its_mask(viewer, panel, settle, model, kind):
    add(viewer, CIRCLE if kind == "polygon" else rectangle(7, 12, 23, 28), kind)
    settle(panel)
    asked = model.asked[-1]
    assert asked.mask.shape == (40, 60)
    assert asked.mask.sum() == pytest.approx(np.pi * 64, rel=0.1)
    rows, columns = np.nonzero(asked.mask)
    assert asked.box == pytest.approx(
        (rows.min() - 0.5, columns.min() - 0.5, rows.max() + 0.5, columns.max() + 0.5)
    )
    assert ours(viewer, "preview").data[15, 20] == 1
    shapes = ours(viewer, "boxes")
    assert list(shapes.shape_type) == [kind]  # still as it was drawn


def test_an_outline_is_undone_redone_and_comes_back_when_opened(viewer, panel, settle, model):
    add(viewer, CIRCLE, "polygon")
    settle(panel)
    rough = model.asked[-1].mask
    panel.controls.undo.click()
    assert len(ours(viewer, "boxes").data) == 0
    panel.controls.redo.click()
    settle(panel)
    np.testing.assert_array_equal(model.asked[-1].mask, rough)
    panel.controls.accept.click()
    add(viewer, rectangle(25, 40, 35, 55), "rectangle")
    settle(panel)
    panel.controls.accept.click()
    drawing.reopen(panel.annotation.session, 1, (None, None))
    assert list(ours(viewer, "boxes").shape_type) == ["polygon"]
    drawn = panel.annotation.session.draft
    np.testing.assert_array_equal(drawn.mask.full(), rough)
    ours(viewer, "points").add((15, 20))  # the outline on show stays as it is
    settle(panel)
    assert panel.annotation.session.draft.mask == drawn.mask
    assert panel.annotation.session.draft.box == drawn.box


def test_a_scribble_becomes_points_of_the_armed_polarity(viewer, panel, settle, model):
    choose(panel, Tool.SCRIBBLE)
    add(viewer, [(10, 10), (10, 40)], "path")
    settle(panel)
    count = len(model.asked[-1].labels)
    assert 2 <= count <= 6
    assert set(model.asked[-1].labels) == {1}
    assert len(ours(viewer, "boxes").data) == 0
    assert len(ours(viewer, "points").data) == count
    panel.prompting.arm(Tool.EXCLUDE)
    add(viewer, [(20, 10), (20, 40)], "line")  # with napari's own line tool
    settle(panel)
    assert list(model.asked[-1].labels).count(0) == count
    panel.controls.undo.click()  # the whole scribble is one step
    assert len(ours(viewer, "points").data) == count


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 2, 0), (2, 1, 0)])
def test_shapes_on_any_slice_and_along_any_axis(open_panel, settle, model, order):
    viewer = ViewerModel()
    viewer.add_image(picture(12, 40, 50), scale=(4, 1, 1), translate=(0, 30, 7))
    panel = open_panel(viewer)
    settle(panel)
    viewer.dims.order = order
    viewer.dims.set_point(order[0], viewer.dims.range[order[0]].start + 8)
    seen = panel.annotation.seen
    axes = sorted(order[1:])
    full = np.array([[at or 0 for at in seen]] * 4, float)
    full[:, axes] = rectangle(2, 3, 10, 11)
    for kind in ("ellipse", "polygon"):
        ours(viewer, "boxes").add(full, shape_type=kind)
        settle(panel)
        asked = model.asked[-1]
        assert asked.mask.shape == tuple(viewer.layers[0].data.shape[axis] for axis in axes)
        assert asked.mask[6, 7]
        panel.controls.accept.click()
        panel.controls.undo.click()
        panel.controls.undo.click()
    ours(viewer, "boxes").add(full[[0, 2]], shape_type="path")
    settle(panel)
    assert all(2 <= y <= 10 and 3 <= x <= 11 for y, x in model.asked[-1].points)
    assert panel.annotation.session.draft.plane == seen


def test_a_shape_half_drawn_is_left_alone_when_an_answer_comes(viewer, panel, settle, model):
    ours(viewer, "points").add((10, 20))
    shapes = ours(viewer, "boxes")
    shapes.mode = "add_rectangle"
    shapes._is_creating = True  # as the mouse does between press and release
    shapes.add(rectangle(5, 5, 20, 20), shape_type="rectangle", gui=True)
    settle(panel)
    assert ours(viewer, "preview").data[10, 20] == 1
    assert len(shapes.data) == 1
    shapes._moving_value = (0, 4)
    shapes._finish_drawing()
    settle(panel)
    np.testing.assert_allclose(model.asked[-1].box, (5, 5, 20, 20))


def test_several_boxes_at_once_are_an_object_each(viewer, panel, settle_all, model):
    ours(viewer, "boxes").add(
        [rectangle(2, 2, 12, 12), rectangle(20, 20, 30, 30), rectangle(5, 40, 15, 50)],
        shape_type="rectangle",
    )
    settle_all(panel)
    session = panel.annotation.session
    assert sorted(session.objects) == [1, 2, 3]
    sections = [held.sections[None, None] for held in session.objects.values()]
    assert {section.status for section in sections} == {Status.PROPOSED}
    assert {section.origin.source for section in sections} == {Source.PROMPTED}
    assert all(section.score == pytest.approx(0.9) for section in sections)
    labels = ours(viewer, "objects").data
    assert len({labels[7, 7], labels[25, 25], labels[10, 45]} - {0}) == 3
    assert len(ours(viewer, "boxes").data) == 0
    assert "3 new objects wait" in panel.controls.status.text()
    panel.controls.accept.click()
    assert {held.status for held in session.objects.values()} == {Status.ACCEPTED}
    assert not panel.controls.accept.isEnabled()
    panel.controls.undo.click()
    panel.controls.undo.click()
    assert len(session.objects) == 0
    assert not labels.any()
    layer = ours(viewer, "objects")
    assert panel.controls.labels.layer is layer
    viewer.layers.remove(layer)
    assert panel.annotation.target is None


def test_pasted_boxes_count_too(viewer, panel, settle_all):
    shapes = ours(viewer, "boxes")
    shapes.events.data.block()
    shapes.add([rectangle(2, 2, 12, 12), rectangle(20, 20, 30, 30)], shape_type="rectangle")
    shapes.events.data.unblock()
    shapes.events.features()  # all that pasting tells
    settle_all(panel)
    assert sorted(panel.annotation.session.objects) == [1, 2]


def test_one_box_after_another_with_the_tool_for_many(viewer, panel, settle_all, model):
    ours(viewer, "points").add((35, 5))
    settle_all(panel)
    draft = panel.annotation.session.draft
    choose(panel, Tool.BOXES)
    add(viewer, rectangle(2, 2, 12, 12), "rectangle")
    settle_all(panel)
    add(viewer, rectangle(20, 20, 30, 30), "rectangle")
    settle_all(panel)
    session = panel.annotation.session
    assert sorted(session.objects) == [1, 2]
    assert session.draft == draft  # the object being drawn goes on
    panel.controls.undo.click()
    assert sorted(session.objects) == [1]
    drawing.reopen(session, 1, (None, None))
    np.testing.assert_allclose(session.draft.box, (2, 2, 12, 12))


def test_boxes_wait_when_the_model_fails_and_can_be_removed(viewer, panel, settle_all, model):
    predict, model.predict_batch = model.predict_batch, lambda *_: 1 / 0
    shapes = ours(viewer, "boxes")
    shapes.add([rectangle(2, 2, 12, 12), rectangle(20, 20, 30, 30)], shape_type="rectangle")
    settle_all(panel)
    assert "kept" in panel.controls.remark.text()
    assert len(shapes.data) == 2
    shapes.selected_data = {0}
    shapes.remove_selected()
    assert len(shapes.data) == 1
    model.predict_batch = predict
    panel.annotation.asking.use(panel.annotation.model)
    settle_all(panel)
    assert len(panel.annotation.session.objects) == 1
    assert len(shapes.data) == 0


def test_an_answer_feeds_the_next_question_of_the_same_object_and_slice_only(
    open_panel, settle, model
):
    viewer = ViewerModel()
    viewer.add_image(picture(3, 40, 60))
    panel = open_panel(viewer)
    settle(panel)

    def on(plane, vertices):
        return np.array([(plane, *at) for at in vertices], float)

    shapes, points = ours(viewer, "boxes"), ours(viewer, "points")
    viewer.dims.set_point(0, 0)
    points.add((0, 15, 20))
    settle(panel)
    shapes.add(on(0, CIRCLE), shape_type="polygon")
    settle(panel)
    assert model.asked[-1].mask.shape == (40, 60)  # the new drawing, not the answer before it
    choose(panel, Tool.SCRIBBLE_OUT)
    shapes.add(on(0, [(30, 10), (30, 40)]), shape_type="path")
    settle(panel)
    assert model.asked[-1].mask.shape == (8, 8)  # the answer before
    panel.controls.accept.click()
    points.add((0, 30, 50))
    settle(panel)
    assert model.asked[-1].mask is None  # another object
    panel.controls.reject.click()
    viewer.dims.set_point(0, 1)
    drawing.continue_object(panel.annotation.session, 1)
    shapes.add(on(1, CIRCLE), shape_type="polygon")
    settle(panel)
    assert model.asked[-1].mask.shape == (40, 60)  # the same object on another slice


def test_a_lasso_is_taken_when_it_is_finished(viewer, panel, settle, model):
    choose(panel, Tool.OUTLINE)
    shapes = ours(viewer, "boxes")
    shapes._is_creating = True  # as the mouse does between press and release
    shapes.add(np.array([*CIRCLE, CIRCLE[-1]]), shape_type="path", gui=True)
    shapes.selected_data = {0}
    shapes._moving_value = (0, 1)
    shapes._finish_drawing()
    settle(panel)
    assert model.asked[-1].mask.sum() == pytest.approx(np.pi * 64, rel=0.15)
    assert list(shapes.shape_type) == ["polygon"]
