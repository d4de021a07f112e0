"""Clicking while the other slices are embedded: ``python -m benchmarks.ahead``, on a screen.

Opens a real window (``xvfb-run -a -s "-screen 0 1600x1000x24"`` gives a virtual one) over a stack,
and while its slices are embedded goes again and again to one that is done and clicks there. Prints
the time from the click to the mask without the decoder's own; the time spent in our own slots on
the GUI thread, napari's redraw apart; and the memory of the process against the store's budget.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import inspect
import os
import pkgutil
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import napari
import numpy as np
import psutil
from numpy.typing import NDArray
from qtpy.QtCore import QPoint, Qt, QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication
from scipy import ndimage

import napari_sam.session
import napari_sam.widgets
from napari_sam.inference.store.store import EmbeddingStore, open_store
from napari_sam.serving.host import ModelHost
from napari_sam.serving.segmenter import StoredSegmenter
from napari_sam.settings import Settings

CLICK_S, SLOT_S = 0.1, 0.05  # what is aimed at
HAND_S = 0.4  # from the slider to the object
PATIENCE_S = 300
QT_S_OWN = {"event", "eventFilter", "showEvent", "__init__"}


@dataclass
class Spent:
    """Seconds on the clock and of the processor, napari's redraw within it left out."""

    what: str
    clock: float
    processor: float


class Clock:
    """Times calls; of those on the GUI thread, the outermost only."""

    def __init__(self) -> None:
        self.slots: list[Spent] = []
        self.redraws: list[Spent] = []
        self.decoder: list[Spent] = []
        self.encoder: list[Spent] = []
        self._inside = False

    def watch_our_slots(self) -> None:
        """Time every method of the session and of the widgets that Qt or napari may call."""
        for package in (napari_sam.session, napari_sam.widgets):
            for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
                module = importlib.import_module(found.name)
                for owner in vars(module).values():
                    if inspect.isclass(owner) and owner.__module__ == module.__name__:
                        self._watch(owner)

    def clear(self) -> None:
        """Forget what was timed so far."""
        for record in (self.slots, self.redraws, self.decoder, self.encoder):
            record.clear()

    def watch(self, owner: Any, name: str, into: list[Spent]) -> None:
        """Time one method, in whatever thread."""
        method = getattr(owner, name)

        @functools.wraps(method)
        def timed(*args: Any, **more: Any) -> Any:
            start, used = time.perf_counter(), time.thread_time()
            result = method(*args, **more)
            spent = time.perf_counter() - start, time.thread_time() - used
            into.append(Spent(name, *spent))
            return result

        setattr(owner, name, timed)

    def _watch(self, owner: type) -> None:
        for name, method in list(vars(owner).items()):
            if inspect.isfunction(method) and name not in QT_S_OWN:
                setattr(owner, name, self._timed(method))

    def _timed(self, method: Callable[..., Any]) -> Callable[..., Any]:
        kinds = [parameter.kind for parameter in inspect.signature(method).parameters.values()]
        taken = None if inspect.Parameter.VAR_POSITIONAL in kinds else len(kinds)

        @functools.wraps(method)
        def timed(*args: Any, **more: Any) -> Any:
            args = args[:taken]  # Qt's signals may carry more than their slots take
            if self._inside or threading.current_thread() is not threading.main_thread():
                return method(*args, **more)
            drawn, start, used = len(self.redraws), time.perf_counter(), time.thread_time()
            self._inside = True
            try:
                return method(*args, **more)
            finally:
                self._inside = False
                inner = self.redraws[drawn:]
                clock = time.perf_counter() - start - sum(one.clock for one in inner)
                processor = time.thread_time() - used - sum(one.processor for one in inner)
                self.slots.append(Spent(method.__qualname__, clock, processor))

        return timed


