from __future__ import annotations

import threading

import pytest

from napari_sam.serving.host import ModelHost
from napari_sam.widgets import model_use
from napari_sam.widgets.panel import Panel
from tests.fakes import FakeSegmenter
from tests.widgets.conftest import close_at_end, ours


@pytest.fixture
def slow(monkeypatch):
    """A model whose embedding takes until somebody cancels it, or until `slow.go`."""
    monkeypatch.setattr(model_use, "PATIENCE_MS", 50)
    model = FakeSegmenter()
    embed, model.go, model.calls = model.embed, threading.Event(), 0

    def wait(image, contrast=None, pause=None):
        model.calls += 1
        while not model.go.wait(0.01):
            pause()
        return embed(image, contrast)

    model.embed = wait
    yield model
    model.go.set()


@pytest.fixture
def panel(viewer, slow, qtbot):
    panel = Panel(viewer, ModelHost(lambda name, device, report: slow))
    close_at_end(qtbot, panel)
    return panel


def cancel_of(panel, qtbot):
    queries = panel.annotation.queries
    qtbot.waitUntil(lambda: queries.current is not None)
    (answer,) = queries.current.answers
    assert answer.text == "Cancel"
    return queries.current, answer


def test_the_first_embedding_shows_how_much_is_done_and_can_be_cancelled(panel, slow, qtbot):
    ours(panel._viewer, "points").add((10, 20))
    query, answer = cancel_of(panel, qtbot)
    assert "prepared" in query.text
    assert "Preparing the picture: " in panel.controls.area.work.text()
    assert " %" in panel.controls.area.work.text()
    panel.annotation.queries.answer(query, answer)
    assert "Cancelled" in panel.controls.remark.text()
    qtbot.waitUntil(lambda: not panel.jobs.busy)
    assert panel.annotation.session.draft.points == ((10.0, 20.0),)
    assert "Your prompts are kept" in panel.controls.status.text()
    assert panel.annotation.queries.current is None


def test_the_next_click_asks_again(panel, slow, qtbot):
    ours(panel._viewer, "points").add((10, 20))
    panel.annotation.queries.answer(*cancel_of(panel, qtbot))
    qtbot.waitUntil(lambda: not panel.jobs.busy)
    before = slow.calls
    slow.go.set()
    ours(panel._viewer, "points").add((12, 22))
    qtbot.waitUntil(lambda: panel.annotation.session.mask is not None)
    assert slow.calls == before + 1


def test_the_offer_goes_when_the_wait_is_over(panel, slow, qtbot):
    cancel_of(panel, qtbot)
    slow.go.set()
    qtbot.waitUntil(lambda: panel.annotation.queries.current is None)
    assert not panel.jobs.busy


def test_a_cancelled_download_is_not_begun_again_by_a_click(viewer, qtbot, monkeypatch):
    monkeypatch.setattr(model_use, "PATIENCE_MS", 50)
    began, stopped = [], threading.Event()

    def load(name, device, report):
        began.append(name)
        try:
            for done in range(10_000):
                report(f"Downloading {name}", done, 10_000)
                stopped.wait(0.005)
        except BaseException:
            stopped.set()
            raise

    panel = Panel(viewer, ModelHost(load))
    close_at_end(qtbot, panel)
    query, answer = cancel_of(panel, qtbot)
    assert "downloaded" in query.text
    monkeypatch.setattr(type(panel.controls.model), "ready", False)
    panel.annotation.queries.answer(query, answer)
    qtbot.waitUntil(stopped.is_set)
    qtbot.waitUntil(lambda: not panel.jobs.busy)
    ours(viewer, "points").add((10, 20))
    qtbot.wait(50)
    assert len(began) == 1
    assert "Download" in panel.controls.status.text()
