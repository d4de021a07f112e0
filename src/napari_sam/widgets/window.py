"""A napari window of its own, as the command line opens it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import napari
from napari.layers import Layer

from napari_sam.errors import InputError

__all__ = ["open_window"]


def open_window(
    layers: Iterable[tuple[Any, dict[str, Any], str]] = (), path: Path | None = None
) -> None:
    """Open napari with layers or a file and the panel, and return when it is closed.

    Raises
    ------
    InputError
        When no Qt binding is installed.
    """
    try:
        import qtpy  # noqa: F401
    except ImportError as error:
        raise InputError(
            "a window needs a Qt binding and none is installed: pip install 'napari-sam[all]'"
        ) from error
    viewer = napari.Viewer()
    for layer in layers:
        viewer.add_layer(Layer.create(*layer))
    if path is not None:
        viewer.open(path)
    viewer.window.add_plugin_dock_widget("napari-sam")
    napari.run()
