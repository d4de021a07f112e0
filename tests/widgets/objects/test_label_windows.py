"""Real windows: labels of other origin and unnamed axes are answered with the mouse."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import Qt

from tests.widgets.conftest import picture
from tests.widgets.test_windows import Desk

pytestmark = pytest.mark.gui


@pytest.fixture
def desk(make_napari_viewer, qtbot, host):
    """Return a function that opens a picture in a window of its own."""

    def desk(data, **options):
        viewer = make_napari_viewer(show=True)
        viewer.add_image(data, name="cells", **options)
        return Desk(qtbot, viewer, host)

    return desk


def push(desk, answer):
    desk.push(next(b for b in desk.panel.controls.query.buttons if b.text() == answer))


def test_labels_are_worked_on_deleted_and_brought_back(desk):
    d = desk(picture(80, 120))
    labels = np.zeros((80, 120), np.int32)
    labels[10:20, 10:20], labels[40:60, 50:90] = 3, 8
    layer = d.viewer.add_labels(labels.copy(), name="of another plugin")
    d.wait_until(lambda: not d.panel.label_offer.busy)
    push(d, "Work on them")
    d.wait_until(lambda: not d.panel.label_offer.busy)
    d.focus()
    assert sorted(d.panel.annotation.session.objects) == [3, 8]
    d.click(50, 30)  # a new one, beside them
    d.press(Qt.Key.Key_N)
    assert sorted(d.panel.annotation.session.objects) == [3, 8, 9]
    assert (layer.data == 9).any()
    d.press(Qt.Key.Key_U)
    d.press(Qt.Key.Key_U)
    d.wait_until(lambda: not (layer.data == 9).any())
    while d.panel.annotation.session.can_undo:
        d.press(Qt.Key.Key_U)
    assert not d.panel.annotation.session.objects
    np.testing.assert_array_equal(layer.data, labels)


def test_frames_are_told_from_slices(desk):
    d = desk(picture(9, 80, 120))
    assert "slices in depth, or time points?" in d.panel.controls.query.text.text()
    push(d, "Time points")
    assert not d.panel.controls.query.isVisible()
    d.focus()
    d.viewer.dims.set_point(0, 2)
    d.click(2, 40, 60)
    d.viewer.dims.set_point(0, 5)
    d.wait_until(lambda: "frame 2" in d.panel.controls.status.text())
