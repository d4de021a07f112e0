"""Standalone napari window, as opened by the command line."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import napari
from napari.layers import Layer

from napari_sam.errors import DISTRIBUTION, InputError

if TYPE_CHECKING:
    from napari.types import FullLayerData

__all__ = ["open_window"]


def open_window(layers: Iterable[FullLayerData] = (), path: Path | None = None) -> None:
    """Open napari with layers or a file and the panel; return when it is closed.

    Raises
    ------
    InputError
        When no Qt binding is installed, or no reader can open the file.
    """
    try:
        import qtpy  # noqa: F401
    except ImportError as error:
        raise InputError(
            f"a window needs a Qt binding and none is installed: pip install '{DISTRIBUTION}[all]'"
        ) from error
    viewer = napari.Viewer()
    for layer in layers:
        viewer.add_layer(Layer.create(*layer))
    if path is not None:
        _open(viewer, path)
    viewer.window.add_plugin_dock_widget(DISTRIBUTION)
    napari.run()


def _open(viewer: napari.Viewer, path: Path) -> None:
    try:
        viewer.open(path)
    except Exception as error:  # readers are plugins: they may raise anything
        viewer.close()
        raise InputError(f"napari cannot open {path}: {error}") from error
