"""The window of the command line: room for the picture beside the panel, within the screen."""

from __future__ import annotations

import pytest
from napari.components import ViewerModel
from napari.layers import Layer
from qtpy.QtTest import QTest

from napari_sam.samples import sample_layer
from napari_sam.widgets import window
from napari_sam.widgets.panel import Panel
from tests.widgets.conftest import close_at_end

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


def test_the_story_of_a_stack_ends_where_it_leads(qtbot, host):
    viewer = ViewerModel()
    viewer.add_layer(Layer.create(*sample_layer("stack")))
    panel = Panel(viewer, host)
    close_at_end(qtbot, panel)
    panel.precompute.switch(False)
    window._tell(panel, "stack")
    assert panel.annotation.queries.holds("story")
    panel.tabs.setCurrentWidget(panel.stack.controls)
    assert panel.annotation.queries.current is None
