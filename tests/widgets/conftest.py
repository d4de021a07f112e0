"""A panel over a fake model; the user's own settings and models are never touched."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_sam.inference.host import ModelHost
from napari_sam.widgets.panel import Panel
from napari_sam.widgets.picture import OURS
from tests.fakes import FakeSegmenter


@pytest.fixture(autouse=True)
def own_settings(tmp_path, monkeypatch):
    monkeypatch.setattr("napari_sam.settings.settings_path", lambda: tmp_path / "settings.json")
    monkeypatch.setenv("NAPARI_SAM_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("NAPARI_SAM_EMBEDDINGS", str(tmp_path / "embeddings"))
    monkeypatch.setenv("NAPARI_SAM_SESSIONS", str(tmp_path / "sessions"))


@pytest.fixture
def model():
    return FakeSegmenter()


@pytest.fixture
def host(model):
    return ModelHost(lambda name, device, report: model)


@pytest.fixture
def open_panel(qtbot, host):
    """Return a function that opens a panel over a viewer without a window."""

    def open_panel(viewer: ViewerModel) -> Panel:
        panel = Panel(viewer, host)
        qtbot.addWidget(panel, before_close_func=lambda panel: panel.close_panel())
        return panel

    return open_panel


@pytest.fixture
def settle(qtbot):
    """Return a function that waits until a panel's model has nothing more to do."""

    def settle(panel: Panel) -> None:
        qtbot.waitUntil(lambda: not panel.jobs.busy, timeout=30_000)

    return settle


def ours(viewer, role):
    """Return our layer of that role, or None."""
    return next((x for x in viewer.layers if x.metadata.get(OURS) == role), None)


def picture(*shape, dtype=np.uint8):
    return np.random.default_rng(0).integers(0, 255, shape).astype(dtype)
