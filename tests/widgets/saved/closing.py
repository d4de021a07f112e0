"""A panel closed and opened again takes no more memory; `test_windows.py` runs this by itself."""

from __future__ import annotations

import gc

import numpy as np
import psutil
import pytest
from qtpy.QtCore import QEvent, Qt
from qtpy.QtWidgets import QApplication

from napari_sam.inference.store.memory import trim_heap
from tests.widgets.conftest import ours
from tests.widgets.saved.test_windows import TURNS, desk, quick_garbage

__all__ = ["desk", "quick_garbage"]  # fixtures

pytestmark = pytest.mark.gui

WARM = 3  # what is loaded at first, and stays, is no leak


def memory():
    """Return the bytes of this process, without what was freed and the system may have back.

    Qt deletes docks that were closed when its own loop turns, which no test runs.
    """
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()
    trim_heap()
    return psutil.Process().memory_info().rss


def test_closed_and_opened_again_with_a_click_each_time(desk):
    """napari used to draw from memory that was not there, and the process ended."""
    d = desk()
    for turn in range(WARM + TURNS):
        d.click(20, 90)
        np.testing.assert_allclose(ours(d.viewer, "points").data, [(20, 90)], atol=1)
        d.close()
        assert [layer.name for layer in d.viewer.layers] == ["cells"]
        if turn == WARM - 1:  # closed: an open panel holds what its model has embedded so far
            before = memory()
        elif turn == WARM + TURNS - 1:
            assert memory() - before < 10e6
        d.open()
    d.click(20, 90)
    d.press(Qt.Key.Key_N)
    assert d.panel.annotation.target.data[20, 90] == 1
