"""The queue of a model's thread."""

from __future__ import annotations

import threading

import pytest

from napari_sam.inference.store.memory import MemoryStore
from napari_sam.inference.store.store import EmbeddingStore
from napari_sam.serving.host import ModelHost


def quiet(*report):
    pass


@pytest.fixture
def model():
    host = ModelHost(lambda *what: "segmenter", EmbeddingStore(MemoryStore(0)))
    return host.model("any")


@pytest.fixture
def held(model):
    """Hold the model's thread up until the event is set."""
    go, begun = threading.Event(), threading.Event()

    def wait(segmenter):
        begun.set()
        assert go.wait(10)

    model.submit(wait, quiet)
    assert begun.wait(10)
    yield go
    go.set()


def test_what_can_wait_lets_all_others_go_first(model, held):
    order = []
    later = model.submit(lambda _: order.append("later"), quiet, later=True)
    model.submit(lambda _: order.append("first"), quiet)
    model.submit(lambda _: order.append("second"), quiet)
    held.set()
    later.result(10)
    assert order == ["first", "second", "later"]


def test_a_job_that_gives_way_is_taken_up_again(model):
    order, threads = [], set()

    def note(what):
        order.append(what)
        threads.add(threading.current_thread())

    def long(segmenter):
        note("begin")
        prompts = [model.submit(lambda _, n=n: note(n), quiet) for n in range(2)]
        second = model.submit(lambda _: note("other"), quiet, later=True)
        model.give_way()
        assert all(prompt.done() for prompt in prompts)
        assert not second.done()
        note("end")
        return second

    model.submit(long, quiet, later=True).result(10).result(10)
    assert order == ["begin", 0, 1, "end", "other"]
    assert len(threads) == 1


def test_what_is_urgent_is_not_held_up_itself(model):
    order = []

    def prompt(segmenter):
        other = model.submit(lambda _: order.append("second"), quiet)
        model.give_way()
        order.append("first")
        return other

    def long(segmenter):
        urgent = model.submit(prompt, quiet)
        model.give_way()
        return urgent

    model.submit(long, quiet, later=True).result(10).result(10).result(10)
    assert order == ["first", "second"]


def test_an_error_of_what_is_urgent_is_its_own(model):
    def fail(segmenter):
        raise ValueError("urgent")

    def long(segmenter):
        prompt = model.submit(fail, quiet)
        model.give_way()
        return prompt

    prompt = model.submit(long, quiet, later=True).result(10)
    with pytest.raises(ValueError, match="urgent"):
        prompt.result(10)


def test_a_cancelled_job_never_runs(model, held):
    ran = []
    job = model.submit(ran.append, quiet, later=True)
    assert job.cancel()
    held.set()
    model.submit(lambda _: None, quiet, later=True).result(10)
    assert ran == []


def test_glances_go_after_prompts_and_before_what_is_done_later(model, held):
    order = []
    kinds = ("later", {"later": True}), ("glance", {"glance": True}), ("prompt", {})
    jobs = [
        model.submit(lambda _, name=name: order.append(name), quiet, **kind) for name, kind in kinds
    ]
    held.set()
    for job in jobs:
        job.result(10)
    assert order == ["prompt", "glance", "later"]


def test_long_work_gives_way_to_glances(model):
    order = []

    def long(segmenter):
        jobs = [
            model.submit(lambda _: order.append("glance"), quiet, glance=True),
            model.submit(lambda _: order.append("prompt"), quiet),
        ]
        model.give_way()
        assert all(job.done() for job in jobs)

    model.submit(long, quiet, later=True).result(10)
    assert order == ["prompt", "glance"]
