from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_sam.samples import SAMPLES
from napari_sam.widgets.prompt import welcome as module


@pytest.fixture
def empty():
    return ViewerModel()


def test_an_empty_panel_offers_samples_until_there_is_a_picture(empty, open_panel, settle, qtbot):
    panel = open_panel(empty)
    welcome = panel.controls.welcome
    assert not welcome.isHidden()
    assert panel.controls.objects.isHidden()
    assert panel.controls.status.text().endswith("or begin with a sample below.")
    assert {*welcome.buttons} == {*SAMPLES}
    assert all(not button.icon().isNull() for button in welcome.buttons.values())
    welcome.buttons["stack"].click()
    qtbot.waitUntil(lambda: panel.annotation is not None)
    settle(panel)
    layer = panel.annotation.picture.layer
    assert (layer.name, layer.data.shape) == ("nuclei in depth", (16, 256, 256))
    np.testing.assert_allclose(layer.scale, SAMPLES["stack"].scale)
    assert layer.metadata["credit"] == SAMPLES["stack"].credit
    assert welcome.isHidden()
    assert not panel.controls.objects.isHidden()
    empty.layers.remove(layer)
    settle(panel)
    assert not welcome.isHidden()


def test_a_second_press_opens_no_second_sample(empty, open_panel, settle, qtbot):
    panel = open_panel(empty)
    welcome = panel.controls.welcome
    for name in ("nuclei", "movie"):
        welcome.buttons[name].click()
    qtbot.waitUntil(lambda: panel.annotation is not None)
    settle(panel)
    assert panel.annotation.picture.layer.name == "nuclei of human cells"
    assert not [layer for layer in empty.layers if layer.name == "growing yeast"]


def test_what_cannot_be_read_is_said(empty, open_panel, qtbot, monkeypatch):
    said = []

    def fail(name):
        raise OSError("no such file")

    monkeypatch.setattr(module, "sample_layer", fail)
    monkeypatch.setattr(module, "show_error", said.append)
    panel = open_panel(empty)
    panel.controls.welcome.buttons["nuclei"].click()
    qtbot.waitUntil(lambda: bool(said))
    assert said == ["The sample could not be read: no such file"]
    assert not panel.controls.welcome.isHidden()


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_has_a_small_picture_and_a_title(name, qtbot):
    assert module.TITLES[name]
    assert not module._small(name).isNull()
