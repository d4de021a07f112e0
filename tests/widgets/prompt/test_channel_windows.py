"""Real windows over pictures with channels: what the mouse draws is seen on every channel."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import Qt

from tests.widgets.conftest import ours
from tests.widgets.test_windows import Desk

pytestmark = pytest.mark.gui

# shape, axis of the channels, where to draw on the last channel, its voxel in the labels
CHANNELS = {
    "CYX": ((3, 80, 120), 0, (2, 20, 90), (20, 90)),
    "ZCYX": ((5, 3, 80, 120), 1, (2, 2, 20, 90), (2, 0, 20, 90)),
}


@pytest.fixture
def desk(make_napari_viewer, qtbot, host):
    """Return a function that opens a dark picture, so that only what is drawn has colours."""

    def desk(order, shape):
        viewer = make_napari_viewer(show=True)
        place = {"scale": [2.0] * len(shape), "translate": [50.0] * len(shape)}
        cells = viewer.add_image(np.zeros(shape, np.uint8), axis_labels=tuple(order), **place)
        desk = Desk(qtbot, viewer, host)
        desk.cells = cells
        return desk

    return desk


def show(desk, position):
    for axis, at in enumerate(desk.cells.data_to_world(position)[:-2]):
        desk.viewer.dims.set_point(axis, at)
    desk.qtbot.wait(20)


def coloured(desk):
    """The number of coloured pixels on the canvas."""
    shot = desk.viewer.screenshot(canvas_only=True, flash=False)[..., :3].astype(int)
    return np.count_nonzero(np.ptp(shot, axis=-1) > 30)


@pytest.mark.parametrize("order", CHANNELS)
def test_what_is_drawn_shows_on_every_channel(desk, order):
    shape, axis, position, voxel = CHANNELS[order]
    d = desk(order, shape)
    show(d, position)
    nothing = coloured(d)
    d.click(*position)
    seen = []
    for index in range(3):
        at = [*position]
        at[axis] = index
        show(d, at)
        seen.append(coloured(d))
    assert nothing == 0
    assert min(seen) > 100
    assert len(set(seen)) == 1
    d.press(Qt.Key.Key_N)
    assert d.labels[voxel] == 1
    d.press(Qt.Key.Key_G)
    corner = position[:-2]
    d.drag((*corner, 40, 20), (*corner, 60, 50))
    assert d.panel.annotation.session.mask[50, 35]
    d.press(Qt.Key.Key_N)
    assert d.labels[(*voxel[:-2], 50, 35)] == 2
    for index in range(3):
        at = [*position]
        at[axis] = index
        show(d, at)
        seen.append(coloured(d))
    assert min(seen[3:]) > 100
    assert len(set(seen[3:])) == 1


def test_3d_shows_the_slices_and_the_masks_and_takes_no_prompts(desk):
    shape, _, position, voxel = CHANNELS["ZCYX"]
    d = desk("ZCYX", shape)
    show(d, position)
    d.click(*position)
    d.press(Qt.Key.Key_N)
    d.viewer.dims.ndisplay = 3
    d.qtbot.wait(50)
    assert d.viewer.dims.displayed == (0, 2, 3)
    assert coloured(d) > 50
    d.click(*position)
    assert len(ours(d.viewer, "points").data) == 0
    assert "2D" in d.panel.controls.status.text()
    d.viewer.dims.ndisplay = 2
    d.click(*position)  # on what is accepted there
    d.push(next(b for b in d.panel.controls.query.buttons if b.text() == "New object here"))
    assert d.panel.annotation.session.mask[voxel[-2:]]
