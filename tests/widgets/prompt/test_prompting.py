"""From prompts in layers to objects in labels, without a window."""

from __future__ import annotations

from dataclasses import replace

import dask.array as da
import numpy as np
import pytest
from napari.components import ViewerModel

from napari_sam.widgets.layers.prompt_layers import Tool
from tests.widgets.conftest import hold, ours, picture, rectangle


def add_box(viewer, y0, x0, y1, x1):
    ours(viewer, "boxes").add_rectangles(rectangle(y0, x0, y1, x1))


def test_a_click_shows_a_mask_and_accept_writes_it(viewer, panel, settle, model):
    ours(viewer, "points").add((10.2, 20.9))
    settle(panel)
    np.testing.assert_allclose(model.asked[-1].points, [(10.2, 20.9)])
    shown = ours(viewer, "preview").data
    assert shown[10, 21] == 1
    panel.controls.accept.click()
    np.testing.assert_array_equal(ours(viewer, "objects").data, shown)
    assert len(ours(viewer, "points").data) == 0
    assert not ours(viewer, "preview").data.any()
    assert "Object 1 is in the labels" in panel.controls.remark.text()


def test_the_first_picture_that_is_opened_is_taken(open_panel, settle, qtbot):
    viewer = ViewerModel()
    panel = open_panel(viewer)
    settle(panel)
    assert panel.annotation is None
    assert "Open a picture" in panel.controls.status.text()
    assert not panel.controls.accept.isEnabled()
    viewer.add_image(picture(40, 60))
    ours(viewer, "points").add((10, 20))
    settle(panel)
    assert ours(viewer, "preview").data[10, 20] == 1


def test_an_exclude_click_refines(viewer, panel, settle, model):
    ours(viewer, "points").add((10, 20))
    settle(panel)
    panel.controls.tools[Tool.EXCLUDE].click()
    ours(viewer, "points").add((10, 27))
    settle(panel)
    assert list(model.asked[-1].labels) == [1, 0]
    assert model.asked[-1].mask is not None
    assert ours(viewer, "preview").data[10, 16] == 1
    assert ours(viewer, "preview").data[10, 24] == 0
    points = ours(viewer, "points")
    assert list(points.features["polarity"]) == ["include", "exclude"]
    assert len({str(symbol) for symbol in points.symbol}) == 2
    assert len(np.unique(points.face_color, axis=0)) == 2


def test_exclude_alone_segments_nothing(viewer, panel, settle, model):
    panel.controls.tools[Tool.EXCLUDE].click()
    ours(viewer, "points").add((10, 20))
    settle(panel)
    assert not model.asked
    assert "Include" in panel.controls.status.text()


def test_deleting_and_moving_a_prompt_predicts_again(viewer, panel, settle, model):
    points = ours(viewer, "points")
    points.add((10, 20))
    points.add((30, 50))
    settle(panel)
    assert ours(viewer, "preview").data[30, 50] == 1
    points.selected_data = {1}
    points.remove_selected()
    settle(panel)
    assert ours(viewer, "preview").data[30, 50] == 0
    assert model.asked[-1].mask is None
    points.data = [(20, 40)]
    settle(panel)
    assert ours(viewer, "preview").data[20, 40] == 1
    assert ours(viewer, "preview").data[10, 20] == 0


def test_a_feature_edited_in_the_table_counts(viewer, panel, settle, model):
    points = ours(viewer, "points")
    points.add((10, 20))
    points.add((10, 26))
    settle(panel)
    points.features = {"polarity": ["include", "exclude"]}
    settle(panel)
    assert list(model.asked[-1].labels) == [1, 0]


@pytest.mark.parametrize("corners", [(5, 10, 25, 40), (25, 40, 5, 10), (5, 40, 25, 10)])
def test_a_box_from_any_corner(viewer, panel, settle, model, corners):
    add_box(viewer, *corners)
    settle(panel)
    np.testing.assert_allclose(model.asked[-1].box, (5, 10, 25, 40))
    assert ours(viewer, "preview").data[15, 25] == 1
    assert not panel.controls.thumbnails.isEnabled()


def test_a_box_past_the_border_is_trimmed_and_said_so(viewer, panel, settle, model):
    add_box(viewer, -8, 30, 20, 90)
    settle(panel)
    np.testing.assert_allclose(model.asked[-1].box, (-0.5, 30, 20, 59.5))
    assert "trimmed" in panel.controls.remark.text()
    corners = ours(viewer, "boxes").data[0]
    np.testing.assert_allclose((corners.min(axis=0), corners.max(axis=0)), ((-0.5, 30), (20, 59.5)))


def test_what_lies_outside_is_left_out_and_said_so(viewer, panel, settle, model):
    ours(viewer, "points").add((-3, 5))
    add_box(viewer, 50, 70, 60, 80)
    settle(panel)
    assert not model.asked
    assert "outside" in panel.controls.remark.text()
    assert len(ours(viewer, "points").data) == len(ours(viewer, "boxes").data) == 0


def test_a_click_with_the_box_tool_is_no_box(viewer, panel, settle, model):
    add_box(viewer, 5, 5, 5.3, 5.3)
    settle(panel)
    assert not model.asked
    assert "drag" in panel.controls.remark.text()


def test_the_newest_box_counts(viewer, panel, settle, model):
    add_box(viewer, 1, 1, 9, 9)
    add_box(viewer, 11, 11, 29, 29)
    settle(panel)
    np.testing.assert_allclose(model.asked[-1].box, (11, 11, 29, 29))
    assert len(ours(viewer, "boxes").data) == 1
    assert "took the place of the old one" in panel.controls.remark.text()


