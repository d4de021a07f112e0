"""A real cluster of two processes, and a model for it."""

from __future__ import annotations

import pytest
from distributed import LocalCluster

from napari_sam.batch.model import WorkersModel
from napari_sam.model.load import digests


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:  # what is set here is set in the workers
        patch.setenv("NAPARI_SAM_EMBEDDINGS", str(tmp_path_factory.mktemp("embeddings")))
        patch.setenv("OMP_NUM_THREADS", "1")
        with LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
        ) as cluster:
            yield cluster


@pytest.fixture
def model():
    return WorkersModel("cells_tiny", digests("cells_tiny")[0], "cpu")
