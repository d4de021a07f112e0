"""Real windows: the side view in its dock, taken out with its cross and opened again."""

from __future__ import annotations

import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QDockWidget, QPushButton

from napari_sam.widgets.panel import Panel
from napari_sam.widgets.stack.side_view import SideView
from tests.widgets.stack.test_tab import DISCS, draw

pytestmark = pytest.mark.gui


def test_the_cross_of_its_dock_closes_it_and_the_button_docks_it_again(
    make_napari_viewer, host, qtbot
):
    viewer = make_napari_viewer(show=True)
    viewer.add_image(draw(DISCS), name="stack")
    panel = Panel(viewer, host)
    viewer.window.add_dock_widget(panel)
    qtbot.waitUntil(lambda: not panel.jobs.busy, timeout=30_000)
    button = panel.stack.controls.by_hand.sides
    for _ in range(2):
        button.click()
        (view,) = viewer.window._qt_window.findChildren(SideView)
        dock = view.parentWidget()
        assert isinstance(dock, QDockWidget)
        qtbot.waitUntil(lambda view=view: view.panes[0].shown is not None)
        cross = dock.titleBarWidget().findChild(QPushButton, "QTitleBarCloseButton")
        QTest.mouseClick(cross, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda view=view: not view.isVisible())
    button.click()  # the window closes with it
