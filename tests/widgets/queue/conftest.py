"""A folder of three pictures, and a panel that goes through them."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from napari.components import ViewerModel

SHAPE = 40, 60


@pytest.fixture
def folder(tmp_path):
    """Three different pictures on disk."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for seed, name in enumerate("abc"):
        pixels = np.random.default_rng(seed).integers(0, 255, SHAPE).astype(np.uint8)
        tifffile.imwrite(folder / f"{name}.tif", pixels)
    return folder


@pytest.fixture
def rest(qtbot, calm):
    """Return a function that waits until a panel has nothing more to do."""

    def rest(panel):
        qtbot.waitUntil(lambda: not panel.queue.busy, timeout=60_000)
        calm(panel)
        qtbot.waitUntil(lambda: not panel.queue.busy, timeout=60_000)

    return rest


@pytest.fixture
def opened(new_panel, rest):
    """Return a function that opens a folder as a queue in a viewer of its own."""

    def opened(folder):
        viewer, panel = new_panel(ViewerModel())
        panel.queue.open([folder])
        rest(panel)
        return viewer, panel

    return opened
