"""A window of napari with the panel, for the pictures of these pages."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import napari
import numpy as np
from napari.layers import Layer
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QWidget

from napari_sam.widgets.panel import Panel

IMAGES = Path(__file__).parent / "images"
SIZE = 1360, 800
NARROW = 1060, 760  # without napari's own docks, so that the panel can be read on a page
ZOOM = 2.2
NUCLEI = 0, 6, 8  # clicks of the sample that lie close together
AMONG_THEM = 150, 395  # row and column
PATIENCE_S = 600


@contextmanager
def nobodys_home() -> Iterator[None]:
    """Neither show nor change anybody's own work, models and settings (these on Linux)."""
    with tempfile.TemporaryDirectory() as home:
        for kind in ("SESSIONS", "MODELS", "EMBEDDINGS"):
            os.environ[f"NAPARI_SAM_{kind}"] = f"{home}/{kind.lower()}"
        os.environ["XDG_CONFIG_HOME"] = f"{home}/config"
        yield


class Window:
    """A window of napari with these layers and the panel.

    Parameters
    ----------
    *layers : Layer
        What to show, the lowest first.
    docks : bool
        Whether napari's own layer list and controls are in the picture, too.
    """

    def __init__(self, *layers: Layer, docks: bool = False) -> None:
        self.viewer = napari.Viewer(show_welcome_screen=False)
        self.window = self.viewer.window._qt_window
        if not docks:
            self.viewer.window._qt_viewer.dockLayerList.hide()
            self.viewer.window._qt_viewer.dockLayerControls.hide()
        self.window.resize(*(SIZE if docks else NARROW))
        for layer in layers:
            self.viewer.add_layer(layer)
        self.panel = Panel(self.viewer)
        self.viewer.window.add_dock_widget(self.panel, name="Click to segment")
        wait_until(lambda: self.window.isVisible() and not self.panel.jobs.busy)
        self.panel.precompute.switch(False)
        self.window.activateWindow()  # else what ends is told as if nobody looked
        self.viewer.reset_view()

    def turn_to(self, title: str) -> None:
        """Show the tab of this title."""
        tabs = self.panel.tabs
        tabs.setCurrentIndex([tabs.tabText(i) for i in range(tabs.count())].index(title))

    def look_at(self, row: float, column: float) -> None:
        """Show this place, enlarged."""
        self.viewer.scene.camera.zoom *= ZOOM
        self.viewer.scene.camera.center = (0, *self.world(row, column))
        wait(0.5)

    def world(self, row: float, column: float) -> tuple[float, float]:
        """Return where in the viewer's own units a pixel of the picture is."""
        layer = self.panel.annotation.picture.layer
        height, width = layer.scale[-2:]
        return row * height, column * width

    @property
    def canvas(self) -> QWidget:
        """What the picture is drawn on."""
        return self.viewer.window._qt_viewer.canvas.native

    def place(self, row: float, column: float) -> QPoint:
        """Return where on the canvas a pixel of the picture is."""
        camera = self.viewer.scene.camera
        y, x = (np.array(self.world(row, column)) - camera.center[-2:]) * camera.zoom
        return QPoint(round(x + self.canvas.width() / 2), round(y + self.canvas.height() / 2))

    def click(self, row: float, column: float) -> None:
        """Click on a pixel, and wait for the mask."""
        place = self.place(row, column)
        QTest.mouseMove(self.canvas, place)
        QTest.mouseClick(self.canvas, Qt.MouseButton.LeftButton, pos=place)
        panel = self.panel
        wait_until(lambda: panel.annotation.session.mask is not None and not panel.jobs.busy)
        wait(0.5)

    def stroke(self, *places: tuple[float, float]) -> None:
        """Draw with the mouse from pixel to pixel."""
        first, *others = (self.place(*place) for place in places)
        QTest.mouseMove(self.canvas, first)
        QTest.mousePress(self.canvas, Qt.MouseButton.LeftButton, pos=first)
        for place in others:
            held = QPointF(place), QPointF(self.canvas.mapToGlobal(place))
            none, left = Qt.MouseButton.NoButton, Qt.MouseButton.LeftButton
            keys = Qt.KeyboardModifier.NoModifier
            QApplication.sendEvent(
                self.canvas, QMouseEvent(QEvent.Type.MouseMove, *held, none, left, keys)
            )
            wait(0.05)
        QTest.mouseRelease(self.canvas, Qt.MouseButton.LeftButton, pos=others[-1])
        wait_until(lambda: not self.panel.editing.busy)

    def photograph(self, name: str) -> None:
        """Write what it looks like now."""
        wait(1)
        self.window.grab().save(str(IMAGES / f"{name}.png"))


def wait_until(done: Callable[[], bool]) -> None:
    """Let the window work until something has happened."""
    end = time.monotonic() + PATIENCE_S
    while not done():
        wait(0.05)
        if time.monotonic() > end:
            raise TimeoutError(f"nothing happened for {PATIENCE_S} s")


def wait(seconds: float) -> None:
    """Let the window work for a while."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        QApplication.processEvents()
        time.sleep(0.01)
