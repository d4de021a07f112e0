"""Slices that do not fit into the memory as a whole: what needs them whole says so."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_sam.inference import pyramid
from napari_sam.io.label_stores import opening
from napari_sam.session.changed import What
from napari_sam.widgets.layers.channel_mix import LazyPlane
from napari_sam.widgets.layers.image_stack import ImageStack
from tests.widgets.conftest import ours, picture

SIDE = "60 x 40 pixels does not fit into the memory"


@pytest.fixture
def panel(open_panel, settle, monkeypatch):
    """Return the panel on a machine of next to no memory."""
    viewer = ViewerModel()
    viewer.add_image(picture(40, 60), name="slide")
    viewer.add_labels(np.eye(40, 60, dtype=int), name="rough")
    panel = open_panel(viewer)
    settle(panel)
    monkeypatch.setattr(opening, "SHARE", 1e-9)
    panel.annotation.changed.emit(What.VIEW)
    return panel


def test_searches_of_everything_are_refused_with_the_way_out(panel):
    panel.auto.controls.start.click()
    assert not panel.auto.work.busy
    for status in (panel.auto.controls.status, panel.text.controls.status):
        assert SIDE in status.text()
        assert "napari-sam segment" in status.text()
    assert not panel.auto.controls.start.isEnabled()


def test_refining_is_refused_before_anything_is_read(panel):
    panel.controls.refine.labels.choose(panel.annotation.viewer.layers["rough"])
    panel.controls.refine.start.click()
    assert not panel.refining.busy
    assert SIDE in panel.controls.refine.text.text()


def test_clicks_are_answered_all_the_same(panel, settle):
    ours(panel.annotation.viewer, "points").add((10, 20))
    settle(panel)
    assert panel.annotation.session.mask is not None


def test_a_large_slice_is_given_to_a_search_unread(monkeypatch):
    stack = ImageStack(ViewerModel().add_image(picture(40, 60)))
    assert isinstance(stack.source((None, None))(), np.ndarray)
    monkeypatch.setattr(pyramid, "ALONE", 30)
    source = stack.source((None, None))()
    assert isinstance(source, LazyPlane)
    np.testing.assert_array_equal(source[5:9, 7:20], stack.data[5:9, 7:20])
