"""Render the pictures of these pages: a real window, a real click, the real model.

Run it where there is a screen, or on a virtual one::

    xvfb-run -a -s "-screen 0 1600x1000x24" python docs/screenshots.py --data DATA [PART ...]

DATA is the folder of open data that the model card names; without it the pictures of the tab Auto
and Text are left as they are. PART is one of prompt, stack, session, train, nuclei, myoblasts,
axons and text; without any, all are taken.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import napari
import numpy as np
import tifffile
from napari.layers import Layer
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication
from skimage.io import imread

from napari_sam.samples import SAMPLES, tissue_layer
from napari_sam.training.synthetic import synthetic_picture
from napari_sam.widgets.panel import Panel

IMAGES = Path(__file__).parent / "images"
SIZE = 1360, 800
ZOOM = 2.2
PATIENCE_S = 600
DRAWN = 2, 11  # seeds of pictures of rods
MIDDLE = 5  # slice of the stack
CELLS = (  # row, column, radius and drift by slice
    *((70, 70, 26, 1), (90, 175, 30, -1), (185, 95, 22, 0)),
    *((190, 200, 18, 2), (150, 30, 14, 1)),
)
UNDERWAY = 30  # of the 100 steps of a short training
FOUND = {  # sample, preset, points a side, lowest predicted IoU after the slider was moved
    "nuclei": ("dsb2018_train/003cee89357d", "nuclei", 20, 0.68),
    "myoblasts": ("laptrack_c2c12_timelapse/C2C12_10frames", "cells", 20, 0.66),
    "axons": ("axondeepseg_sem/sub-rat3_sample-data10", "electron", 20, 0.62),
}
PART = 384  # pixels a side of those samples
WORDS = "nuclei, axons, bananas"  # in those two samples, side by side


def main() -> None:
    """Take the pictures that are asked for, one window after the other."""
    parts: dict[str, Callable[[], None]]
    parts = {"prompt": prompt, "stack": stack, "session": session, "train": train}
    parser = argparse.ArgumentParser(description="Render the pictures of these pages.")
    parser.add_argument("parts", nargs="*", metavar="PART")
    parser.add_argument("--data", type=Path, help="the folder of open data")
    arguments = parser.parse_args()
    if arguments.data:
        for name, sample in FOUND.items():
            parts[name] = partial(auto, name, arguments.data, *sample)
        parts["text"] = partial(text, arguments.data)
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as home:  # nobody's own work is shown or added to
        os.environ["NAPARI_SAM_SESSIONS"] = f"{home}/sessions"
        os.environ["NAPARI_SAM_MODELS"] = f"{home}/models"
        for name in arguments.parts or parts:
            parts[name]()


def prompt() -> None:
    """Click on one nucleus of the sample and take a picture of the window."""
    viewer = napari.Viewer(show_welcome_screen=False)
    window = viewer.window._qt_window
    window.resize(*SIZE)
    viewer.add_layer(Layer.create(*tissue_layer()[0]))
    panel = Panel(viewer)
    viewer.window.add_dock_widget(panel, name="Click to segment")
    wait_until(lambda: window.isVisible() and not panel.jobs.busy)
    row, column = SAMPLES["tissue"].prompts[0].points[0]
    viewer.scene.camera.zoom *= ZOOM
    viewer.scene.camera.center = (0, row - 4, column + 12)
    wait(0.5)
    canvas = viewer.window._qt_viewer.canvas.native
    y, x = (np.array([row, column]) - viewer.scene.camera.center[-2:]) * viewer.scene.camera.zoom
    place = QPoint(round(x + canvas.width() / 2), round(y + canvas.height() / 2))
    QTest.mouseMove(canvas, place)
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=place)
    wait_until(lambda: panel.annotation.session.mask is not None and not panel.jobs.busy)
    wait(0.5)
    window.grab().save(str(IMAGES / "panel.png"))
    viewer.close()


def stack() -> None:
    """Follow cells through a drawn stack and take a picture of the window afterwards."""
    viewer = napari.Viewer(show_welcome_screen=False)
    window = viewer.window._qt_window
    window.resize(*SIZE)
    viewer.add_image(drawn_stack(), name="stack", axis_labels=("z", "y", "x"))
    viewer.dims.set_point(0, MIDDLE)
    panel = Panel(viewer)
    viewer.window.add_dock_widget(panel, name="Click to segment")
    wait_until(lambda: window.isVisible() and not panel.jobs.busy)
    viewer.reset_view()
    for row, column, _, _ in CELLS:
        points = next(x for x in viewer.layers if x.metadata.get("napari-sam") == "points")
        points.add([(MIDDLE, row, column)])
        wait_until(lambda: panel.annotation.session.mask is not None)
        panel.prompting.accept()
    open_tab(panel, "Stack")
    panel.stack.controls.start.click()
    wait_until(lambda: not panel.stack.work.busy)
    viewer.dims.set_point(0, MIDDLE + 3)
    wait(1)
    window.grab().save(str(IMAGES / "stack.png"))
    viewer.close()


def drawn_stack() -> np.ndarray:
    """Return (Z, Y, X) uint8 of round cells that drift from slice to slice."""
    rows, columns = np.indices((256, 256))
    noise = np.random.default_rng(0)
    slices = []
    for z in range(-MIDDLE, MIDDLE + 1):
        plane = np.full((256, 256), 30.0)
        for row, column, radius, drift in CELLS:
            square = radius**2 - (rows - row - drift * z) ** 2 - (columns - column) ** 2 - 20 * z**2
            plane += 60 * (1 + np.tanh(square / radius / 4))
        slices.append(noise.normal(plane, 9).clip(0, 255))
    return np.array(slices, np.uint8)


def session() -> None:
    """Let somebody annotate a stack with mouse and keys, kill the window, and go on in another."""
    with tempfile.TemporaryDirectory() as home:
        picture = f"{home}/stack.tif"
        tifffile.imwrite(picture, drawn_stack(), photometric="minisblack")
        cells = [f"{row},{column}" for row, column, _, _ in CELLS]
        work = [sys.executable, "-m", "tests.widgets.annotator", picture]
        work += ["--slice", str(MIDDLE), "--cells", *cells]
        for last in ("followed", "done"):
            person = subprocess.Popen(
                [*work, "--pictures", IMAGES],
                cwd=IMAGES.parents[1],
                stdout=subprocess.PIPE,
                text=True,
            )
            for line in person.stdout or ():
                if line.startswith(last):
                    break
            person.kill()
            person.wait()


def train() -> None:
    """Teach the built-in model two drawn pictures and take a picture of the window meanwhile."""
    viewer = napari.Viewer(show_welcome_screen=False)
    window = viewer.window._qt_window
    window.resize(*SIZE)
    for field, seed in enumerate(DRAWN, 1):
        picture = synthetic_picture(np.random.default_rng(seed), 256)
        viewer.add_image(picture.rgb, name=f"field {field}")
        viewer.add_labels(picture.labels, name=f"field {field} cells").contour = 2
    panel = Panel(viewer)
    viewer.window.add_dock_widget(panel, name="Click to segment")
    wait_until(lambda: window.isVisible() and not panel.jobs.busy)
    open_tab(panel, "Train")
    controls = panel.training.controls
    controls.length.setCurrentIndex(0)
    controls.start.click()
    wait_until(lambda: len(controls.outcome.curve.loss) >= UNDERWAY)
    wait(0.5)
    window.grab().save(str(IMAGES / "train.png"))
    controls.stop.click()
    wait_until(lambda: not panel.training.work.busy)
    viewer.close()


def show_tab(picture: np.ndarray, name: str, tab: str) -> tuple[napari.Viewer, Panel]:
    """Open a window with a picture and one of the panel's tabs."""
    viewer = napari.Viewer(show_welcome_screen=False)
    window = viewer.window._qt_window
    window.resize(*SIZE)
    viewer.add_image(picture, name=name)
    panel = Panel(viewer)
    viewer.window.add_dock_widget(panel, name="Click to segment")
    wait_until(lambda: window.isVisible() and not panel.jobs.busy)
    panel.ahead.switch(False)
    open_tab(panel, tab)
    return viewer, panel


