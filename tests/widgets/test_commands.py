"""Commands of the palette open the panel, once, and do what its buttons do."""

from __future__ import annotations

import pytest
from npe2 import PluginManifest
from npe2.manifest.utils import import_python_name

from napari_sam.errors import DISTRIBUTION
from napari_sam.widgets import commands
from tests.widgets.conftest import open_tab, picture


@pytest.fixture
def shown(make_napari_viewer, open_panel, settle):
    viewer = make_napari_viewer(show=True)
    viewer.add_image(picture(40, 60), name="cells")
    panel = open_panel(viewer)
    viewer.window.add_dock_widget(panel)
    settle(panel)
    return viewer, panel


@pytest.mark.gui
def test_the_open_panel_is_used(shown):
    viewer, panel = shown
    commands.show_keys(viewer)
    assert panel._keys_dialog.isVisible()
    commands.continue_saved_work(viewer)
    assert panel.saved_work.isVisible()
    panel.saved_work.hide()
    panel._keys_dialog.hide()


@pytest.mark.gui
def test_find_all_searches_the_slice_in_view(shown):
    viewer, panel = shown
    pressed = []
    panel.auto.controls.start.clicked.connect(lambda: pressed.append(True))
    commands.find_all(viewer)
    assert panel.tabs.tabText(panel.tabs.currentIndex()) == "Auto"
    assert pressed == [True]
    open_tab(panel, "Prompt")


def test_every_command_of_the_manifest_can_be_imported():
    for command in PluginManifest.from_distribution(DISTRIBUTION).contributions.commands:
        assert callable(import_python_name(command.python_name))
