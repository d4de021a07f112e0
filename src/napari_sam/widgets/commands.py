"""Commands of napari's menus and of its command palette: what a press in the panel does.

napari hands over the viewer by the annotation, so `napari` is imported for good.
"""

from __future__ import annotations

import napari

from napari_sam.errors import DISTRIBUTION
from napari_sam.widgets.common.docks import bring_forward
from napari_sam.widgets.panel import Panel, panel_of

__all__ = [
    "continue_saved_work",
    "find_all",
    "open_queue",
    "save_objects",
    "show_keys",
    "show_methods",
]

PANEL = "Click to segment"


def continue_saved_work(viewer: napari.Viewer) -> None:
    """Open the panel and show all saved work."""
    _open(viewer).show_saved()


def find_all(viewer: napari.Viewer) -> None:
    """Open the panel's tab Auto and search the slice in view."""
    _open(viewer).find_all()


def open_queue(viewer: napari.Viewer) -> None:
    """Open the panel and ask for a folder of pictures to go through."""
    _open(viewer).queue.ask()


def show_methods(viewer: napari.Viewer) -> None:
    """Open the panel and say how the objects were made."""
    _open(viewer).methods.open()


def save_objects(viewer: napari.Viewer) -> None:
    """Open the panel and ask for a file name for the objects."""
    _open(viewer).footer.save.click()


def show_keys(viewer: napari.Viewer) -> None:
    """Open the panel and show its keys."""
    _open(viewer).show_keys()


def _open(viewer: napari.Viewer) -> Panel:
    """Return the panel of a viewer, in front; open it if there is none."""
    viewer = getattr(viewer, "__wrapped__", viewer)
    if (panel := panel_of(viewer)) is None:
        viewer.window.add_plugin_dock_widget(DISTRIBUTION, PANEL)
        panel = panel_of(viewer)
        assert panel is not None
    bring_forward(panel, viewer)
    return panel
