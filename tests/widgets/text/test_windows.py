"""Words typed in a real window, key by key."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_sam.text.reader import Reader
from napari_sam.widgets.panel import Panel
from tests.fakes import FakeEncoder
from tests.widgets.conftest import close_at_end, open_tab
from tests.widgets.search.finding import DISCS, disc, hatching, model, seen

pytestmark = pytest.mark.gui


def test_letters_are_letters_and_return_begins(make_napari_viewer, qtbot, host, model):
    viewer = make_napari_viewer(show=True)
    viewer.add_image(seen(), name="discs")
    panel = Panel(viewer, host, reader=Reader(FakeEncoder))
    close_at_end(qtbot, panel)
    viewer.window.add_dock_widget(panel)
    panel.precompute.switch(False)
    panel.auto.controls.choices["points"].value = 16
    open_tab(panel, "Text")
    text = panel.text
    text.controls.words.setFocus()
    QTest.keyClicks(text.controls.words, "hung, small")  # h, u, n and g are keys of the panel
    assert text.controls.words.text() == "hung, small"
    assert panel.annotation.tool.name == "INCLUDE"
    QTest.keyClick(text.controls.words, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: text.controls.status.text().startswith("2 of 5"), timeout=10_000)
    assert "'hung' is not among the words" in text.controls.unknown.text()
    layer = viewer.layers["napari-sam found"]
    small = disc(*DISCS[3][:3]) | disc(*DISCS[4][:3])
    np.testing.assert_array_equal(np.squeeze(layer.data) == 2, hatching(small))
    text.controls.accept.click()
    assert {o.class_id for o in panel.annotation.session.objects.values()} == {2}
