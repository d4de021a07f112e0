"""The dock widget that holds a panel."""

from __future__ import annotations

from napari.components import ViewerModel
from qtpy.QtWidgets import QDockWidget, QWidget

__all__ = ["bring_forward"]

MENU_NAME = "Click to segment (napari-sam)"  # as napari names the dock when its menu opens it


def bring_forward(panel: QWidget, viewer: ViewerModel) -> None:
    """Raise a panel above other docks; add it to a dock if it has none."""
    window = getattr(viewer, "window", None)
    if window is not None and panel.parent() is None and not panel.isVisible():
        window.add_dock_widget(panel, name=MENU_NAME)
    place: QWidget | None = panel
    while place is not None and not isinstance(place, QDockWidget):
        place = place.parentWidget()
    for widget in (place or panel, panel):
        widget.show()
        widget.raise_()
