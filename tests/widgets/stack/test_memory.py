"""Objects followed with a memory of the model's own, from the panel."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_sam.inference.propagation import propagate as propagation
from napari_sam.masks import CroppedMask
from napari_sam.session.objects import Source, Status
from napari_sam.widgets.panel import Panel
from tests.inference.moving import draw
from tests.model.sam2.peers import tiny_predictor
from tests.widgets.conftest import close_at_end, ours
from tests.widgets.stack.conftest import FollowingSegmenter

START = 3


@pytest.fixture
def model(monkeypatch):
    # Weights are random, and so is what is found: it is followed wherever it goes.
    monkeypatch.setattr(propagation, "why_stop", lambda *_: None)
    segmenter = FollowingSegmenter(predictor=tiny_predictor())
    yield segmenter
    segmenter.go.release(999)


class Bench:
    """A panel over a stack in which an object is accepted."""

    def __init__(self, qtbot, host):
        self.qtbot, self.viewer = qtbot, ViewerModel()
        self.viewer.add_image(draw({1: lambda z: (4, 4, 6)}, length=7), name="stack")
        self.panel = Panel(self.viewer, host)
        close_at_end(qtbot, self.panel)
        self.panel.show()
        self.panel.precompute.switch(False)
        self.controls = self.panel.stack.controls
        self.accept(START)

    @property
    def sections(self):
        held = self.panel.annotation.session.objects[1].sections
        return {plane[0]: section for plane, section in held.items()}

    def accept(self, index, at=(4, 4)):
        self.viewer.dims.set_point(0, index)
        ours(self.viewer, "points").add([(index, *at)])
        self.qtbot.waitUntil(lambda: self.panel.annotation.session.mask is not None)
        self.panel.prompting.accept()

    def follow(self):
        self.controls.start.click()
        self.qtbot.waitUntil(lambda: not self.panel.stack.work.busy, timeout=30_000)


def test_a_followed_object_is_corrected_in_the_middle_and_taken_back(qtbot, host):
    bench = Bench(qtbot, host)
    bench.follow()
    first = bench.sections
    assert sorted(first) == list(range(7))
    assert {one.origin.source for at, one in first.items() if at != START} == {Source.PROPAGATED}
    right = np.zeros((40, 60), bool)
    right[:24, 30:] = True
    corrected = replace(first[5], mask=CroppedMask.of(right), status=Status.ACCEPTED)
    bench.panel.annotation.session.objects.set_section(1, (5, None, None), corrected)
    bench.follow()
    changed = [at for at, one in bench.sections.items() if one.mask != first[at].mask]
    assert sorted(changed) == [4, 5, 6]  # what lies before the other accepted slice stays
    bench.panel.annotation.undo()
    assert [at for at, one in bench.sections.items() if one.mask != first[at].mask] == [5]
    bench.panel.annotation.undo()
    assert START in bench.sections
    assert not {0, 1, 2, 4, 6} & set(bench.sections)


def test_cancel_keeps_what_came_and_one_undo_takes_it_back(qtbot, host, model):
    bench = Bench(qtbot, host)
    model.go = threading.Semaphore(3)
    bench.controls.start.click()
    qtbot.waitUntil(lambda: len(bench.sections) == 3)
    bench.controls.cancel.click()
    assert not bench.panel.stack.work.busy
    assert sorted(bench.sections) == [START, START + 1, START + 2]
    bench.panel.annotation.undo()
    assert sorted(bench.sections) == [START]
