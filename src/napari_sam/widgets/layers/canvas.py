"""Canvas of a window, and a workaround: its GL context is made current before layers are removed.

Else Qt may crash.
"""

from __future__ import annotations

from napari.components import ViewerModel
from napari.utils.events import Event
from qtpy.QtCore import QObject
from qtpy.QtOpenGLWidgets import QOpenGLWidget
from qtpy.QtWidgets import QMainWindow, QWidget

__all__ = ["canvas_of", "guard_canvas"]


def guard_canvas(viewer: ViewerModel) -> None:
    """Guard the removal of layers from a viewer for the lifetime of its window.

    napari finishes what the canvas has to draw as soon as a layer is gone. That may be outside of a
    draw, where another context is current, or none: what was meant for the canvas is then done
    elsewhere, and the next draw reads memory that is not there.

    Parameters
    ----------
    viewer : ViewerModel
        The viewer; nothing is to be done for one without a window.
    """
    window = _window_of(viewer)
    if window is not None and window.findChild(_CanvasGuard) is None:
        guard = _CanvasGuard(window)
        for event in (viewer.layers.events.removing, viewer.layers.events.begin_batch):
            event.connect(guard.make_current)


class _CanvasGuard(QObject):
    """Event receiver that is owned by a window and deleted with it."""

    def make_current(self, event: Event | None = None) -> None:
        """Make the GL context of the canvas current."""
        window = self.parent()
        for canvas in _canvases(window) if isinstance(window, QMainWindow) else []:
            canvas.makeCurrent()


def canvas_of(viewer: ViewerModel) -> QWidget | None:
    """Return the widget that a viewer draws on; None for one without a window."""
    window = _window_of(viewer)
    return None if window is None else next(iter(_canvases(window)), None)


def _window_of(viewer: ViewerModel) -> QMainWindow | None:
    bar = getattr(getattr(viewer, "window", None), "main_menu", None)
    window = None if bar is None else bar.window()
    return window if isinstance(window, QMainWindow) else None


def _canvases(window: QMainWindow) -> list[QOpenGLWidget]:
    centre = window.centralWidget()
    return [] if centre is None else centre.findChildren(QOpenGLWidget)
