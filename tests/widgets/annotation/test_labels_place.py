"""A picture that is scaled or moved later: its labels are moved along, if somebody says so."""

from __future__ import annotations

import numpy as np

from tests.widgets.conftest import ours


def question(panel):
    query = panel.annotation.queries.current
    return "" if query is None else query.text


def test_labels_are_moved_along(viewer, panel, accept, settle):
    accept(10, 20)
    labels = panel.annotation.target
    viewer.layers["cells"].scale = (0.5, 0.5)
    assert "The scale or place of 'cells' has changed, and 'cells objects'" in question(panel)
    np.testing.assert_array_equal(labels.scale, (1, 1))  # nobody has said so yet
    panel.controls.query.buttons[0].click()
    np.testing.assert_array_equal(labels.scale, (0.5, 0.5))
    assert question(panel) == ""
    ours(viewer, "points").add((30, 40))
    settle(panel)
    panel.controls.accept.click()
    assert labels.data[30, 40] == 2


def test_labels_are_left_where_they_are(viewer, panel, accept, settle):
    accept(10, 20)
    labels, before = panel.annotation.target, panel.annotation.target.data.copy()
    viewer.layers["cells"].translate = (100, 0)
    panel.controls.query.buttons[1].click()
    assert question(panel) == ""
    np.testing.assert_array_equal(labels.translate, (0, 0))
    ours(viewer, "points").add((30, 40))
    settle(panel)
    panel.controls.accept.click()
    assert "does not lie on the picture" in panel.controls.remark.text()
    np.testing.assert_array_equal(labels.data, before)


def test_nobody_is_asked_once_both_fit_again_or_others_are_chosen(viewer, panel, accept):
    accept(10, 20)
    cells = viewer.layers["cells"]
    cells.rotate = 30
    assert question(panel)
    cells.rotate = 0
    assert question(panel) == ""
    cells.scale = (2, 2)
    panel.annotation.target.scale = (2, 2)  # by hand
    assert question(panel) == ""
    cells.scale = (3, 3)
    assert question(panel)
    panel.controls.labels.choose(None)
    assert question(panel) == ""
    cells.scale = (1, 1)
    assert question(panel) == ""
