"""A panel over a fake model; the user's own settings and models are never touched."""

from __future__ import annotations

import gc
import threading
import warnings
from contextlib import contextmanager

import napari.settings
import numpy as np
import pytest
from napari.components import ViewerModel
from npe2 import PluginManifest
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QApplication, QWidget

from napari_sam.serving.host import ModelHost
from napari_sam.widgets.jobs.trials import Trials
from napari_sam.widgets.layers.image_stack import OURS
from napari_sam.widgets.panel import Panel
from tests.fakes import FakeSegmenter


@pytest.fixture(autouse=True, scope="session")
def manifests_read_once():
    """Each panel and window asks napari for its plugins, which no test installs."""
    found = list(PluginManifest.discover())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PluginManifest, "discover", lambda *_, **__: iter(found))
        yield


@pytest.fixture(autouse=True, scope="module")
def little_garbage():
    """Leave out what was there before: windows look for garbage whenever a layer goes."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def deleted_later():
    """Let Qt delete after each test what it should delete later, where no event loop did so."""
    yield
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


@pytest.fixture(autouse=True)
def own_settings(tmp_path, monkeypatch):
    monkeypatch.setattr("napari_sam.settings.settings_path", lambda: tmp_path / "settings.json")
    monkeypatch.setenv("NAPARI_SAM_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("NAPARI_SAM_EMBEDDINGS", str(tmp_path / "embeddings"))
    monkeypatch.setenv("NAPARI_SAM_SESSIONS", str(tmp_path / "sessions"))
    monkeypatch.setattr(napari.settings, "_CFG_PATH", str(tmp_path / "napari.yaml"))
    monkeypatch.setattr(napari.settings, "_PLUGIN_SETTINGS", {})


@pytest.fixture(autouse=True)
def nothing_timed(monkeypatch):
    """Ask the model what the test asks, and no more; `Trials` itself is tested by those that do."""
    monkeypatch.setattr(Trials, "begin", lambda *_: None)


@pytest.fixture(autouse=True)
def nothing_deprecated():
    """Fail a test in which our modules call what napari, Qt or others are about to take away."""
    with no_deprecations():
        yield


@contextmanager
def no_deprecations():
    """Note these warnings where they are given: as errors, threads and handlers swallow them."""
    with warnings.catch_warnings(record=True) as noted:
        for kind in (DeprecationWarning, FutureWarning, PendingDeprecationWarning):
            warnings.filterwarnings("always", category=kind, module=r"napari_sam(\.|$)")
        yield
    assert not [f"{one.filename}:{one.lineno}: {one.message}" for one in noted]


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
        close_at_end(qtbot, panel)
        return panel

    return open_panel


@pytest.fixture
def settle(qtbot):
    """Return a function that waits until a panel's model has nothing more to do."""

    def settle(panel: Panel) -> None:
        qtbot.waitUntil(lambda: not panel.jobs.busy, timeout=30_000)

    return settle


@pytest.fixture
def viewer():
    """Return a viewer with one small picture; modules with other pictures have their own."""
    viewer = ViewerModel()
    viewer.add_image(picture(40, 60), name="cells")
    return viewer


@pytest.fixture
def panel(viewer, open_panel, settle):
    """Return a panel that has looked at the picture."""
    panel = open_panel(viewer)
    settle(panel)
    return panel


@pytest.fixture
def accept(viewer, panel, settle):
    """Return a function that clicks on an object and accepts it."""

    def accept(*position):
        ours(viewer, "points").add(position)
        settle(panel)
        panel.controls.accept.click()

    return accept


@pytest.fixture
def calm(qtbot, settle):
    """Return a function that waits until a panel has found and read all there is."""

    def calm(panel):
        qtbot.waitUntil(lambda: not panel.resuming.busy)
        settle(panel)

    return calm


@pytest.fixture
def new_panel(qtbot, host, calm):
    """Return a function that opens a panel, which a test may close before its end."""
    panels = []

    def new_panel(viewer):
        panels.append(Panel(viewer, host))
        calm(panels[-1])
        return viewer, panels[-1]

    yield new_panel
    for panel in panels:
        panel.close_panel()


@pytest.fixture
def begin(new_panel):
    """Return a function that opens a picture in a viewer of its own."""

    def begin(data, **more):
        viewer = ViewerModel()
        viewer.add_image(data, **{"name": "cells", **more})
        return new_panel(viewer)

    return begin


def open_tab(panel, title):
    """Show the tab of this title."""
    tabs = panel.tabs
    tabs.setCurrentIndex([tabs.tabText(i) for i in range(tabs.count())].index(title))


def close_at_end(qtbot, panel):
    """Close a panel after the test, which may have done so: panels delete themselves then."""
    last = QWidget()  # qtbot keeps no reference to it, the function does
    qtbot.addWidget(last, before_close_func=lambda _, last=last: panel.close_panel())


def hold(model):
    """Make the model wait at its next prediction until the returned event is set."""
    gate, predict = threading.Event(), model.predict

    def wait(embedding, prompts, pause=None):
        assert gate.wait(10)
        return predict(embedding, prompts)

    model.predict = wait
    return gate


def ours(viewer, role):
    """Return our layer of that role, or None."""
    return next((x for x in viewer.layers if x.metadata.get(OURS) == role), None)


def picture(*shape, dtype=np.uint8):
    return np.random.default_rng(0).integers(0, 255, shape).astype(dtype)


def rectangle(y0, x0, y1, x1):
    """Return the corners of a box, as napari has them."""
    return np.array([(y0, x0), (y0, x1), (y1, x1), (y1, x0)], float)
