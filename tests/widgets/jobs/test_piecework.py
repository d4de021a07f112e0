"""Long work in pieces: one after another, until it is done, cancelled or nobody is there for it."""

from __future__ import annotations

import threading
from concurrent.futures import CancelledError

import pytest
from qtpy.QtCore import QObject

from napari_sam.serving.host import HostedModel
from napari_sam.widgets.jobs.piecework import Piecework
from tests.fakes import FakeSegmenter


@pytest.fixture
def model():
    return HostedModel("fake", "cpu", lambda *_: FakeSegmenter())


class Endless:
    """A piece that pauses until somebody stops it."""

    def __init__(self):
        self.began, self.stopped = threading.Event(), threading.Event()

    def __call__(self, segmenter, pause):
        self.began.set()
        try:
            while not self.stopped.wait(0.005):
                pause()
        except CancelledError:
            self.stopped.set()
            raise


def test_pieces_are_told_in_order(model, qtbot):
    work, told = Piecework(later=True), []
    work.stepped.connect(told.append)
    work.ended.connect(lambda: told.append("end"))
    work.start(model, [lambda *_, n=n: n for n in range(3)])
    assert work.busy
    qtbot.waitUntil(lambda: not work.busy)
    assert told == [0, 1, 2, "end"]


def test_an_error_drops_what_was_left(model, qtbot):
    work, told = Piecework(later=False), []
    work.stepped.connect(told.append)
    work.failed.connect(told.append)
    work.start(model, [lambda *_: 1 / 0, lambda *_: 2])
    qtbot.waitUntil(lambda: not work.busy)
    qtbot.wait(50)
    assert [type(one) for one in told] == [ZeroDivisionError]


def test_what_is_cancelled_stops_at_its_next_pause_and_says_nothing(model, qtbot):
    work, told, piece = Piecework(later=False), [], Endless()
    for signal in (work.stepped, work.failed):
        signal.connect(told.append)
    work.ended.connect(lambda: told.append("end"))
    work.start(model, [piece])
    assert piece.began.wait(10)
    work.cancel()
    assert piece.stopped.wait(10)
    qtbot.wait(50)
    assert told == []


def test_other_pieces_take_the_place_of_those_under_way(model, qtbot):
    work, told, piece = Piecework(later=False), [], Endless()
    work.stepped.connect(told.append)
    work.start(model, [piece])
    assert piece.began.wait(10)
    work.start(model, [lambda *_: "new"])
    qtbot.waitUntil(lambda: not work.busy)
    assert piece.stopped.is_set()
    assert told == ["new"]


def test_it_stops_with_its_owner(model, qtbot):
    owner, piece = QObject(), Endless()
    work = Piecework(later=False, parent=owner)
    work.start(model, [piece])
    assert piece.began.wait(10)
    owner.deleteLater()
    qtbot.waitUntil(piece.stopped.is_set)
