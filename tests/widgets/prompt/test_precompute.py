"""Slices embedded in the background: order, prompts in between, and every way in which it ends."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch
from napari.components import ViewerModel

from napari_sam.errors import InputError
from napari_sam.inference.predictor import Predictor
from napari_sam.inference.sampling import sample_stack
from napari_sam.inference.store.disk import DiskStore
from napari_sam.inference.store.memory import MemoryStore
from napari_sam.inference.store.store import EmbeddingStore
from napari_sam.model.config import CONFIGS
from napari_sam.model.sam import Sam
from napari_sam.serving.host import ModelHost
from napari_sam.serving.segmenter import StoredSegmenter
from napari_sam.settings import load_settings
from napari_sam.widgets.panel import Panel
from napari_sam.zoo.catalogue import Entry
from tests.fakes import FakeSegmenter
from tests.widgets.conftest import close_at_end, ours, picture


@dataclass
class SlowSegmenter(FakeSegmenter):
    """Waits in the middle of each slice until it is let go, one slice at a time."""

    go: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    begun: int = 0

    def keep(self, image, contrast=None, pause=None):
        self.begun += 1
        while not self.go.acquire(timeout=0.005):
            pause()
        return super().keep(image, contrast, pause)

    def let_go(self):
        self.go.release(999)


@pytest.fixture
def slow():
    segmenter = SlowSegmenter()
    yield segmenter
    segmenter.let_go()


def numbered(*shape):
    """Return a stack whose slices hold their own number."""
    return np.broadcast_to(np.arange(shape[0]).reshape(-1, 1, 1), shape).astype(np.uint8)


def numbers(segmenter):
    return [int(image[0, 0]) for image, _ in segmenter.kept]


@pytest.fixture
def open_stack_of(qtbot):
    """Return a function that opens a panel over a stack, with its slice 3 in view."""

    def open_stack_of(host, data=None):
        viewer = ViewerModel()
        viewer.add_image(numbered(7, 20, 30) if data is None else data, name="stack")
        viewer.dims.set_point(0, 3)
        panel = Panel(viewer, host)
        close_at_end(qtbot, panel)
        panel.show()
        return panel, viewer

    return open_stack_of


@pytest.fixture
def open_stack(open_stack_of, host):
    return lambda data=None: open_stack_of(host, data)


@pytest.fixture
def open_slow(open_stack_of, slow, qtbot):
    """Return a function that opens a stack and waits until its first slice is being embedded."""

    def open_slow():
        panel, viewer = open_stack_of(ModelHost(lambda *which: slow))
        qtbot.waitUntil(lambda: slow.begun == 1)
        return panel, viewer

    return open_slow


@pytest.fixture
def finish(qtbot):
    def finish(panel):
        qtbot.waitUntil(lambda: not panel.precompute.busy and not panel.jobs.busy, timeout=10_000)

    return finish


def draw_point(viewer, *at):
    ours(viewer, "points").add([at])


def test_all_slices_are_embedded_the_nearest_first(open_stack, finish, model):
    panel, _ = open_stack()
    finish(panel)
    assert numbers(model) == [3, 2, 4, 1, 5, 0, 6]
    assert {contrast for _, contrast in model.kept} == {(0, 6)}
    assert not panel.controls.precompute.isVisible()


def test_a_single_picture_needs_none_of_it(open_stack, finish, model):
    panel, _ = open_stack(picture(20, 30))
    finish(panel)
    assert model.kept == []
    assert not panel.controls.precompute.isVisible()


def test_progress_is_shown_and_follows_the_view(open_slow, slow, finish, qtbot):
    panel, viewer = open_slow()
    row = panel.controls.precompute
    for done in range(2):
        slow.go.release()
        qtbot.waitUntil(lambda done=done: slow.begun == done + 2)
    assert row.isVisible()
    assert (row.bar.value(), row.bar.maximum()) == (2, 7)
    assert row.text.text().startswith("Preparing slices: 2 of 7, about")
    viewer.dims.set_point(0, 6)
    slow.let_go()
    finish(panel)
    assert numbers(slow) == [3, 2, 4, 6, 5, 1, 0]
    assert not row.isVisible()


def test_a_prompt_is_answered_in_the_middle_of_a_slice(open_slow, slow, finish, qtbot):
    panel, viewer = open_slow()
    draw_point(viewer, 3, 10, 15)
    qtbot.waitUntil(lambda: panel.annotation.session.mask is not None)
    assert slow.kept == []
    assert panel.annotation.session.mask[10, 15]
    slow.let_go()
    finish(panel)
    assert len(slow.kept) == 7


def test_cancel_stops_at_once_and_until_something_else_is_chosen(
    open_slow, slow, finish, qtbot, settle
):
    panel, viewer = open_slow()
    panel.controls.precompute.cancel.click()
    assert not panel.precompute.busy
    assert not panel.controls.precompute.isVisible()
    viewer.dims.set_point(0, 1)
    settle(panel)
    draw_point(viewer, 1, 10, 15)  # the model's thread is free again
    qtbot.waitUntil(lambda: panel.annotation.session.mask is not None)
    assert slow.kept == []
    slow.let_go()
    viewer.layers["stack"].data = numbered(5, 20, 30)
    finish(panel)
    assert len(slow.kept) == 5


def test_off_is_remembered_and_on_starts(open_stack, finish, model):
    panel, _ = open_stack()
    finish(panel)
    panel.controls.choices["embed_ahead"].value = False
    assert load_settings().embed_ahead is False
    model.kept.clear()
    panel.close_panel()  # it would follow the other one
    other, _ = open_stack()
    finish(other)
    assert model.kept == []
    other.controls.choices["embed_ahead"].value = True
    assert load_settings().embed_ahead is True
    finish(other)
    assert len(model.kept) == 7


@pytest.fixture
def two_models(slow):
    """Return segmenters by device: the first waits in each slice."""
    return {"auto": slow, "cpu": FakeSegmenter()}


def test_another_model_in_the_middle_of_a_slice_begins_afresh(
    qtbot, two_models, open_stack_of, finish
):
    panel, _ = open_stack_of(ModelHost(lambda name, device, report: two_models[device]))
    qtbot.waitUntil(lambda: two_models["auto"].begun == 1)
    panel.controls.device.setCurrentText("cpu")
    finish(panel)
    assert two_models["auto"].kept == []
    assert numbers(two_models["cpu"]) == [3, 2, 4, 1, 5, 0, 6]


def test_other_pixels_in_the_middle_of_a_slice_begin_afresh(open_slow, slow, finish):
    panel, viewer = open_slow()
    viewer.layers["stack"].data = numbered(4, 20, 30) + 100
    slow.let_go()
    finish(panel)
    assert numbers(slow) == [103, 102, 101, 100]
    assert {contrast for _, contrast in slow.kept} == {(100, 103)}


@pytest.mark.parametrize("way", ["layer", "panel"])
def test_a_removed_picture_or_a_closed_panel_ends_it(open_slow, slow, qtbot, way):
    panel, viewer = open_slow()
    hosted = panel.annotation.model
    if way == "layer":
        viewer.layers.clear()
    else:
        panel.close_panel()
    assert not panel.precompute.busy
    assert hosted.submit(lambda _: "free", lambda *report: None).result(5) == "free"
    assert slow.kept == []


def test_two_viewers_share_the_model_and_prompts_of_both_go_first(open_stack_of, slow, qtbot):
    host = ModelHost(lambda *which: slow)
    one, first = open_stack_of(host)
    other, second = open_stack_of(host, numbered(7, 20, 30) + 100)
    assert one.annotation.model is other.annotation.model
    qtbot.waitUntil(lambda: slow.begun == 1)
    for panel, viewer in ((one, first), (other, second)):
        draw_point(viewer, 3, 10, 15)
        qtbot.waitUntil(lambda s=panel.annotation.session: s.mask is not None)
    assert slow.kept == []
    first.layers.clear()
    slow.let_go()
    qtbot.waitUntil(lambda: not other.precompute.busy, timeout=10_000)
    assert sorted(numbers(slow)) == [100 + z for z in range(7)]


def test_slicing_along_another_axis_begins_along_that(open_stack, finish, model):
    panel, viewer = open_stack()
    finish(panel)
    model.kept.clear()
    viewer.dims.order = (1, 0, 2)
    finish(panel)
    assert len(model.kept) == 20
    assert model.kept[0][0].shape == (7, 30)
    viewer.dims.ndisplay = 3
    finish(panel)
    assert len(model.kept) == 20


def test_a_slice_that_cannot_be_embedded_is_left_out(open_stack, finish, model, monkeypatch):
    def keep(image, contrast=None, pause=None):
        if image[0, 0] == 4:
            raise InputError("no finite value")
        return FakeSegmenter.keep(model, image, contrast)

    monkeypatch.setattr(model, "keep", keep)
    panel, _ = open_stack()
    finish(panel)
    assert sorted(numbers(model)) == [0, 1, 2, 3, 5, 6]


@pytest.mark.parametrize(
    ("keep", "words"),
    [
        (lambda *args: 0, "room for 0 of 7 slices"),
        (lambda *args: 1 / 0, "division"),
    ],
    ids=["full", "error"],
)
def test_why_it_ends_early_is_shown(open_stack, finish, model, monkeypatch, keep, words):
    monkeypatch.setattr(model, "keep", keep)
    panel, viewer = open_stack()
    finish(panel)
    row = panel.controls.precompute
    assert row.isVisible()
    assert words in row.text.text()
    assert not row.cancel.isVisible()
    monkeypatch.undo()
    viewer.layers["stack"].data = numbered(3, 20, 30)
    finish(panel)
    assert len(model.kept) == 3
    assert not row.isVisible()


@pytest.fixture
def real(tmp_path):
    """Return a host of our model with random weights, over a store of its own."""
    torch.manual_seed(0)
    sam = Sam(CONFIGS["cells_tiny"]).eval()
    sam.entry = Entry("known", "cells_tiny", sha256="ab" * 32)
    store = EmbeddingStore(MemoryStore(0), DiskStore(tmp_path / "kept", 10**9))
    return ModelHost(lambda *which: StoredSegmenter(Predictor(sam), store), store), sam


def test_a_click_on_an_embedded_slice_runs_no_encoder(open_stack_of, real, finish, qtbot):
    host, sam = real
    data = picture(5, 24, 32)
    panel, viewer = open_stack_of(host, data)
    finish(panel)
    assert host.store.made == 5
    viewer.dims.set_point(0, 1)
    draw_point(viewer, 1, 10, 15)
    qtbot.waitUntil(lambda: panel.annotation.session.prediction is not None)
    assert host.store.made == 5
    # The command line finds them, too: it takes the same planes and the same contrast.
    segmenter = StoredSegmenter(Predictor(sam), host.store)
    contrast = segmenter.contrast(sample_stack(data, 3))
    assert all(host.store.has(Predictor(sam), plane, contrast) for plane in data)


def test_the_size_on_disk_is_shown_and_can_be_cleaned_up(open_stack_of, real, finish, qtbot):
    host, _ = real
    panel, _ = open_stack_of(host, picture(5, 24, 32))
    finish(panel)
    row = panel.controls.store
    panel.controls.more.click()
    qtbot.waitUntil(lambda: not row.busy)
    assert row.text.text() == f"Prepared slices on disk: {host.store.size / 1e9:.2f} GB"
    assert host.store.size > 0
    row.clean.click()
    qtbot.waitUntil(lambda: not row.busy)
    assert row.text.text() == "Prepared slices on disk: 0.00 GB"
    assert host.store.size == 0
    assert not panel.precompute.busy


def test_cleaning_up_stops_the_work(open_slow, slow, qtbot):
    panel, _ = open_slow()
    panel.controls.more.click()
    panel.controls.store.clean.click()
    assert not panel.precompute.busy
    qtbot.waitUntil(lambda: not panel.controls.store.busy)
