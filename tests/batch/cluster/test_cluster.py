"""A cluster that is not there, or not fit for the work, is told apart before anything is done."""

from __future__ import annotations

import gc
import sys
from dataclasses import replace
from pathlib import Path

import distributed
import pytest
from distributed import LocalCluster

import napari_sam
from napari_sam.batch import cluster as way
from napari_sam.batch.cluster import check_folders, check_model, check_versions, connected
from napari_sam.errors import ClusterError


@pytest.fixture
def client(cluster):
    with connected(cluster.scheduler_address) as client:
        yield client


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nowhere"])
def test_an_address_that_does_not_answer_is_named(address, monkeypatch):
    monkeypatch.setattr(way, "PATIENCE", 0.3)
    with (
        pytest.raises(ClusterError, match=rf"no scheduler answers at {address}"),
        connected(address),
    ):
        pass


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nowhere"])
def test_a_client_that_failed_does_not_hold_up_the_next(address, monkeypatch):
    """What it left is collected in the thread of the next loop, which thus has nothing to close."""
    monkeypatch.setattr(way, "PATIENCE", 0.3)

    def collect():
        gc.collect()

    monkeypatch.setattr(distributed.utils, "get_loop_factory", collect)
    collect()
    gc.disable()
    try:
        with pytest.raises(ClusterError), connected(address):
            pass
        LocalCluster(n_workers=0, dashboard_address=":0").close()
    finally:
        gc.enable()


def test_a_cluster_without_workers_is_refused(monkeypatch):
    monkeypatch.setattr(way, "PATIENCE", 0.3)
    with (
        LocalCluster(n_workers=0, dashboard_address=":0") as empty,
        pytest.raises(ClusterError, match="has no workers"),
        connected(empty.scheduler_address),
    ):
        pass


def test_what_is_missing_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ClusterError, match=r"napari-sam\[cluster\]"), connected("tcp://any:1"):
        pass


def test_workers_need_the_version_that_is_here(client, monkeypatch):
    check_versions(client)
    monkeypatch.setattr(napari_sam, "__version__", "9.9", raising=False)
    with pytest.raises(ClusterError, match=r"need napari-sam 9\.9.*tcp://.*: 1\."):
        check_versions(client)


def test_workers_need_napari_sam(monkeypatch):
    class Bare:
        def get_versions(self, packages):
            return {"workers": {"tcp://bare:1": {"packages": dict.fromkeys(packages)}}}

    with pytest.raises(ClusterError, match="tcp://bare:1: none"):
        check_versions(Bare())


def test_workers_need_the_weights_that_are_here(client, model):
    check_model(client, model)
    with pytest.raises(ClusterError, match=r"its weights are sha256:\w+, but sha256:00 where"):
        check_model(client, replace(model, digest="sha256:00"))
    with pytest.raises(ClusterError, match=r"napari-sam is 1\..*, but 9\.9 where"):
        check_model(client, replace(model, version="9.9"))


def test_a_folder_that_workers_do_not_see_is_named(client, monkeypatch, tmp_path):
    check_folders(client, [tmp_path])
    monkeypatch.chdir(tmp_path)  # the workers are elsewhere
    with pytest.raises(ClusterError, match=r"tcp://.* does not see what is written to \."):
        check_folders(client, [Path()])
    assert not list(tmp_path.iterdir())
