"""Hands that use a real window: mouse and keys, and nothing else."""

from __future__ import annotations

import time
from itertools import pairwise

import numpy as np
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

PATIENCE_S = 60
SHIFT = Qt.KeyboardModifier.ShiftModifier


class Hands:
    """What a person does with a viewer and its panel."""

    def __init__(self, viewer, panel):
        self.viewer, self.panel = viewer, panel
        self.window = viewer.window._qt_window
        self.canvas = viewer.window._qt_viewer.canvas.native

    def focus(self):
        self.window.activateWindow()
        self.canvas.setFocus()
        self.wait_until(lambda: QApplication.activeWindow() is self.window)

    def at(self, *position):
        """Where a pixel of the picture lies on the canvas."""
        world = self.panel.annotation.picture.layer.data_to_world(position)
        camera = self.viewer.scene.camera
        y, x = (np.array(world[-2:]) - camera.center[-2:]) * camera.zoom
        return QPoint(round(x + self.canvas.width() / 2), round(y + self.canvas.height() / 2))

    def move(self, place, held=Qt.MouseButton.NoButton):
        # QTest.mouseMove would move the real pointer too, whose events come late on a busy machine.
        local, globally = QPointF(place), QPointF(self.canvas.mapToGlobal(place))
        none = Qt.KeyboardModifier.NoModifier
        kind = QEvent.Type.MouseMove, local, globally, Qt.MouseButton.NoButton, held, none
        QApplication.sendEvent(self.canvas, QMouseEvent(*kind))

    def point_at(self, *position):
        """Move until napari, which leaves out moves that follow each other closely, has seen it."""
        self.wait_until(lambda: self._seen(position))

    def click(self, *position):
        self.move(self.at(*position))
        QTest.mouseClick(self.canvas, Qt.MouseButton.LeftButton, pos=self.at(*position))
        self.settle()

    def drag(self, *positions):
        left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        QTest.mousePress(self.canvas, left, none, self.at(*positions[0]))
        for start, end in pairwise(np.array(positions)):
            for position in ((start + end) / 2, end):
                self.wait_until(lambda at=position: self._seen(at, left))
        QTest.mouseRelease(self.canvas, left, none, self.at(*positions[-1]))
        self.settle()

    def press(self, key, modifier=Qt.KeyboardModifier.NoModifier):
        QTest.keyClick(self.canvas, key, modifier)
        self.settle()

    def push(self, button):
        """Click on a button of the panel."""
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        self.settle()

    def turn_to(self, title):
        """Click on the head of the tab of this title."""
        bar = self.panel.tabs.tabBar()
        titles = [bar.tabText(index) for index in range(bar.count())]
        place = bar.tabRect(titles.index(title)).center()
        QTest.mouseClick(bar, Qt.MouseButton.LeftButton, pos=place)
        self.focus()

    def settle(self):
        self.wait(0.02)
        self.wait_until(lambda: not self.panel.jobs.busy)

    def wait(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            QApplication.processEvents()
            time.sleep(0.002)

    def wait_until(self, done):
        end = time.monotonic() + PATIENCE_S
        while not done():
            self.wait(0.01)
            if time.monotonic() > end:
                raise TimeoutError(f"nothing happened for {PATIENCE_S} s")

    def _seen(self, position, held=Qt.MouseButton.NoButton):
        self.move(self.at(*position), held)
        seen = self.panel.annotation.picture.layer.world_to_data(self.viewer.cursor.position)
        return np.allclose(seen[-2:], position[-2:], atol=1)