def main() -> None:
    """Open the window, click, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slices", type=int, default=60)
    parser.add_argument("--side", type=int, default=1024)
    parser.add_argument("--model", default="cells_tiny")
    parser.add_argument(
        "--settle", type=float, default=HAND_S, help="seconds between scrolling and clicking"
    )
    options = parser.parse_args()
    clock = Clock()
    clock.watch(StoredSegmenter, "predict", clock.decoder)
    clock.watch(StoredSegmenter, "keep", clock.encoder)
    clock.watch_our_slots()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["NAPARI_SAM_SESSIONS"] = str(Path(folder) / "sessions")
        os.environ["NAPARI_SAM_EMBEDDINGS"] = str(Path(folder) / "embeddings")
        stack = make_stack(options.slices, options.side)
        run(clock, open_store(Settings()), stack, options.model, options.settle)


def make_stack(slices: int, side: int) -> NDArray[np.uint16]:
    """Return blobs; the first pixel of each slice is its number."""
    rng = np.random.default_rng(0)
    stack = np.empty((slices, side, side), np.uint16)
    for number, plane in enumerate(stack):
        noise = ndimage.gaussian_filter(rng.normal(size=(side, side)).astype(np.float32), 8)
        plane[:] = 1000 * (noise > 0.02) + rng.integers(0, 300, plane.shape) + 100
        plane[0, 0] = number
    return stack


def run(
    clock: Clock, store: EmbeddingStore, stack: NDArray[np.uint16], model: str, settle: float
) -> None:
    """Click on slices that are done until all are, and print the figures."""
    from napari_sam.widgets.panel import Panel

    done: list[int] = []
    keep = store.keep

    def noted(predictor: Any, image: Any, *more: Any) -> int:
        size = keep(predictor, image, *more)
        done.append(int(image[0, 0]))
        return size

    store.keep = noted  # type: ignore[method-assign]
    process = psutil.Process()
    viewer = napari.Viewer(show_welcome_screen=False)
    viewer.window._qt_window.resize(1400, 900)
    clock.watch(type(viewer.window._qt_viewer.canvas.native), "paintGL", clock.redraws)
    viewer.add_image(stack, name="stack")
    viewer.dims.set_point(0, len(stack) // 2)
    panel = Panel(viewer, ModelHost(store=store))
    viewer.window.add_dock_widget(panel, name="Click to segment")
    panel.precompute.switch(False)
    models = panel.controls.model.list
    models.setCurrentIndex(models.findData(model))
    wait_until(lambda: not panel.jobs.busy and store.made > 0)
    device = panel.model_use.ran_on
    store.memory.clear()
    before = process.memory_info().rss
    peak = [before]
    watch = QTimer()
    watch.timeout.connect(lambda: peak.append(max(peak[-1], process.memory_info().rss)))
    watch.start(20)

    began = time.perf_counter()
    clock.clear()
    panel.precompute.switch(True)
    waits: list[Spent] = []
    rng = np.random.default_rng(0)
    wait_until(lambda: len(done) > 2 or not panel.precompute.busy)
    while panel.precompute.busy:
        viewer.dims.set_point(0, rng.choice(done))
        wait(settle)
        waits.append(click(viewer, panel, clock))
        panel.prompting.reject()
        wait(0.3)
    took = time.perf_counter() - began
    watch.stop()

    print(f"{len(stack)} slices of {stack.shape[1]} x {stack.shape[2]}, {model} on {device}")
    print(f"embedded in {took:.0f} s beside {len(waits)} clicks, {took / len(stack):.2f} s a slice")
    share = sum(s.processor for s in clock.encoder) / sum(s.clock for s in clock.encoder)
    print(f"the machine was so busy that the encoder had {share:.0%} of a processor")
    print(f"{'':32}{'on the clock, ms':>30}{'of the processor, ms':>30}")
    print(f"{'':32}" + 2 * f"{'median':>10}{'99 %':>10}{'max':>10}")
    report("click to mask, less the decoder", waits, CLICK_S)
    report("the decoder's own time", clock.decoder)
    report("our slots on the GUI thread", clock.slots, SLOT_S)
    report("  those of more than 1 ms", [s for s in clock.slots if s.clock > 0.001], SLOT_S)
    for one in sorted(clock.slots, key=lambda s: -s.processor)[:6]:
        print(f"    {one.what:38}{1000 * one.clock:10.1f}{1000 * one.processor:30.1f}")
    report("napari's redraw", clock.redraws)
    grown, budget = (peak[-1] - before) / 1e6, Settings().embeddings_memory_mb
    print(
        f"memory: {before / 1e6:.0f} MB with window, model and stack; grew by {grown:.0f} MB at "
        f"most; budget {budget} MB, {'kept' if grown <= budget else 'MISSED'}; embeddings "
        f"{store.memory.nbytes / 1e6:.0f} MB at hand, {store.size / 1e6:.0f} MB on disk"
    )
    viewer.close()


def click(viewer: napari.Viewer, panel: Any, clock: Clock) -> Spent:
    """Click in the middle of the view; return the time to the mask without the decoder's.

    Of the processor it is that of the GUI thread.
    """
    annotation = panel.annotation
    shown: list[tuple[float, float]] = []

    def note() -> None:
        if annotation.session.prediction is not None and not shown:
            shown.append((time.perf_counter(), time.thread_time()))

    annotation.changed.connect(note)
    canvas = viewer.window._qt_viewer.canvas.native
    place = QPoint(canvas.width() // 2, canvas.height() // 2)
    QTest.mouseMove(canvas, place)
    wait(0.02)
    decoded = len(clock.decoder)
    start, used = time.perf_counter(), time.thread_time()
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=place)
    wait_until(lambda: bool(shown))
    annotation.changed.disconnect(note)
    decoder = sum(one.clock for one in clock.decoder[decoded:])
    return Spent("click", shown[0][0] - start - decoder, shown[0][1] - used)


def report(what: str, spent: list[Spent], aim: float | None = None) -> None:
    """Print how long something took, and whether that is as aimed at."""
    if not spent:
        print(f"{what}: never")
        return
    text = f"{what:32}"
    for seconds in ([s.clock for s in spent], [s.processor for s in spent]):
        half, high = np.percentile(seconds, (50, 99))
        text += "".join(f"{1000 * value:10.1f}" for value in (half, high, max(seconds)))
    if aim is not None:
        met = np.percentile([s.clock for s in spent], 99) < aim
        text += f"   aim: {1000 * aim:.0f} ms on the clock, {'met' if met else 'MISSED'}"
    print(f"{text}   ({len(spent)} times)")


def wait(seconds: float) -> None:
    """Let Qt work."""
    end = time.perf_counter() + seconds
    wait_until(lambda: time.perf_counter() > end)


def wait_until(condition: Callable[[], bool]) -> None:
    """Let Qt work until something is the case."""
    end = time.perf_counter() + PATIENCE_S
    while not condition():
        if time.perf_counter() > end:
            raise TimeoutError("nothing came of it")
        QApplication.processEvents()
        time.sleep(0.001)


if __name__ == "__main__":
    main()
