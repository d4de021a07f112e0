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
ALT = Qt.KeyboardModifier.AltModifier
NONE = Qt.KeyboardModifier.NoModifier
LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
MIDDLE = Qt.MouseButton.MiddleButton


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
        y, x = (np.array(world)[self._shown] - camera.center[-2:]) * camera.zoom
        return QPoint(round(x + self.canvas.width() / 2), round(y + self.canvas.height() / 2))

    def move(self, place, held=Qt.MouseButton.NoButton, modifier=NONE):
        # QTest.mouseMove would move the real pointer too, whose events come late on a busy machine.
        self._send(QEvent.Type.MouseMove, place, Qt.MouseButton.NoButton, held, modifier)

    def point_at(self, *position):
        """Move until napari, which leaves out moves that follow each other closely, has seen it."""
        self.wait_until(lambda: self._seen(position))

    def click(self, *position, button=LEFT, modifier=NONE):
        self.move(self.at(*position))
        QTest.mouseClick(self.canvas, button, modifier, self.at(*position))
        self.settle()

    def right_click(self, *position):
        self.click(*position, button=RIGHT)

    def alt_click(self, *position):
        self.click(*position, modifier=ALT)

    def double_click(self, *position):
        """Press, release, press again at once, release: as Qt tells of it."""
        place = self.at(*position)
        self.move(place)
        QTest.mouseClick(self.canvas, LEFT, NONE, place)
        # QTest.mouseDClick would send a whole click more.
        self._send(QEvent.Type.MouseButtonDblClick, place, LEFT, LEFT)
        self._send(QEvent.Type.MouseButtonRelease, place, LEFT, Qt.MouseButton.NoButton)
        self.settle()

    def slide(self, *position, by=(5, 5), button=LEFT, modifier=NONE):
        """Click while the mouse moves on by so many screen pixels (x, y)."""
        start = self.at(*position)
        end = start + QPoint(*by)
        self.move(start)
        QTest.mousePress(self.canvas, button, modifier, start)
        for place in ((start + end) / 2, end):
            self.move(place, button, modifier)
            self.wait(0.02)  # napari leaves out moves that follow each other closely
        QTest.mouseRelease(self.canvas, button, modifier, end)
        self.settle()

    def drag(self, *positions, button=LEFT, modifier=NONE):
        """Drag along positions of the picture, which stays where it is."""
        self.begin_drag(*positions, button=button, modifier=modifier)
        self.end_drag(*positions, button=button, modifier=modifier)

    def begin_drag(self, *positions, button=LEFT, modifier=NONE):
        """Drag along positions, and do not let go."""
        QTest.mousePress(self.canvas, button, modifier, self.at(*positions[0]))
        for start, end in pairwise(np.array(positions)):
            for position in ((start + end) / 2, end):
                self.wait_until(lambda at=position: self._seen(at, button, modifier))

    def end_drag(self, *positions, button=LEFT, modifier=NONE):
        QTest.mouseRelease(self.canvas, button, modifier, self.at(*positions[-1]))
        self.settle()

    def hold(self, key):
        QTest.keyPress(self.canvas, key)

    def let_go(self, key):
        QTest.keyRelease(self.canvas, key)
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

    def _send(self, kind, place, button, held, modifier=NONE):
        local, globally = QPointF(place), QPointF(self.canvas.mapToGlobal(place))
        event = QMouseEvent(kind, local, globally, button, held, modifier)
        QApplication.sendEvent(self.canvas, event)

    def _seen(self, position, held=Qt.MouseButton.NoButton, modifier=NONE):
        self.move(self.at(*position), held, modifier)
        seen = self.panel.annotation.picture.layer.world_to_data(self.viewer.cursor.position)
        return np.allclose(np.array(seen)[self._shown], np.array(position)[self._shown], atol=1)

    @property
    def _shown(self):
        """The two axes in view, counted from the last one."""
        dims = self.viewer.dims
        return [axis - dims.ndim for axis in dims.displayed]
