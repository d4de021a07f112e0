"""Objects cleaned in the panel: seen first, written as one step, and as a rule at each accept."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sam.session.batch import Batch, NewMask
from napari_sam.session.changes import Kind
from napari_sam.session.edit import curation
from napari_sam.widgets.edit.cleaning import GAINED, LOST
from tests.widgets.conftest import ours


@pytest.fixture
def holes(panel, qtbot):
    """Two objects with a hole and a speck each."""
    annotation = panel.annotation
    annotation.step(lambda _: annotation.binding.ensure_target())
    with Batch(annotation.session, Kind.AUTOMATIC) as batch:
        masks = np.zeros((2, 40, 60), bool)
        for mask, column in zip(masks, (5, 35), strict=True):
            mask[10:20, column : column + 10] = mask[30, column] = True
            mask[14:16, column + 4 : column + 6] = False
        batch.add((None, None), [NewMask(mask) for mask in masks])
    panel.review.refresh()
    panel.review.actions["clean"]()
    yield panel
    panel.editing.cleaning.dialog.close()


@pytest.fixture
def settled(qtbot):
    def settled(panel):
        qtbot.waitUntil(lambda: not panel.editing.cleaning.busy)

    return settled


def choose(panel, **values):
    for name, value in values.items():
        panel.editing.cleaning.dialog.choices[name].value = value


def test_what_would_change_is_seen_before_it_is_written(holes, viewer, settled):
    dialog = holes.editing.cleaning.dialog
    before = holes.annotation.target.data.copy()
    choose(holes, which="all", fill_holes=True, largest=True)
    settled(holes)
    shown = ours(viewer, "cleaned").data
    assert (shown[14:16, 9:11] == GAINED).all()
    assert shown[30, 5] == LOST
    assert "2 of 2 objects change on this slice: 8 pixels" in dialog.status.text()
    np.testing.assert_array_equal(holes.annotation.target.data, before)
    dialog.clean.click()
    settled(holes)
    assert holes.annotation.target.data[15, 10] == 1
    assert not ours(viewer, "cleaned").data.any()
    holes.controls.undo.click()
    np.testing.assert_array_equal(holes.annotation.target.data, before)


def test_only_what_is_selected_and_not_what_is_locked(holes, settled):
    dialog = holes.editing.cleaning.dialog
    choose(holes, fill_holes=True)
    holes.controls.objects.table.clearSelection()
    settled(holes)
    assert "Select objects" in dialog.status.text()
    holes.controls.objects.select(1)
    holes.annotation.step(lambda s: curation.lock(s, [2]))
    choose(holes, which="all")
    settled(holes)
    dialog.clean.click()
    settled(holes)
    assert holes.annotation.target.data[15, 10] == 1
    assert holes.annotation.target.data[15, 40] == 0


def test_lengths_in_micrometers_need_a_picture_that_has_some(holes, viewer, settled):
    dialog = holes.editing.cleaning.dialog
    assert not dialog.choices["physical"].enabled
    layer = viewer.layers["cells"]
    layer.scale, layer.units = (0.5, 0.5), ("um", "um")
    dialog.close()
    dialog.show()
    assert dialog.choices["physical"].enabled
    choose(holes, physical=True, grow=1.0, which="all")
    settled(holes)
    assert dialog.choices["grow"].native.suffix() == " µm"
    assert holes.editing.cleaning._pixel((None, None)) == (0.5, 0.5)


def test_as_a_rule_at_each_accept_the_button_says_so(holes, model, viewer, accept, settle):
    choose(holes, always=True, grow=3.0)
    assert "cleaned" in holes.controls.accept.text()
    assert "grow by 3 px" in holes.controls.accept.toolTip()
    accept(30, 22)
    grown = holes.annotation.session.objects[3].pixels
    assert grown > 1.5 * np.pi * model.radius**2
    choose(holes, always=False)
    assert "cleaned" not in holes.controls.accept.text()
    holes.controls.undo.click()
    holes.controls.reject.click()
    accept(30, 22)
    assert holes.annotation.session.objects[3].pixels < 1.1 * np.pi * model.radius**2
