"""Accepting into labels that already hold something."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_sam.session.batch import Batch, NewMask
from napari_sam.session.changes import Kind
from tests.widgets.conftest import ours, picture


@pytest.fixture
def viewer():
    viewer = ViewerModel()
    viewer.add_image(picture(40, 60), name="cells")
    data = np.zeros((40, 60), np.uint16)
    data[:, 20:] = 5
    viewer.add_labels(data, name="mine")
    return viewer


@pytest.fixture
def panel(viewer, open_panel, settle):
    panel = open_panel(viewer)
    panel.controls.labels.choose(viewer.layers["mine"])
    ours(viewer, "points").add((10, 19))
    settle(panel)
    return panel


def rule(panel, name):
    panel.controls.choices["rule"].value = name


def asked(panel):
    query = panel.annotation.queries.current
    return "" if query is None else query.text


def say(panel, answer):
    buttons = {button.text(): button for button in panel.controls.query.buttons}
    next(button for text, button in buttons.items() if text.startswith(answer)).click()


def test_keep_existing(viewer, panel):
    before = viewer.layers["mine"].data.copy()
    panel.controls.accept.click()
    after = viewer.layers["mine"].data
    assert (after[:, 20:] == 5).all()
    assert after[10, 17] == 6
    assert (before[after != 6] == after[after != 6]).all()


def test_replace_existing(viewer, panel):
    rule(panel, "replace")
    panel.controls.accept.click()
    after = viewer.layers["mine"].data
    assert after[10, 22] == 6
    assert after[30, 40] == 5


@pytest.mark.parametrize(("answer", "value"), [("Keep the rest", 5), ("Replace it there", 6)])
def test_ask(viewer, panel, answer, value):
    rule(panel, "ask")
    panel.controls.accept.click()
    after = viewer.layers["mine"].data
    assert asked(panel).endswith("% of this mask belongs to object 5.")
    assert not (after == 6).any()
    say(panel, answer)
    assert not asked(panel)
    assert after[10, 22] == value
    assert after[10, 17] == 6


def test_the_question_stays_while_other_things_happen(viewer, panel):
    rule(panel, "ask")
    panel.controls.accept.click()
    with Batch(panel.annotation.session, Kind.PROPAGATED) as batch:
        batch.add((None, None), [NewMask(np.eye(40, 60, dtype=bool))])
    assert asked(panel)
    panel.controls.undo.click()
    panel.controls.undo.click()
    assert not asked(panel)


def test_ask_and_think_again(viewer, panel):
    rule(panel, "ask")
    panel.controls.accept.click()
    panel.controls.reject.click()
    assert not asked(panel)
    assert not (viewer.layers["mine"].data == 6).any()
    panel.controls.undo.click()
    assert panel.annotation.session.draft.points == ((10, 19),)


def test_ask_has_nothing_to_ask_without_an_overlap(viewer, panel, settle):
    rule(panel, "ask")
    panel.controls.reject.click()
    ours(viewer, "points").add((10, 5))
    settle(panel)
    panel.controls.accept.click()
    assert not asked(panel)
    assert viewer.layers["mine"].data[10, 5] == 6


def press(layer, key):
    """Call what a key does in a layer."""
    keymap = {str(binding): call for binding, call in layer.keymap.items()}
    keymap[key](layer)


def test_what_is_painted_is_a_step_like_any_other(viewer, panel):
    labels, session = viewer.layers["mine"], panel.annotation.session
    before = labels.data.copy()
    panel.controls.accept.click()
    accepted = labels.data.copy()
    labels.brush_size = 4
    labels.paint((10, 19), 0)  # out of the new object
    labels.paint((10, 30), 40)  # over one that was there before
    painted = labels.data.copy()
    assert session.objects[6].pixels == (painted == 6).sum()
    assert session.objects[40].pixels == (painted == 40).sum()
    assert session.objects[5].pixels == (painted == 5).sum()
    for _ in range(2):
        panel.controls.undo.click()
    np.testing.assert_array_equal(labels.data, accepted)
    panel.controls.undo.click()
    np.testing.assert_array_equal(labels.data, before)
    for _ in range(3):
        panel.controls.redo.click()
    np.testing.assert_array_equal(labels.data, painted)


def test_the_layers_undo_keys_go_to_the_session(viewer, panel):
    labels = viewer.layers["mine"]
    before = labels.data.copy()
    panel.controls.accept.click()
    accepted = labels.data.copy()
    press(labels, "Ctrl+Z")
    np.testing.assert_array_equal(labels.data, before)
    assert panel.annotation.session.draft.points
    press(labels, "Ctrl+Shift+Z")
    np.testing.assert_array_equal(labels.data, accepted)
    panel.controls.labels.choose(None)
    assert not labels.keymap


def test_naparis_own_undo_is_noticed(viewer, panel, qtbot):
    labels, session = viewer.layers["mine"], panel.annotation.session
    panel.controls.accept.click()
    labels.brush_size = 4
    labels.paint((10, 19), 0)
    erased = labels.data.copy()
    labels.undo()
    back = labels.data.copy()
    qtbot.waitUntil(lambda: session.objects[6].pixels == (back == 6).sum())
    panel.controls.undo.click()
    np.testing.assert_array_equal(labels.data, erased)


def test_ids_painted_by_hand_are_left_alone(viewer, panel):
    labels = viewer.layers["mine"]
    labels.selected_label = 30
    labels.paint((35, 5), 30)
    labels.data_setitem((np.array([35]), np.array([5])), 5)  # gone again from this plane
    panel.controls.accept.click()
    assert labels.data[10, 19] == 31


def test_labels_replaced_as_a_whole(viewer, panel):
    viewer.layers["mine"].data = np.full((40, 60), 9, np.uint16) * (picture(40, 60) > 300)
    viewer.layers["mine"].data[0, 0] = 9
    viewer.layers["mine"].data = viewer.layers["mine"].data
    panel.controls.accept.click()
    assert viewer.layers["mine"].data[10, 20] == 10


def test_a_full_uint8_layer_says_so(open_panel, settle):
    viewer = ViewerModel()
    viewer.add_image(picture(40, 60))
    data = np.zeros((40, 60), np.uint8)
    data[0, 0] = 255
    layer = viewer.add_labels(data)
    panel = open_panel(viewer)
    panel.controls.labels.choose(layer)
    ours(viewer, "points").add((10, 20))
    settle(panel)
    panel.controls.accept.click()
    assert "uint8" in panel.controls.remark.text()
    assert data.sum() == 255
    panel.controls.labels.choose(None)
    panel.controls.accept.click()
    assert ours(viewer, "objects").data[10, 20] == 1


def test_a_deleted_target_gives_way_to_a_new_one(viewer, panel):
    viewer.layers.remove("mine")
    panel.controls.accept.click()
    assert ours(viewer, "objects").data[10, 20] == 1


def test_a_renamed_target_stays_the_target(viewer, panel):
    viewer.layers["mine"].name = "ours"
    assert panel.controls.labels.currentText() == "ours"
    panel.controls.accept.click()
    assert viewer.layers["ours"].data[10, 19] == 6


def test_only_the_slice_is_touched_in_a_large_volume(open_panel, settle):
    viewer = ViewerModel()
    viewer.add_image(np.broadcast_to(picture(40, 60), (50, 40, 60)))
    volume = np.zeros((50, 40, 60), np.uint32)
    layer = viewer.add_labels(volume)
    panel = open_panel(viewer)
    panel.controls.labels.choose(layer)
    viewer.dims.set_point(0, 7)
    ours(viewer, "points").add((7, 10, 20))
    settle(panel)
    panel.controls.accept.click()
    assert layer.data is volume
    assert set(np.nonzero(volume)[0]) == {7}
