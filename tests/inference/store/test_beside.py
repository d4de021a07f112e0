"""Work beside a thread that has something better to do."""

import threading

import pytest

from napari_sam.inference.store.beside import run_beside


@pytest.mark.parametrize("pause", [None, lambda: None])
def test_what_the_work_returns_and_raises_comes_through(pause):
    assert run_beside(lambda: 3, pause) == 3
    with pytest.raises(ZeroDivisionError):
        run_beside(lambda: 1 // 0, pause)


def test_the_pauses_go_on_while_it_works():
    paused = threading.Event()
    assert run_beside(lambda: paused.wait(10), paused.set)


def test_an_exception_in_a_pause_waits_for_the_work():
    stopped, ended = threading.Event(), []

    def pause():
        stopped.set()
        raise KeyboardInterrupt

    def work():
        stopped.wait(10)
        ended.append(True)

    with pytest.raises(KeyboardInterrupt):
        run_beside(work, pause)
    assert ended
