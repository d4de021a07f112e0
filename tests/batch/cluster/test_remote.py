"""Images that a cluster embeds: the same as here, and nothing is lost where it fails."""

from __future__ import annotations

import os
import signal
import time

import numpy as np
import pytest
from distributed import LocalCluster

import napari_sam
from napari_sam import Prompts
from napari_sam.batch import cluster as way
from napari_sam.batch.remote import predictor as remote
from napari_sam.batch.remote.host import load_anywhere
from napari_sam.errors import InputError
from napari_sam.inference.store.memory import MemoryStore
from napari_sam.inference.store.store import EmbeddingStore
from napari_sam.serving.segmenter import load_segmenter

CLICK = Prompts(points=[(24, 30)], labels=[1])


@pytest.fixture
def picture():
    rows, columns = np.indices((48, 64))
    return np.where(np.hypot(rows - 24, columns - 30) < 9, 180, 20).astype(np.uint8)


def open_at(address, report=lambda *_: None):
    return load_anywhere("cells_tiny", address, report, EmbeddingStore(MemoryStore(10**8)))


def test_a_worker_embeds_and_the_mask_is_the_same_as_here(cluster, picture):
    said = []
    there = open_at(cluster.scheduler_address, lambda what, *_: said.append(what))
    assert said[-1] == f"Asking the workers of {cluster.scheduler_address}"
    here = load_segmenter("cells_tiny", "cpu", lambda *_: None, EmbeddingStore(MemoryStore(10**8)))
    asked = []
    there.embed(picture, pause=lambda: asked.append(1))
    assert asked  # while the worker had it, what is urgent could be done here
    assert (there.device, there.news()) == (cluster.scheduler_address, "")
    masks = [one.predict(one.embed(picture), CLICK).masks for one in (there, here)]
    np.testing.assert_array_equal(*masks)
    assert there._store.made == 1  # kept here


def test_prompts_go_before_what_is_prepared_ahead(cluster, picture, monkeypatch):
    there, priorities = open_at(cluster.scheduler_address), []

    def answer(client, priority, pause, *arguments):
        priorities.append(priority)
        if priority == remote.LATER:
            there.embed(picture + 1)  # of a prompt, in a pause
        return remote._embed(*arguments)

    monkeypatch.setattr(remote, "_answer", answer)
    there.keep(picture)
    there.keep(picture + 2)
    assert priorities == [remote.LATER, remote.URGENT, remote.LATER]


def test_bad_pictures_are_refused_as_here(cluster):
    there = open_at(cluster.scheduler_address)
    with pytest.raises(InputError, match="picture"):
        there.embed(np.zeros((0, 4), np.uint8))
    assert there.device == cluster.scheduler_address


def test_who_wants_no_answer_any_more_stops_it(cluster, picture):
    there = open_at(cluster.scheduler_address)

    def stop():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        there.embed(picture, pause=stop)
    assert there.news() == ""
    assert there.embed(picture).shape == (48, 64)


def test_a_worker_killed_in_mid_embedding_is_no_loss(cluster, picture):
    there = open_at(cluster.scheduler_address)
    client = there.predictor._client
    pids, killed = client.run(os.getpid), []

    def kill():
        busy = [worker for worker, tasks in client.processing().items() if tasks]
        if busy and not killed:
            killed.append(busy[0])
            os.kill(pids[busy[0]], signal.SIGKILL)

    assert there.embed(picture, pause=kill).shape == (48, 64)
    assert killed
    assert there.news() == ""


def test_without_a_scheduler_the_work_goes_on_here_with_a_word(picture, monkeypatch):
    with LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=":0"
    ) as own:
        there = open_at(own.scheduler_address)
        assert there.embed(picture).shape == (48, 64)
    time.sleep(0.5)
    assert there.embed(picture + 1).shape == (48, 64)
    assert there.device == "cpu"
    assert "prepared on this machine now" in there.news()
    assert there.news() == ""


def test_an_address_that_does_not_answer_is_told(picture, monkeypatch):
    monkeypatch.setattr(way, "PATIENCE", 0.3)
    there = open_at("tcp://127.0.0.1:9")
    assert "no scheduler answers at tcp://127.0.0.1:9" in there.news()
    assert there.predict(there.embed(picture), CLICK).masks.shape == (3, 48, 64)


def test_workers_of_another_version_are_not_used(cluster, picture, monkeypatch):
    monkeypatch.setattr(napari_sam, "__version__", "99.0")
    there = open_at(cluster.scheduler_address)
    assert "all need napari-sam 99.0" in there.news()
    assert there.device == "cpu"
