"""A search for the tab Auto that needs no model, and a panel to use it with."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtWidgets import QAbstractButton, QAbstractSpinBox, QComboBox

from napari_sam.errors import InputError
from napari_sam.inference.automatic.points import point_grid, points_inside
from napari_sam.inference.automatic.settings import InstanceSettings
from napari_sam.inference.automatic.tiles import Tiling, lattice
from napari_sam.inference.object_maps import LevelMaps
from napari_sam.progress import Progress
from napari_sam.results import Proposal, SearchResult
from napari_sam.widgets.common.questions import QueryRow
from napari_sam.widgets.panel import Panel
from napari_sam.widgets.search.measures import MeasureRow
from napari_sam.widgets.search.preview import hatched
from tests.fakes import FakeSegmenter
from tests.widgets.conftest import close_at_end

SHAPE = 64, 96
DISCS = ((12, 12, 6, 0.95), (12, 40, 6, 0.9), (40, 12, 9, 0.8), (40, 60, 4, 0.6), (60, 90, 5, 0.7))
BATCH = 16


def disc(row, column, radius, shape=SHAPE):
    rows, columns = np.indices(shape)
    return (rows - row) ** 2 + (columns - column) ** 2 <= radius**2


def hatching(mask):
    """Return which pixels show that this is found, and not written."""
    return hatched(mask.astype(np.uint8)) > 0


@dataclass
class FindingSegmenter(FakeSegmenter):
    """Finds the discs that a point lies in; waits before each batch unless it is let go.

    Where nothing is drawn there is nothing. Batches of a large picture are its tiles. All at once,
    it finds those whose score is above the foreground and whose area fits, and runs for pictures
    only that are not kept; `ran` counts that.
    """

    discs: tuple = DISCS
    go: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(99_999))
    searches: list = field(default_factory=list)
    fails: str = ""
    ran: int = 0

    def find_at_once(self, image, settings, where, pause, known):
        while not self.go.acquire(timeout=0.005):
            pause()
        if self.fails:
            raise InputError(self.fails)
        if known is None or not known.levels:
            self.ran += 1
        if known is not None:
            known.levels = (maps_of(image),)
        found = []
        for row, column, radius, score in self.discs:
            mask = disc(row, column, radius, image.shape[:2])
            inside = where is None or where[row, column]
            if score > settings.foreground and settings.fits(mask.sum()) and inside:
                at = row, column
                found.append(Proposal.of(mask, image, score=score, stability=score, point=at))
        yield Progress(1, 1, SearchResult(found, found))

    def find(self, image, settings, where, contrast, pause, seeds=None, kept=None):
        self.searches.append((settings, where, contrast))
        shape = image.shape[:2]
        if isinstance(settings, InstanceSettings):
            known = None if kept is None else kept.of(image, contrast)
            yield from self.find_at_once(image, settings, where, pause, known)
            return
        points = point_grid(settings.points_per_side, shape) if seeds is None else seeds
        points = points_inside(points, where)
        batches = [points[at : at + BATCH] for at in range(0, len(points), BATCH)]
        total = len(points)
        if Tiling().cuts(shape):
            step = Tiling().side / settings.points_per_side
            batches = [lattice(step, tile.core) for tile in Tiling().tiles(shape)]
            total = len(batches)
        masks = [(one, disc(*one[:3], shape)) for one in self.discs]
        kept, done = {}, 0
        for batch in batches:
            while not self.go.acquire(timeout=0.005):
                pause()
            if self.fails and done:
                raise InputError(self.fails)
            found = []
            for row, column in batch:
                for number, ((r, c, _, score), mask) in enumerate(masks):
                    if mask[round(row), round(column)] and image[r, c]:
                        at = row, column
                        one = Proposal.of(mask, image, score=score, stability=0.9, point=at)
                        found.append(one)
                        kept[number] = one
            done += len(batch) if total == len(points) else 1
            yield Progress(done, total, (found, None))
        best = sorted(kept.values(), key=lambda one: -one.score)
        yield Progress(total, total, ([], best))


def maps_of(image):
    flat = np.zeros(image.shape, np.float32)
    return LevelMaps(image.shape, 1.0, flat, flat, flat, flat)


@pytest.fixture
def model():
    segmenter = FindingSegmenter()
    yield segmenter
    segmenter.go.release(99_999)


class Bench:
    """A panel over a picture of discs, its tab Auto, and what a person does there."""

    def __init__(self, qtbot, host, data, make=None, reader=None, **layer):
        self.qtbot = qtbot
        self.viewer = ViewerModel()
        self.viewer.add_image(data, name="discs", **layer)
        self.panel = Panel(self.viewer, host, make, reader)
        close_at_end(qtbot, self.panel)
        self.panel.show()
        self.panel.precompute.switch(False)
        self.tab, self.controls = self.panel.auto, self.panel.auto.controls

    @property
    def session(self):
        return self.panel.annotation.session

    @property
    def labels(self):
        return self.panel.annotation.target.data

    @property
    def status(self):
        return self.controls.status.text()

    @property
    def preview(self):
        layer = next((x for x in self.viewer.layers if x.name == "napari-sam found"), None)
        return None if layer is None else np.squeeze(layer.data)

    def find(self):
        self.controls.start.click()
        self.rest()

    def rest(self):
        waits = getattr(self.tab.presenter, "_tune_soon", None)  # of Auto only
        self.qtbot.waitUntil(
            lambda: not self.tab.work.busy and not (waits and waits.isActive()), timeout=10_000
        )
        self.qtbot.waitUntil(lambda: not self.tab.presenter._soon.isActive())

    def slide(self, name, low=None, high=None):
        slider = self.controls.choices.ranges[name].slider
        slider.setValue(
            (slider.minimum() if low is None else low, slider.maximum() if high is None else high)
        )
        self.rest()

    def statuses(self):
        return {n: held.status for n, held in self.session.objects.items()}


def seen(points=16):
    return np.add.reduce([disc(*one[:3]) * 50 for one in DISCS]).astype(np.uint8)


def controls_shown(bench):
    """Return what can be pressed, chosen or dragged now, but for answers, which come and go."""
    kinds = QAbstractButton, QAbstractSpinBox, QComboBox, MeasureRow
    found = [w for kind in kinds for w in bench.controls.findChildren(kind)]
    rows, asked = bench.controls.choices.ranges.values(), bench.controls.findChildren(QueryRow)
    answers = {id(button) for row in asked for button in row.findChildren(QAbstractButton)}
    return [w for w in found if w.isVisible() and w.parent() not in rows and id(w) not in answers]


@pytest.fixture
def open_picture(qtbot, host):
    """Return a function that opens a picture with a grid of 16 points a side."""

    def open_picture(data=None, **options):
        bench = Bench(qtbot, host, seen() if data is None else data, **options)
        bench.controls.choices["points"].value = 16
        return bench

    return open_picture


@pytest.fixture
def halt(model, open_picture, qtbot):
    """Return a function that halts a search after three batches: two discs were found."""

    def halt(**options):
        bench = open_picture(**options)
        model.go = threading.Semaphore(3)
        bench.controls.start.click()
        qtbot.waitUntil(lambda: bench.controls.bar.value() == 3 * BATCH, timeout=10_000)
        return bench

    return halt