def test_undo_and_redo_move_the_prompts_in_the_layers(viewer, panel, settle):
    points = ours(viewer, "points")
    points.add((10, 20))
    settle(panel)
    panel.controls.tools[Tool.EXCLUDE].click()
    points.add((10, 27))
    add_box(viewer, 1, 1, 30, 30)
    settle(panel)
    panel.controls.undo.click()
    assert len(ours(viewer, "boxes").data) == 0
    panel.controls.undo.click()
    np.testing.assert_allclose(points.data, [(10, 20)])
    panel.controls.redo.click()
    panel.controls.redo.click()
    np.testing.assert_allclose(points.data, [(10, 20), (10, 27)])
    assert list(points.features["polarity"]) == ["include", "exclude"]
    assert [str(symbol) for symbol in points.symbol] == ["cross", "hbar"]
    assert len(ours(viewer, "boxes").data) == 1
    settle(panel)
    assert points.feature_defaults["polarity"][0] == "exclude"


def test_an_accepted_object_is_undone_and_reopened(viewer, panel, settle):
    points = ours(viewer, "points")
    points.add((10, 20))
    settle(panel)
    panel.controls.accept.click()
    panel.controls.undo.click()
    settle(panel)
    assert not ours(viewer, "objects").data.any()
    np.testing.assert_allclose(points.data, [(10, 20)])
    assert ours(viewer, "preview").data[10, 20] == 1


def test_three_candidates_to_pick_from(viewer, panel, settle):
    ours(viewer, "points").add((20, 30))
    settle(panel)
    c = panel.controls
    assert c.thumbnails.isEnabled()
    assert c.score.text().startswith("Quality 0.90")
    areas = [ours(viewer, "preview").data.sum()]
    c.cycle.click()
    areas.append(ours(viewer, "preview").data.sum())
    assert c.score.text().startswith("Quality 0.70")
    c.thumbnails._group.button(2).click()
    areas.append(ours(viewer, "preview").data.sum())
    assert len(set(areas)) == 3
    assert c.thumbnails._group.checkedId() == 2
    c.accept.click()
    assert ours(viewer, "objects").data.sum() == areas[2]
    assert not c.thumbnails.isEnabled()
    assert not c.cycle.isEnabled()


def test_outline_and_filled(viewer, panel, settle):
    ours(viewer, "points").add((20, 30))
    settle(panel)
    assert ours(viewer, "preview").contour == 0
    panel.controls.choices["outline"].native.click()
    assert ours(viewer, "preview").contour > 0
    panel.controls.choices["outline"].native.click()
    assert ours(viewer, "preview").contour == 0


def test_accept_pressed_too_early_waits_for_the_mask(viewer, panel, settle, model):
    gate = hold(model)
    ours(viewer, "points").add((20, 30))
    panel.controls.accept.click()
    assert ours(viewer, "objects") is None
    gate.set()
    settle(panel)
    assert ours(viewer, "objects").data[20, 30] == 1


def test_the_newest_prompt_wins(viewer, panel, settle, model):
    gate = hold(model)
    points = ours(viewer, "points")
    for column in (10, 20, 30, 40):
        points.add((20, column))
    gate.set()
    settle(panel)
    assert [len(prompts.points) for prompts in model.asked] == [1, 4]
    assert ours(viewer, "preview").data[20, 40] == 1


def test_one_embedding_per_plane(viewer, panel, settle, model):
    for column in (10, 20, 30):
        ours(viewer, "points").add((20, column))
        settle(panel)
    assert len(model.embedded) == 1


def test_a_failing_model_loses_no_prompt(viewer, panel, settle, model):
    good = model.predict

    def fail(embedding, prompts, pause=None):
        raise RuntimeError("the device is on fire")

    model.predict = fail
    points = ours(viewer, "points")
    points.add((10, 20))
    settle(panel)
    assert "on fire" in panel.controls.remark.text()
    assert "kept" in panel.controls.status.text()
    assert len(points.data) == 1
    model.predict = good
    points.add((12, 22))
    settle(panel)
    assert ours(viewer, "preview").data[12, 22] == 1
    assert panel.controls.remark.text() == ""


def test_new_pixels_are_looked_at_again(viewer, panel, settle, model):
    ours(viewer, "points").add((10, 20))
    settle(panel)
    viewer.layers["cells"].data = picture(40, 60) // 2
    settle(panel)
    np.testing.assert_array_equal(model.embedded[-1][0], picture(40, 60) // 2)
    assert len(model.asked) == 2


@pytest.mark.parametrize(
    ("data", "options"),
    [
        (picture(40, 60, 3), {"rgb": True}),
        (picture(40, 60, 4), {"rgb": True}),
        (picture(40, 60, dtype=np.float32), {}),
        (da.from_array(picture(40, 60), chunks=(16, 16)), {}),
        ([picture(40, 60), picture(20, 30)], {"multiscale": True}),
    ],
    ids=["rgb", "rgba", "float", "dask", "multiscale"],
)
def test_kinds_of_pictures(open_panel, settle, model, data, options):
    viewer = ViewerModel()
    layer = viewer.add_image(data, **options)
    panel = open_panel(viewer)
    ours(viewer, "points").add((10, 20))
    settle(panel)
    fine = layer.data[0] if layer.multiscale else layer.data
    np.testing.assert_array_equal(model.embedded[-1][0], np.asarray(fine))
    panel.controls.accept.click()
    assert ours(viewer, "objects").data.shape == (40, 60)
    assert ours(viewer, "objects").data[10, 20] == 1


def test_what_was_done_to_a_mask_is_said(viewer, panel, model, settle):
    predict, said = model.predict, []
    model.predict = lambda *asked: replace(predict(*asked), remark="It was cut.")
    panel.annotation.remarked.connect(said.append)
    ours(viewer, "points").add((20, 30))
    settle(panel)
    assert said[-1] == "It was cut."
