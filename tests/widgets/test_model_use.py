from __future__ import annotations

import threading

import pytest
from napari.components import ViewerModel

from napari_sam.serving.host import ModelHost
from napari_sam.widgets import model_use
from napari_sam.widgets.panel import Panel
from tests.fakes import FakeSegmenter
from tests.widgets.conftest import close_at_end, ours, picture


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


@pytest.fixture
def empty(qtbot, monkeypatch):
    """A panel without a picture whose model is downloaded until `empty.stopped`."""
    monkeypatch.setattr(model_use, "PATIENCE_MS", 50)
    stopped = threading.Event()

    def load(name, device, report):
        try:
            for done in range(100_000):
                report(f"Downloading {name}", done, 100_000)
                stopped.wait(0.005)
        except BaseException:
            stopped.set()
            raise
        return FakeSegmenter()

    panel = Panel(ViewerModel(), ModelHost(load))
    panel.stopped = stopped
    close_at_end(qtbot, panel)
    return panel


def cancel_button(panel, qtbot):
    """Return the button on show in the status area."""
    row = panel.controls.area.query
    qtbot.waitUntil(lambda: [one.text() for one in row.buttons] == ["Cancel"])
    assert "downloaded" in row.text.text()
    return row.buttons[0]


def test_a_download_can_be_cancelled_while_no_picture_is_open(empty, qtbot, monkeypatch):
    button = cancel_button(empty, qtbot)
    assert "Downloading" in empty.controls.area.work.text()
    assert not empty.controls.area.query.isHidden()
    monkeypatch.setattr(type(empty.controls.model), "ready", False)
    button.click()
    qtbot.waitUntil(empty.stopped.is_set)
    qtbot.waitUntil(lambda: not empty.jobs.busy)
    assert empty.controls.area.query.isHidden()
    assert empty.controls.area.work.isHidden()
    assert "Download fetches it" in empty.controls.remark.text()
    assert empty.model_use.model is None


def test_the_offer_to_cancel_goes_with_the_picture(empty, qtbot):
    cancel_button(empty, qtbot)
    layer = empty._viewer.add_image(picture(40, 60))
    assert empty.annotation.queries.current.kind == "wait"
    assert empty.queries.idle.current is None
    cancel_button(empty, qtbot)
    empty._viewer.layers.remove(layer)
    cancel_button(empty, qtbot).click()
    qtbot.waitUntil(empty.stopped.is_set)
    qtbot.waitUntil(lambda: not empty.jobs.busy)
    assert empty.controls.area.query.isHidden()


def test_a_load_says_that_it_takes_some_seconds(viewer, qtbot, monkeypatch):
    monkeypatch.setattr(model_use, "PATIENCE_MS", 50)
    go = threading.Event()

    def load(name, device, report):
        report(f"Loading {name}", 0, 0)
        go.wait(20)
        return FakeSegmenter()

    panel = Panel(viewer, ModelHost(load))
    close_at_end(qtbot, panel)
    query, _ = cancel_of(panel, qtbot)
    assert "some seconds" in query.text
    assert panel.controls.area.work.text().endswith("some seconds…")
    go.set()
    qtbot.waitUntil(lambda: panel.annotation.queries.current is None)


def test_a_cluster_chosen_once_more_is_looked_for_anew_and_prompts_stay(viewer, qtbot):
    address, loads = "tcp://10.0.0.5:8786", []

    def load(name, device, report):
        loads.append(device)
        return FakeSegmenter()

    panel = Panel(viewer, ModelHost(load))
    close_at_end(qtbot, panel)
    panel.controls.device.offer([address])
    panel.controls.device.setCurrentText(address)
    ours(viewer, "points").add((10, 20))
    qtbot.waitUntil(lambda: not panel.jobs.busy)
    assert loads[-1] == address
    count = len(loads)
    panel.controls.device.chosen_again.emit()
    qtbot.waitUntil(lambda: not panel.jobs.busy)
    assert loads[count:] == [address]
    assert panel.annotation.session.draft.points == ((10.0, 20.0),)
    assert panel.annotation.session.mask is not None
