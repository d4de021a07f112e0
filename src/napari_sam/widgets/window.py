"""A napari window of its own, as the command line opens it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import napari
from napari.layers import Layer

__all__ = ["open_window"]


def open_window(
    layers: Iterable[tuple[Any, dict[str, Any], str]] = (), path: Path | None = None
) -> None:
    """Open napari with layers or a file and the panel, and return when it is closed."""
    viewer = napari.Viewer()
    for layer in layers:
        viewer.add_layer(Layer.create(*layer))
    if path is not None:
        viewer.open(path)
    viewer.window.add_plugin_dock_widget("napari-sam")
    napari.run()
