"""The predictor as a session sees it: embeddings remembered, models loaded late."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from napari_sam.errors import CheckpointError
from napari_sam.inference.automatic.settings import GridSettings
from napari_sam.inference.predictor import Predictor
from napari_sam.inference.propagation.settings import PropagateSettings
from napari_sam.inference.store.memory import MemoryStore
from napari_sam.inference.store.store import EmbeddingStore
from napari_sam.model.config import CONFIGS
from napari_sam.model.sam import Sam
from napari_sam.prompts import Prompts
from napari_sam.serving.segmenter import StoredSegmenter, load_segmenter
from napari_sam.zoo import catalogue
from tests.model.sam2.peers import tiny_predictor


@pytest.fixture
def store():
    return EmbeddingStore(MemoryStore(10**9))


def segmenter_of(store, intensity="percentile"):
    """Return a segmenter with random weights that are known by a hash."""
    torch.manual_seed(0)
    model = Sam(CONFIGS["cells_tiny"]).eval()
    model.entry = replace(catalogue.lookup("cells_tiny"), sha256="ab" * 32, intensity=intensity)
    return StoredSegmenter(Predictor(model), store)


def test_the_same_content_is_embedded_once(store):
    segmenter = segmenter_of(store)
    picture = np.arange(120.0).reshape(10, 12)
    assert segmenter.keep(picture) > 0
    first = segmenter.embed(picture)
    assert segmenter.embed(picture.copy()) is not None
    assert segmenter.embed(picture, (0, 5)).contrast != first.contrast
    assert store.made == 2


def test_contrast_of_a_stack_follows_the_models_rule(store):
    stack = np.linspace(0, 1000, 6000)
    low, high = segmenter_of(store).contrast(stack)
    assert 0 < low < 5
    assert 995 < high < 1000
    assert segmenter_of(store, "min_max").contrast(stack) == (0, 1000)


def test_a_model_with_a_memory_follows_with_it_and_gives_way_meanwhile(store):
    predictor = tiny_predictor()
    predictor.model.entry = replace(catalogue.lookup("sam2_tiny"), sha256="cd" * 32)
    segmenter = StoredSegmenter(predictor, store)
    stack = np.random.default_rng(0).integers(0, 255, (3, 20, 30), dtype=np.uint8)
    seed = np.zeros((20, 30), bool)
    seed[:12, :15] = True
    for image in stack:
        segmenter.keep(image, (0, 255))
    free = PropagateSettings(
        min_score=0, min_relative_score=0, min_overlap=0, max_area_change=1e6, min_likeness=0
    )
    paused = []
    steps = segmenter.propagate(stack, {1: {1: seed}}, free, (0, 255), lambda: paused.append(1))
    assert [step.index for step in steps] == [1, 2, 0]
    assert store.made == 3  # what was prepared serves the memory, too
    assert len(paused) == 2 * 4  # layers of its attention


@pytest.mark.parametrize(("width", "total"), [(48, 2), (2100, 3)])
def test_a_large_picture_is_searched_in_tiles(store, width, total):
    picture = np.zeros((40, width))
    picture[10:30, 10:30] = 1
    where = np.zeros(picture.shape, bool)
    where[:, :32] = True
    grid = GridSettings("grid", points_per_side=2)
    steps = list(segmenter_of(store).find(picture, grid, where, None, lambda: None))
    assert steps[-1].total == total  # points, or tiles
    assert steps[-1].result.kept is not None


def test_a_model_of_the_zoo_is_loaded_and_told_about(tmp_path, monkeypatch, store):
    torch.manual_seed(0)
    path = tmp_path / "cells_tiny.safetensors"
    save_file(Sam(CONFIGS["cells_tiny"]).state_dict(), path, {"config": "cells_tiny"})
    monkeypatch.setattr(catalogue, "places", lambda entry: [path])
    told = []
    segmenter = load_segmenter("cells_tiny", "cpu", lambda *report: told.append(report), store)
    assert told == [("Loading cells_tiny", 0, 0)]
    assert segmenter.device == "cpu"
    assert "cpu" in segmenter.devices
    embedding = segmenter.embed(np.random.default_rng(0).random((40, 60)))
    prediction = segmenter.predict(embedding, Prompts(points=[(20, 30)], labels=[1]))
    assert prediction.masks.shape == (3, 40, 60)


def test_a_file_is_loaded_without_asking_the_zoo(tmp_path, monkeypatch, store):
    torch.manual_seed(0)
    path = tmp_path / "mine.pt"
    torch.save(Sam(CONFIGS["cells_tiny"]).state_dict(), path)
    fetched, told = [], []
    monkeypatch.setattr("napari_sam.serving.segmenter.fetch", lambda *args: fetched.append(args))
    segmenter = load_segmenter(str(path), "cpu", lambda *report: told.append(report), store)
    assert fetched == []
    assert told == [("Loading mine.pt", 0, 0)]
    embedding = segmenter.embed(np.random.default_rng(0).random((40, 60)))
    prediction = segmenter.predict(embedding, Prompts(points=[(20, 30)], labels=[1]))
    assert prediction.masks.shape == (3, 40, 60)


def test_a_broken_file_says_so(tmp_path, store):
    path = tmp_path / "broken.safetensors"
    path.write_bytes(b"\x00" * 100)
    with pytest.raises(CheckpointError, match=r"broken.safetensors .*damaged"):
        load_segmenter(str(path), "cpu", lambda *report: None, store)


def test_importing_it_loads_no_torch():
    code = (
        "import sys, napari_sam.serving.host; "
        "assert not {'torch', 'napari', 'qtpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
