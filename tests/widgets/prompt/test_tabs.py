"""Clicks are ours where one draws, and napari's in other tabs; the lit tool is the truth."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_sam.widgets.layers.prompt_layers import Tool
from tests.widgets.conftest import ours, picture
from tests.widgets.prompt.test_clicking import Desk

pytestmark = pytest.mark.gui
KEY = Qt.Key


@pytest.fixture
def desk(make_napari_viewer, host):
    def desk():
        viewer = make_napari_viewer(show=True)
        viewer.add_image(picture(80, 120), name="cells")
        return Desk(viewer, host)

    return desk


def test_in_other_tabs_clicks_are_napari_s(desk):
    d = desk()
    for title in ("Auto", "Text", "Refine", "Train"):
        d.turn_to(title)
        d.click(20, 90)
        assert d.draft.is_empty, title
        assert d.lit == [], title
        labels = d.viewer.add_labels(np.zeros((80, 120), np.uint8), name="mine")
        labels.mode = "paint"
        d.click(20, 90)
        assert labels.data[20, 90] == 1, title
        assert d.asked is None or "paint" not in d.asked[0], title
        d.turn_to("Prompt")
        assert d.lit == ["+ Include"], title
        assert labels.mode == "pan_zoom", title
        d.click(50, 30)
        assert d.clicked(50, 30), title
        assert not labels.data[50, 30], title
        d.panel.prompting.reject()
        d.viewer.layers.remove(labels)


def test_a_drawing_tool_comes_back(desk):
    d = desk()
    d.panel.prompting.arm(Tool.OUTLINE)
    d.turn_to("Train")
    boxes = ours(d.viewer, "boxes")
    assert boxes.mode == "pan_zoom"
    d.turn_to("Prompt")
    assert boxes.mode == "add_polygon_lasso"
    assert d.layers.selection.active is boxes


def test_what_was_picked_on_purpose_stays_picked(desk):
    d = desk()
    labels = d.viewer.add_labels(np.zeros((80, 120), np.uint8), name="mine")
    labels.mode = "paint"
    assert d.lit == []
    d.turn_to("Train")
    d.turn_to("Prompt")
    assert d.lit == []
    assert labels.mode == "paint"


def test_in_the_stack_clicks_are_ours(desk):
    d = desk()
    d.turn_to("Stack")
    d.click(20, 90)
    assert d.clicked(20, 90)
    assert d.lit == ["+ Include"]


def test_a_new_picture_leaves_clicks_to_napari_there(desk):
    d = desk()
    d.turn_to("Train")
    d.controls.picture.choose(d.viewer.add_image(picture(80, 120), name="other"))
    d.settle()
    d.click(20, 90)
    assert d.draft.is_empty
    d.turn_to("Prompt")
    d.click(20, 90)
    assert d.clicked(20, 90)


def test_keys_of_tools_turn_to_prompt(desk):
    d = desk()
    d.turn_to("Auto")
    d.press(KEY.Key_Q)  # only brings the tool back
    assert d.lit == ["+ Include"]
    assert d.panel.tabs.currentWidget() is d.panel._prompt_tab
    d.press(KEY.Key_Q)
    assert d.lit == ["- Exclude"]
