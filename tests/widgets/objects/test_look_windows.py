"""Filled, outlined, hidden: what is seen in a real window, by a key."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_sam.widgets.panel import Panel
from tests.widgets.conftest import close_at_end
from tests.widgets.hands import SHIFT, Hands

pytestmark = pytest.mark.gui


def test_the_key_shows_labels_filled_outlined_and_not_at_all(make_napari_viewer, qtbot, host):
    viewer = make_napari_viewer(show=True)
    viewer.add_image(np.full((40, 60), 60, np.uint8), name="cells", contrast_limits=(0, 255))
    panel = Panel(viewer, host)
    close_at_end(qtbot, panel)
    viewer.window.add_dock_widget(panel)
    hands = Hands(viewer, panel)
    hands.focus()
    hands.click(20, 30)
    hands.press(Qt.Key.Key_N)
    layer = panel.annotation.target
    hands.wait_until(lambda: "napari-sam outlines" in viewer.layers)
    rows, columns = (at[layer.data > 0] for at in np.indices(layer.data.shape))
    inside = round(float(rows.mean())), round(float(columns.mean()))
    edge = inside[0], columns[rows == inside[0]].min()

    def seen():
        """Colours of a pixel inside, of one on the outline, and of the picture."""
        hands.wait(0.2)
        picture = viewer.screenshot(canvas_only=True, flash=False)[..., :3].astype(int)
        scale = picture.shape[1] / hands.canvas.width()
        places = (hands.at(*place) for place in (inside, edge, (2, 2)))
        return [picture[round(p.y() * scale), round(p.x() * scale)] for p in places]

    def strength(colour, background):
        return np.abs(colour - background).max()

    def strengths():
        fill, outline, background = seen()
        return strength(fill, background), strength(outline, background)

    fill, outline = strengths()
    assert 10 < fill < outline
    hands.press(Qt.Key.Key_F, SHIFT)
    fill, outline = strengths()
    assert fill == 0
    assert outline > 50
    hands.press(Qt.Key.Key_F, SHIFT)
    assert strengths() == (0, 0)
    hands.press(Qt.Key.Key_F, SHIFT)
    fill, outline = strengths()
    assert 10 < fill < outline
