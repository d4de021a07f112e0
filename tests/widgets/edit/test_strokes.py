"""Objects cut and joined by strokes in the panel, without a window."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_sam.session.batch import Batch, NewMask
from napari_sam.session.changes import Kind
from napari_sam.session.objects import Status
from napari_sam.widgets.layers.gestures import Gesture
from napari_sam.widgets.layers.gestures import Kind as Made
from napari_sam.widgets.layers.prompt_layers import Tool
from tests.widgets.conftest import ours, picture


@pytest.fixture
def viewer():
    viewer = ViewerModel()
    viewer.add_image(picture(3, 40, 60), name="stack")
    return viewer


@pytest.fixture
def bar(viewer, panel):
    """An object as wide as the picture on three slices, and a smaller one below it."""
    annotation = panel.annotation
    annotation.step(lambda _: annotation.binding.ensure_target())
    viewer.dims.set_point(0, 1)
    with Batch(annotation.session, Kind.AUTOMATIC) as batch:
        for z in range(3):
            wide, low = np.zeros((2, 40, 60), bool)
            wide[10:20, 5:55] = low[22:30, 20:40] = True
            masks = NewMask(wide, 1, status=Status.ACCEPTED), NewMask(low, 2)
            batch.add((z, None, None), masks)
    panel.review.refresh()
    return panel


def drag(panel, *places):
    """Draw with the mouse from place to place."""
    world = [(1.0, *place) for place in places]
    for at in world[1:]:
        _tell(panel, Made.STRETCH, world[0], at)
    _tell(panel, Made.BOX, world[0], world[-1])


def click(panel, row, column):
    _tell(panel, Made.CLICK, (1.0, row, column), (1.0, row, column))


def _tell(panel, kind, start, end):
    panel.annotation.pointing._follow(Gesture(kind, start, end, start[1:], end[1:]))


def settle(qtbot, panel):
    qtbot.waitUntil(lambda: not panel.editing.busy)


def pieces(panel):
    objects = panel.annotation.session.objects
    return {number: held.pixels for number, held in objects.items()}


def answers(panel):
    return {button.text(): button for button in panel.controls.query.buttons}


def test_a_stroke_is_shown_in_pieces_and_accept_writes_it(bar, viewer, qtbot):
    bar.review.actions["cut"]()
    assert bar.annotation.tool is Tool.CUT
    before = pieces(bar)
    drag(bar, (5, 25), (25, 25))
    assert set(np.unique(ours(viewer, "pieces").data)) == {0, 1, 2}
    assert pieces(bar) == before
    assert bar.controls.accept.isEnabled()
    settle(qtbot, bar)
    bar.controls.accept.click()
    settle(qtbot, bar)
    after = pieces(bar)
    assert set(after) == {1, 2, 3}
    assert after[1] + after[3] == before[1]
    assert not ours(viewer, "pieces").data.any()
    assert bar.annotation.edit is None
    bar.controls.undo.click()
    assert pieces(bar) == before


def test_several_strokes_through_all_slices_are_one_step(bar, qtbot):
    bar.review.actions["cut"]()
    drag(bar, (5, 20), (25, 20))
    drag(bar, (5, 40), (25, 40))
    answers(bar)["As drawn"].click()
    answers(bar)["On all slices"].click()
    steps = len(bar.annotation.session.history.done)
    answers(bar)["Cut"].click()
    settle(qtbot, bar)
    objects = bar.annotation.session.objects
    assert [len(objects[n].planes) for n in (1, 3, 4)] == [3, 3, 3]
    assert len(bar.annotation.session.history.done) == steps + 1


def test_the_model_is_asked_for_every_slice(bar, model, qtbot):
    bar.review.actions["cut"]()
    drag(bar, (5, 30), (25, 30))
    answers(bar)["On all slices"].click()
    settle(qtbot, bar)
    model.asked.clear()
    answers(bar)["Cut"].click()
    settle(qtbot, bar)
    assert len(model.asked) == 6  # two pieces on three slices
    assert {(one.labels == 0).any() for one in model.asked} == {True}
    assert len(bar.annotation.session.objects[3].planes) == 3


def test_clicks_in_each_part_cut_too_and_reject_leaves_all_as_it_is(bar, qtbot):
    before = pieces(bar)
    bar.review.actions["cut"]()
    click(bar, 15, 10)
    assert "each of its other parts" in bar.controls.query.text.text()
    click(bar, 15, 50)
    assert "in 2 pieces" in bar.controls.query.text.text()
    bar.controls.reject.click()
    settle(qtbot, bar)
    assert pieces(bar) == before
    assert bar.annotation.edit is None


def test_a_stroke_beside_everything_or_across_nothing_is_said(bar):
    bar.review.actions["cut"]()
    drag(bar, (35, 5), (38, 50))
    assert "no object" in bar.controls.remark.text()
    click(bar, 15, 10)
    click(bar, 15, 10)
    assert "click once in each part" in bar.controls.remark.text()


def test_another_tool_lets_go_of_the_cut(bar, viewer):
    bar.review.actions["cut"]()
    drag(bar, (5, 25), (25, 25))
    bar.prompting.arm(Tool.INCLUDE)
    assert bar.annotation.edit is None
    assert not ours(viewer, "pieces").data.any()


def test_a_stroke_across_the_border_joins(bar):
    bar.review.actions["join"]()
    drag(bar, (15, 30), (26, 30))
    assert set(pieces(bar)) == {1}
    assert "are object 1 now" in bar.controls.remark.text()
    bar.controls.undo.click()
    drag(bar, (12, 30), (18, 40))
    assert set(pieces(bar)) == {1, 2}
    assert "object 1 alone" in bar.controls.remark.text()


def test_the_tools_are_in_the_menu_of_shapes_and_the_question_about_an_object(bar):
    bar.controls.shape.entries[Tool.CUT].trigger()
    assert bar.controls.shape.button.isChecked()
    bar.prompting.arm(Tool.INCLUDE)
    click(bar, 15, 10)
    answers(bar)["Cut"].click()
    assert bar.annotation.tool is Tool.CUT
