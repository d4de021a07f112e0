"""Saved work goes on in the Labels layer that shows it; no paint of the user is written over."""

from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Labels

from napari_sam.session import drawing
from napari_sam.session.disk.folder import SessionFolder
from napari_sam.session.disk.library import all_saved, sessions_folder
from napari_sam.session.session import Session
from napari_sam.widgets.layers.image_stack import is_helper
from tests.widgets.conftest import ours, picture
from tests.widgets.saved.resumed import work

SHAPE = 6, 40, 60


@pytest.fixture
def left(begin, settle):
    """A viewer in which two objects were accepted, and the panel closed; and their layer."""
    viewer, panel = begin(picture(*SHAPE))
    work(viewer, panel, settle)
    layer = panel.annotation.target
    panel.close_panel()
    return viewer, layer


@pytest.fixture
def go_on(new_panel, calm, qtbot):
    """Return a function that opens the panel again and continues."""

    def go_on(viewer, from_list=False):
        _, panel = new_panel(viewer)
        if from_list:
            panel.controls.go_on.answers[1].click()
            (saved,) = all_saved(sessions_folder())
            panel.resuming.open(saved)
        else:
            panel.controls.go_on.answers[0].click()
        calm(panel)
        qtbot.wait(150)  # what was painted since is looked for a moment later
        return panel

    return go_on


def labels_of(viewer):
    """Return the layers of labels that are the user's to see."""
    return [x for x in viewer.layers if isinstance(x, Labels) and not is_helper(x)]


@pytest.mark.parametrize("from_list", [False, True], ids=["question", "list"])
def test_it_goes_on_in_the_layer_that_is_there(left, go_on, from_list):
    viewer, layer = left
    panel = go_on(viewer, from_list)
    assert panel.annotation.target is panel.controls.labels.layer is layer
    panel.controls.accept.click()  # what was being drawn
    assert set(np.unique(layer.data)) == {0, 1, 2, 3}
    assert labels_of(viewer) == [layer]


def test_a_layer_that_was_renamed_and_moved_keeps_its_name(left, go_on):
    viewer, layer = left
    layer.name = "mine"
    viewer.layers.move(viewer.layers.index(layer), 0)
    panel = go_on(viewer)
    assert panel.annotation.target is layer
    assert layer.name == "mine"


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.uint64])
def test_a_layer_that_was_saved_and_loaded_again_is_known(left, go_on, dtype):
    viewer, layer = left
    viewer.layers.remove(layer)
    loaded = viewer.add_labels(layer.data.astype(dtype), name="labels.tif")
    assert go_on(viewer).annotation.target is loaded
    assert loaded.name == "labels.tif"


def test_of_two_that_show_it_the_one_of_that_name_is_taken(left, go_on):
    viewer, layer = left
    viewer.add_labels(layer.data.copy(), name="a copy")
    viewer.add_labels(layer.data.copy(), name="another", metadata={"napari-sam": "objects"})
    assert go_on(viewer).annotation.target is layer


def test_what_was_painted_beside_it_is_a_step_of_its_own(left, go_on):
    viewer, layer = left
    viewer.dims.set_point(0, 3)
    layer.data[3, 0:3, 0:3] = 2
    panel = go_on(viewer)
    assert panel.annotation.target is layer
    assert (layer.data[3, 0:3, 0:3] == 2).all()
    assert panel.annotation.session.objects[2].pixels == np.count_nonzero(layer.data == 2)
    panel.controls.undo.click()
    assert (layer.data[3, 0:3, 0:3] == 0).all()


@pytest.mark.parametrize("value", [0, 7], ids=["erased", "painted over"])
@pytest.mark.parametrize("choose", [False, True], ids=["found", "chosen"])
def test_a_layer_that_was_changed_stays_as_it_is_and_that_is_said(
    left, new_panel, calm, value, choose
):
    viewer, layer = left
    row, column = np.argwhere(layer.data[2] == 1)[0]
    layer.data[2, row, column] = value
    before = layer.data.copy()
    _, panel = new_panel(viewer)
    if choose:
        panel.controls.labels.choose(layer)
    panel.controls.go_on.answers[0].click()
    calm(panel)
    target = panel.annotation.target
    assert target is not layer
    assert target.data[2, row, column] == 1
    np.testing.assert_array_equal(layer.data, before)
    assert f"'{layer.name}' holds other labels" in panel.controls.remark.text()
    assert f"they are in '{target.name}'" in panel.controls.remark.text()


@pytest.mark.parametrize("place", [{"scale": (1, 2, 2)}, {"translate": (0, 5, 0)}])
def test_a_layer_that_lies_elsewhere_is_left_alone(left, go_on, place):
    viewer, layer = left
    viewer.layers.remove(layer)
    other = viewer.add_labels(layer.data.copy(), **place)
    panel = go_on(viewer)
    assert panel.annotation.target is not other
    np.testing.assert_array_equal(panel.annotation.target.data, other.data)
    assert "holds other labels" not in panel.controls.remark.text()


def test_a_layer_that_is_locked_is_left_alone(left, go_on):
    viewer, layer = left
    layer.editable = False
    assert go_on(viewer).annotation.target is not layer


def test_what_was_erased_in_a_layer_that_was_left_does_not_come_back(viewer, panel, accept):
    accept(10, 20)
    first = panel.annotation.target
    panel.controls.labels.choose(None)
    first.data[10, 20] = 0
    panel.controls.labels.choose(first)
    assert first.data[10, 20] == 0
    assert "Saved work" in panel.controls.remark.text()


def test_a_chosen_layer_without_room_for_the_ids_is_left_alone(begin, settle, new_panel, calm):
    viewer, panel = begin(picture(*SHAPE))
    panel.annotation.binding.ensure_target()
    panel.annotation.session.labels.note_id(400)
    work(viewer, panel, settle)
    panel.close_panel()
    viewer.layers.remove(labels_of(viewer)[0])
    small = viewer.add_labels(np.zeros(SHAPE, np.uint8))
    _, panel = new_panel(viewer)
    panel.controls.labels.choose(small)
    panel.controls.go_on.answers[0].click()
    calm(panel)
    assert set(np.unique(panel.annotation.target.data)) == {0, 401, 402}
    assert not small.data.any()
    panel.controls.accept.click()
    panel.close_panel()
    (saved,) = all_saved(sessions_folder())
    assert saved.count() == 3


def test_what_is_being_drawn_in_a_picture_of_other_axes_is_refused(begin, settle, calm):
    data = picture(4, 40, 60)
    _, panel = begin(data)
    folder = SessionFolder.create(sessions_folder() / "mine", panel.annotation.identity.wait())
    panel.close_panel()
    session = Session()
    folder.serve(session)
    drawing.draw(session, (None, None), [(5, 50)], [1])
    folder.let_go()  # as if it had crashed
    viewer, panel = begin(data)
    panel.controls.go_on.answers[0].click()
    calm(panel)
    assert "picture of 2 axes" in panel.controls.remark.text()
    viewer.dims.set_point(0, 0)
    ours(viewer, "points").add((0, 5, 50))
    settle(panel)
    panel.controls.accept.click()
    assert [saved.count() for saved in all_saved(sessions_folder())] == [1, 0]
