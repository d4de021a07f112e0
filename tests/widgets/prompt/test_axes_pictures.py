"""Drawings on the answers about axes: there, different, and in the colour of the theme."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtGui import QColor, QImage

from napari_sam.widgets.prompt import axes_pictures
from tests.widgets.conftest import picture


def pixels(icon):
    """Return (H, W, 4) of what an icon shows."""
    image = icon.pixmap(24, 16).toImage().convertToFormat(QImage.Format.Format_ARGB32)
    height, width = image.height(), image.width()
    return np.frombuffer(image.bits().asstring(4 * height * width), np.uint8).reshape(-1, width, 4)


def of(panel):
    return {b.text(): b.icon() for b in panel.controls.query.buttons}


@pytest.mark.parametrize(
    ("shape", "answers"),
    [
        ((8, 40, 60), ["Slices in depth", "Time points"]),
        ((3, 40, 60), ["Colours", "Slices in depth", "Time points"]),
    ],
)
def test_each_answer_has_a_drawing_of_its_own(open_panel, calm, shape, answers):
    viewer = ViewerModel()
    viewer.add_image(picture(*shape), name="cells")
    panel = open_panel(viewer)
    calm(panel)
    icons = of(panel)
    assert list(icons) == answers
    assert len({pixels(icon).tobytes() for icon in icons.values()}) == len(answers)


@pytest.mark.parametrize("draw", [axes_pictures.depth, axes_pictures.time])
@pytest.mark.parametrize("grey", [20, 230])
def test_lines_are_in_the_colour_of_the_text(draw, grey, qapp):
    seen = pixels(draw(QColor(grey, grey, grey)))
    solid = seen[seen[..., 3] > 250][:, :3]
    assert len(solid) > 8
    assert np.abs(solid.astype(int) - grey).max() < 10
