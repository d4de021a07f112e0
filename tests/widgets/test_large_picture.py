"""Somebody clicks into a picture of 6,000 x 6,000 pixels in a real window."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_sam.serving.host import ModelHost
from napari_sam.widgets import model_use
from napari_sam.widgets.panel import Panel
from tests.widgets.hands import LEFT, Hands

pytestmark = pytest.mark.gui

SIDE, APART = 6000, 100


@pytest.fixture
def begin(make_napari_viewer, monkeypatch):
    """Return a function that opens discs of radius 14 on a lattice, with the shipped model."""
    monkeypatch.setattr(model_use, "PATIENCE_MS", 1)

    def begin():
        part = np.full((APART, APART), 30, np.uint8)
        rows, columns = np.indices(part.shape) - APART // 2
        part[np.hypot(rows, columns) < 14] = 150
        noise = np.random.default_rng(0).integers(0, 9, (SIDE, SIDE), dtype=np.uint8)
        viewer = make_napari_viewer(show=True)
        viewer.add_image(np.tile(part, (SIDE // APART,) * 2) + noise, name="large")
        panel = Panel(viewer, ModelHost())
        viewer.window.add_dock_widget(panel, name="Click to segment")
        panel.precompute.switch(False)
        person = Hands(viewer, panel)
        person.focus()
        person.settle()
        return person

    return begin


def go_to(person, row, column):
    """Zoom in on a place, so that a pixel of the picture is one of the screen."""
    camera = person.viewer.scene.camera
    camera.center, camera.zoom = (0, row, column), 1
    person.wait(0.1)


def test_clicks_are_answered_where_one_looks(begin):
    person = begin()
    session = person.panel.annotation.session
    for row, column in ((2950, 3050), (150, 5850)):
        go_to(person, row, column)
        person.click(row, column)
        assert 400 < np.count_nonzero(session.mask) < 900
        person.click(row + 6, column)  # refines the mask
        assert session.mask[row, column]
        person.press(Qt.Key.Key_N)
    assert len(session.objects) == 2
    assert 2 <= person.panel.host.store.made <= 4  # tiles, of which the whole would be a hundred


def test_preparing_a_tile_shows_a_bar_and_can_be_cancelled(begin):
    person = begin()
    panel, session = person.panel, person.panel.annotation.session
    go_to(person, 2950, 3050)
    queries = panel.annotation.queries
    person.move(person.at(2950, 3050))
    QTest.mouseClick(person.canvas, LEFT, pos=person.at(2950, 3050))
    person.wait_until(lambda: "Preparing" in panel.controls.area.work.text())
    person.wait_until(lambda: queries.current is not None)
    (cancel,) = queries.current.answers
    queries.answer(queries.current, cancel)
    person.settle()
    assert session.prediction is None
    assert panel.host.store.made == 0
    assert len(session.draft.points) == 1
    person.click(2950, 3052)
    assert session.prediction is not None
    assert panel.host.store.made == 1


def test_the_tile_in_view_is_prepared_first_and_then_a_click_embeds_nothing(begin):
    person = begin()
    panel, store = person.panel, person.panel.host.store
    for count, place in enumerate([(2950, 3050), (450, 450)], 1):
        go_to(person, *place)
        panel.precompute.switch(True)
        person.wait_until(lambda count=count: store.made == count)
        assert "Preparing tiles" in panel.controls.precompute.text.text()
        panel.precompute.switch(False)
        person.click(*place)
        assert panel.annotation.session.prediction is not None
        assert store.made == count
        panel.prompting.reject()
