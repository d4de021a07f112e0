"""Crosses in a real window: as large at every zoom, and told from any picture by a light rim."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sam.widgets.layers.prompt_pair import RIM, SIZE
from napari_sam.widgets.panel import Panel
from tests.widgets.conftest import ours
from tests.widgets.hands import Hands

pytestmark = pytest.mark.gui
PLACE = 50, 60
AROUND = 12  # pixels of the screen on each side


@pytest.fixture
def looked_at(make_napari_viewer, host):
    """Return a function that clicks, and returns what is on the screen around that at a zoom."""

    def looked_at(grey, exclude, zooms, **layer):
        viewer = make_napari_viewer(show=True)
        data = np.full((100, 120), grey, np.uint8)
        viewer.add_image(data, name="cells", contrast_limits=(0, 255), **layer)
        panel = Panel(viewer, host)
        viewer.window.add_dock_widget(panel, name="Click to segment")
        hands = Hands(viewer, panel)
        hands.focus()
        points = ours(viewer, "points")
        panel.annotation.pointing.put(points.data_to_world(PLACE), exclude)
        hands.settle()
        ours(viewer, "preview").visible = False
        seen = []
        for zoom in zooms:
            viewer.scene.camera.zoom *= zoom
            viewer.scene.camera.center = (0, *points.data_to_world(PLACE))
            hands.wait(0.1)
            whole = viewer.screenshot(canvas_only=True, flash=False)[..., :3].astype(int)
            row, column = (size // 2 for size in whole.shape[:2])
            at = (slice(middle - AROUND, middle + AROUND) for middle in (row, column))
            seen.append(whole[tuple(at)])
        return seen

    return looked_at


def extent(mask):
    """Return the height and the width of what is True."""
    return tuple(int(size) for size in np.ptp(np.argwhere(mask), axis=0) + 1)


@pytest.mark.parametrize("layer", [{}, {"scale": (0.3, 0.3), "rotate": 25}])
def test_a_cross_is_as_large_at_every_zoom(looked_at, layer):
    for seen in looked_at(0, False, (1, 0.2, 40), **layer):
        assert extent(seen.max(axis=-1) > 128) == pytest.approx((SIZE + RIM,) * 2, abs=1.5)


@pytest.mark.parametrize("grey", [0, 128])
def test_the_colour_is_seen_within_a_light_rim(looked_at, grey):
    (seen,) = looked_at(grey, False, (1,))
    blue = seen[..., 2] - seen[..., 0] > 160
    assert extent(blue) == pytest.approx((SIZE - RIM,) * 2, abs=1.5)
    beside = np.zeros_like(blue)
    for axis in (0, 1):
        for way in (-1, 1):
            beside |= np.roll(blue, 2 * way, axis)
    rim = beside & ~blue
    assert (seen[rim].min(axis=-1) > 150).mean() > 0.5


def test_what_excludes_is_told_by_its_shape(looked_at):
    (seen,) = looked_at(0, True, (1,))
    height, width = extent(seen[..., 0] - seen[..., 2] > 120)
    assert width > 2 * height
