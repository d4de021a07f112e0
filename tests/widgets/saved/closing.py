"""A panel closed and opened again takes no more memory; `test_windows.py` runs this by itself."""

from __future__ import annotations

import ctypes
import gc
from typing import ClassVar

import numpy as np
import pytest
from qtpy.QtCore import QEvent, Qt
from qtpy.QtWidgets import QApplication

from tests.widgets.conftest import ours
from tests.widgets.saved.test_windows import TURNS, desk, quick_garbage

__all__ = ["desk", "quick_garbage"]  # fixtures

pytestmark = pytest.mark.gui

WARM = 3  # what is loaded at first, and stays, is no leak


class Heap(ctypes.Structure):
    """What glibc's ``mallinfo2`` tells of all heaps of this process, in bytes."""

    _fields_: ClassVar = [
        *((name, ctypes.c_size_t) for name in ("arena", "ordblks", "smblks", "hblks", "mapped")),
        *((name, ctypes.c_size_t) for name in ("usmblks", "fsmblks", "used", "free", "keepcost")),
    ]


def memory():
    """Return the bytes that are asked for and not given back.

    The system's figure (RSS) goes up and down by 15 MB, by which freed pages it has back. Python's
    objects count because `test_windows.py` has Python take them from the same heap. Qt deletes
    docks that were closed when its own loop turns, which no test runs.
    """
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()
    mallinfo2 = ctypes.CDLL(None).mallinfo2
    mallinfo2.restype = Heap
    heap = mallinfo2()
    return heap.used + heap.mapped


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
