"""Film a click, its mask and its acceptance in a real window: `images/click.webp`.

Run it where there is a screen, or on a virtual one::

    xvfb-run -a -s "-screen 0 1600x1000x24" python docs/animation.py
"""

from __future__ import annotations

import os
import tempfile

import napari
import numpy as np
from napari.layers import Layer
from PIL import Image, ImageDraw
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QImage
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QWidget
from screenshots import IMAGES, SIZE, ZOOM, wait, wait_until

from napari_sam.samples import tissue_layer
from napari_sam.widgets.panel import Panel

CLICKS = (168, 62), (201, 53)  # row and column of two nuclei
WIDTH = 900  # pixels of the film
POINTER = ((0, 0), (0, 17), (4, 13), (7, 20), (10, 19), (7, 12), (12, 12))


def main() -> None:
    """Click on two nuclei, accept each."""
    viewer = napari.Viewer(show_welcome_screen=False)
    window = viewer.window._qt_window
    window.resize(*SIZE)
    viewer.add_layer(Layer.create(*tissue_layer()[0]))
    panel = Panel(viewer)
    viewer.window.add_dock_widget(panel, name="Click to segment")
    wait_until(lambda: window.isVisible() and not panel.jobs.busy)
    viewer.scene.camera.zoom *= ZOOM
    viewer.scene.camera.center = (0, 180, 70)
    wait(0.5)
    canvas = viewer.window._qt_viewer.canvas.native
    frames = [(photograph(window, canvas, QPoint(80, 80)), 900)]
    for click in CLICKS:
        y, x = (np.array(click) - viewer.scene.camera.center[-2:]) * viewer.scene.camera.zoom
        place = QPoint(round(x + canvas.width() / 2), round(y + canvas.height() / 2))
        frames.append((photograph(window, canvas, place), 900))
        QTest.mouseMove(canvas, place)
        QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=place)
        wait_until(lambda: panel.annotation.session.mask is not None and not panel.jobs.busy)
        wait(0.5)
        frames.append((photograph(window, canvas, place), 1_800))
        panel.prompting.accept()
        wait_until(lambda: not panel.jobs.busy)
        wait(0.5)
        frames.append((photograph(window, canvas, place), 1_400))
    pictures, durations = zip(*frames, strict=True)
    first, *others = pictures
    first.save(
        IMAGES / "click.webp",
        save_all=True,
        append_images=others,
        duration=list(durations),
        loop=0,
        quality=80,
    )
    viewer.close()


def photograph(window: QWidget, canvas: QWidget, place: QPoint) -> Image.Image:
    """Return the window as it is, with a pointer at a place of the canvas."""
    grabbed = window.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    height, width = grabbed.height(), grabbed.width()
    rows = np.frombuffer(grabbed.constBits().asstring(grabbed.sizeInBytes()), np.uint8)
    picture = Image.fromarray(rows.reshape(height, -1)[:, : 3 * width].reshape(height, width, 3))
    tip = canvas.mapTo(window, place)
    outline = [(tip.x() + 1.5 * x, tip.y() + 1.5 * y) for x, y in POINTER]
    ImageDraw.Draw(picture).polygon(outline, fill="white", outline="black")
    return picture.resize((WIDTH, round(WIDTH * height / width)), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:  # nobody's own work is shown or added to
        os.environ["NAPARI_SAM_SESSIONS"] = f"{home}/sessions"
        os.environ["NAPARI_SAM_MODELS"] = f"{home}/models"
        main()
