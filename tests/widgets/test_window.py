"""The window of the command line: room for the picture beside the panel, within the screen."""

from __future__ import annotations

import pytest
from qtpy.QtTest import QTest

from napari_sam.widgets import window

pytestmark = pytest.mark.gui


@pytest.fixture
def enlarged(make_napari_viewer, monkeypatch):
    """Return a function that opens a window of a size and enlarges it."""

    def enlarged(width, height, room):
        viewer = make_napari_viewer(show=True)
        shown = viewer.window._qt_window
        shown.resize(width, height)
        QTest.qWait(50)
        monkeypatch.setattr(window, "ROOM", room)
        window._enlarge(viewer)
        QTest.qWait(50)
        size, screen = shown.size(), shown.screen().availableGeometry()
        return (size.width(), size.height()), (screen.width(), screen.height())

    return enlarged


def test_a_small_window_grows(enlarged):
    assert enlarged(1000, 630, (1200, 800))[0] == (1200, 800)


def test_not_beyond_the_screen(enlarged):
    size, screen = enlarged(1000, 630, (9000, 9000))
    assert size == screen


def test_a_larger_one_stays(enlarged):
    assert enlarged(1250, 850, (1100, 700))[0] == (1250, 850)
