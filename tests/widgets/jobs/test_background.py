"""Work off the window's thread: in order, told in the window's thread, and never after the end."""

from __future__ import annotations

import threading
from concurrent.futures import Future

import pytest
from qtpy.QtCore import QObject

from napari_sam.widgets.jobs.background import Background, Watcher


@pytest.fixture
def background(qtbot):
    background = Background("test")
    yield background
    background.close()


def idle(background):
    return lambda: not background.busy


def test_work_is_done_elsewhere_and_told_here(background, qtbot):
    told = []
    future = background.submit(
        lambda: threading.current_thread().name,
        lambda done: told.append((done, threading.current_thread())),
    )
    assert background.busy
    qtbot.waitUntil(idle(background))
    assert told == [(future, threading.main_thread())]
    assert future.result().startswith("napari-sam test")


def test_one_after_another(background, qtbot):
    order = []
    gate = threading.Event()
    background.submit(lambda: (gate.wait(10), order.append(1)), lambda _: order.append("a"))
    background.submit(lambda: order.append(2), lambda _: order.append("b"))
    gate.set()
    qtbot.waitUntil(idle(background))
    assert [one for one in order if one in (1, 2)] == [1, 2]
    assert [one for one in order if one in ("a", "b")] == ["a", "b"]


def test_an_error_is_told(background, qtbot):
    told = []
    background.submit(lambda: 1 / 0, told.append)
    qtbot.waitUntil(idle(background))
    assert isinstance(told[0].exception(), ZeroDivisionError)


def test_what_is_cancelled_is_told(background, qtbot):
    told, gate = [], threading.Event()
    background.submit(lambda: gate.wait(10), lambda _: None)
    waits = background.submit(lambda: None, told.append)
    assert waits.cancel()
    gate.set()
    qtbot.waitUntil(idle(background))
    assert told == [waits]


def test_nobody_is_called_at_once_also_where_all_is_done(qtbot):
    watcher, told, done = Watcher(), [], Future()
    done.set_result(3)
    watcher.watch(done, told.append)
    assert told == []
    qtbot.waitUntil(idle(watcher))
    assert told == [done]


def test_a_watcher_waits_for_what_others_do(qtbot):
    watcher, told, future = Watcher(), [], Future()
    watcher.watch(future, lambda one: told.append(threading.current_thread()))
    threading.Thread(target=future.set_result, args=(1,)).start()
    qtbot.waitUntil(idle(watcher))
    assert told == [threading.main_thread()]


def test_after_the_end_nobody_is_called_and_nothing_begun(background, qtbot):
    began, gate, done = threading.Event(), threading.Event(), []
    running = background.submit(lambda: (began.set(), gate.wait(10)), done.append)
    waits = background.submit(lambda: done.append("waited"), done.append)
    assert began.wait(10)
    background.close()
    assert background.submit(lambda: done.append("late"), done.append).cancelled()
    gate.set()
    assert running.result(10)
    assert waits.cancelled()
    qtbot.wait(50)
    assert done == []


def test_what_is_to_be_written_is_finished(background, qtbot):
    gate, written, told = threading.Event(), [], []
    background.submit(lambda: gate.wait(10), told.append)
    waits = background.submit(lambda: written.append(1), told.append)
    background.close(finish=True)
    gate.set()
    waits.result(10)
    qtbot.wait(50)
    assert written == [1]
    assert told == []


def test_what_was_on_its_way_at_the_end_is_not_told(background, qtbot):
    told = []
    background.submit(lambda: 1, told.append).result(10)
    background.close()
    qtbot.wait(50)
    assert told == []


def test_it_ends_with_its_owner(qtbot, caplog):
    owner, gate, told = QObject(), threading.Event(), []
    background = Background("test", owner)
    running = background.submit(lambda: gate.wait(10), told.append)
    owner.deleteLater()
    qtbot.wait(50)
    gate.set()
    assert running.result(10)
    qtbot.wait(50)
    assert told == []
    assert not caplog.records  # as there would be of a signal that is gone
    background._thread.shutdown()