def open_tab(panel: Panel, title: str) -> None:
    """Show the tab of this title."""
    tabs = panel.tabs
    tabs.setCurrentIndex([tabs.tabText(i) for i in range(tabs.count())].index(title))


def sample_of(data: Path, name: str) -> np.ndarray:
    """Return (H, W) uint8 of one of the samples."""
    file = next((data / FOUND[name][0]).glob("image.*"))
    part = imread(file)[..., :PART, :PART].astype(float)
    low, high = np.percentile(part, (0.5, 99.8))
    return (255 * ((part - low) / (high - low)).clip(0, 1)).astype(np.uint8)


def text(data: Path) -> None:
    """Say what to find in two samples side by side, and take a picture of what fits."""
    parts = [sample_of(data, name) for name in ("nuclei", "axons")]
    height = min(len(part) for part in parts)
    picture = np.concatenate([part[:height] for part in parts], axis=1)
    viewer, panel = show_tab(picture, "nuclei and axons", "Text")
    seeds = panel.auto.controls.seeds
    seeds.setCurrentIndex(seeds.findData("grid"))
    controls = panel.text.controls
    controls.words.setText(WORDS)
    viewer.reset_view()
    controls.start.click()
    wait_until(lambda: not panel.text.work.busy)
    wait(1)
    viewer.window._qt_window.grab().save(str(IMAGES / "text.png"))
    viewer.close()


def auto(name: str, data: Path, sample: str, preset: str, points: int, lowest: float) -> None:
    """Find everything in a sample; take pictures before and after a slider is moved."""
    picture = imread(next((data / sample).glob("image.*")))[..., :PART, :PART]
    viewer, panel = show_tab(picture, name, "Auto")
    window = viewer.window._qt_window
    controls = panel.auto.controls
    controls.preset.setCurrentIndex(controls.preset.findData(preset))
    controls.preset.activated.emit(controls.preset.currentIndex())
    controls.points.setValue(points)
    viewer.reset_view()
    controls.start.click()
    wait_until(lambda: not panel.auto.work.busy)
    wait(1)
    window.grab().save(str(IMAGES / f"auto-{name}.png"))
    slider = controls.rows["score"].slider
    slider.setValue((lowest, slider.maximum()))
    wait(1)
    window.grab().save(str(IMAGES / f"auto-{name}-fewer.png"))
    viewer.close()


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


if __name__ == "__main__":
    main()
