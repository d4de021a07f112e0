"""Undo and redo say what became of it, and show it, wherever it lies."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_sam.session.batch import Batch, NewMask
from napari_sam.session.changes import Kind
from napari_sam.session.edit import curation
from napari_sam.session.objects import Status
from tests.widgets.annotation.test_labels import press
from tests.widgets.conftest import ours, picture


@pytest.fixture
def viewer():
    viewer = ViewerModel()
    viewer.add_image(picture(12, 40, 60), name="cells")
    viewer.dims.set_point(0, 7)
    return viewer


@pytest.fixture
def panel(viewer, panel, settle):
    """Return a panel with object 1 on slice 7, and slice 2 in view."""
    ours(viewer, "points").add((7, 10, 20))
    settle(panel)
    panel.controls.accept.click()
    viewer.dims.set_point(0, 2)
    return panel


def told(panel):
    return panel.controls.remark.text()


def test_undo_goes_to_the_slice_of_what_it_takes_back(viewer, panel, settle):
    panel.controls.undo.click()
    assert panel.annotation.seen == (7, None, None)
    assert told(panel) == "Object 1 is gone again on slice 7."
    viewer.dims.set_point(0, 0)
    panel.controls.redo.click()
    assert panel.annotation.seen == (7, None, None)
    assert told(panel) == "Object 1 is there again on slice 7."


def test_the_keys_of_the_labels_go_there_too(viewer, panel):
    press(panel.annotation.target, "Ctrl+Z")
    assert panel.annotation.seen == (7, None, None)


def test_a_prompt_that_is_taken_back_is_shown(viewer, panel, settle):
    ours(viewer, "points").add((2, 10, 20))
    ours(viewer, "points").add((2, 12, 22))
    settle(panel)
    viewer.dims.set_point(0, 9)
    panel.controls.undo.click()
    assert panel.annotation.seen == (2, None, None)
    assert told(panel) == "This was drawn on slice 2."


def test_a_step_over_many_slices_is_counted(viewer, panel):
    session, mask = panel.annotation.session, np.zeros((40, 60), bool)
    mask[20:25, 30:40] = True
    with Batch(session, Kind.PROPAGATED) as batch:
        for z in range(4, 12):
            batch.add((z, None, None), [NewMask(mask, object_id=2, score=0.9)])
    panel.controls.undo.click()
    assert told(panel) == "Object 2 is gone again on 8 slices."
    assert panel.annotation.seen == (4, None, None)  # the nearest one
    viewer.dims.set_point(0, 8)
    panel.controls.redo.click()
    assert panel.annotation.seen == (8, None, None)  # in view already


def test_what_is_as_before_is_said(viewer, panel):
    session = panel.annotation.session
    curation.set_status(session, [1], Status.UNCLEAR)
    panel.controls.undo.click()
    assert told(panel) == "Object 1 is as before on slice 7."
    session.configure(classes={1: "cell", 2: "other"})
    panel.controls.undo.click()
    assert told(panel) == "The classes are as before."


def test_a_slice_that_was_deleted_since(viewer, panel, settle):
    viewer.layers["cells"].data = picture(5, 40, 60)
    settle(panel)
    panel.controls.undo.click()
    assert told(panel) == (
        "Object 1 is gone again on slice 7. The picture does not have this slice any more."
    )
    assert panel.annotation.seen == (2, None, None)
    assert not panel.annotation.target.data.any()


def test_an_object_in_planes_of_another_direction(viewer, panel):
    viewer.dims.order = (1, 0, 2)
    viewer.dims.set_point(1, 3)
    panel.controls.undo.click()
    assert panel.annotation.seen == (7, None, None)
