"""The automatic mode in a real window: a handle is dragged; the viewer is closed in mid-search."""

from __future__ import annotations

import threading

import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest

from tests.widgets.conftest import open_tab
from tests.widgets.search.finding import BATCH, FindingSegmenter, model, seen
from tests.widgets.test_windows import Desk

pytestmark = pytest.mark.gui


@pytest.fixture
def open_desk(make_napari_viewer, qtbot, host):
    def open_desk():
        viewer = make_napari_viewer(show=True)
        viewer.add_image(seen(), name="discs")
        desk = Desk(qtbot, viewer, host)
        desk.panel.precompute.switch(False)
        open_tab(desk.panel, "Auto")
        desk.panel.auto.controls.choices["points"].value = 16
        return desk

    return open_desk


def test_a_dragged_handle_filters(open_desk):
    desk = open_desk()
    auto = desk.panel.auto
    auto.controls.start.click()
    desk.qtbot.waitUntil(lambda: not auto.work.busy, timeout=10_000)
    row = auto.controls.choices.ranges["score"]
    start = QPoint(8, row.slider.height() // 2)
    QTest.mousePress(row.slider, Qt.MouseButton.LeftButton, pos=start)
    for x in range(8, 3 * row.slider.width() // 4, 20):
        QTest.mouseMove(row.slider, QPoint(x, start.y()))
        desk.qtbot.wait(5)
    QTest.mouseRelease(row.slider, Qt.MouseButton.LeftButton, pos=QPoint(x, start.y()))
    assert 0.75 < row.shown[0] < 0.9
    assert row.low.value() == pytest.approx(row.shown[0], abs=0.01)
    kept = sum(score >= row.shown[0] for *_, score in FindingSegmenter.discs)
    desk.qtbot.waitUntil(lambda: auto.controls.status.text().startswith(f"{kept} objects from 5"))


def test_the_viewer_is_closed_in_mid_search(open_desk, model, caplog):
    desk = open_desk()
    auto = desk.panel.auto
    model.go = threading.Semaphore(2)
    auto.controls.start.click()
    desk.qtbot.waitUntil(lambda: auto.controls.bar.value() == 2 * BATCH)
    desk.viewer.close()
    model.go.release(9999)
    desk.qtbot.wait(100)
    assert [record for record in caplog.records if record.name == "concurrent.futures"] == []
