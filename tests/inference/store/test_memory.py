"""What was freed goes back to the system."""

from __future__ import annotations

import platform

import numpy as np
import psutil
import pytest

from napari_sam.inference.store import memory
from napari_sam.inference.store.memory import trim_heap

PIECES, PIECE = 2000, 100_000  # bytes: small enough for the heap


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="others do it by themselves")
def test_freed_memory_leaves_the_process():
    """An array above those that are freed keeps the C library from returning them by itself."""
    process = psutil.Process()
    trim_heap()
    pieces = [np.ones(PIECE, np.uint8) for _ in range(PIECES)]
    last = pieces.pop()
    full = process.memory_info().rss
    pieces.clear()
    trim_heap()
    assert last.all()
    assert full - process.memory_info().rss > 0.8 * PIECES * PIECE


def test_a_c_library_that_needs_no_help_gets_none(monkeypatch):
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda name: object())
    assert memory._trim.__wrapped__() is None
    monkeypatch.setattr(memory, "_trim", lambda: None)
    trim_heap()
