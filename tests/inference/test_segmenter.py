"""The predictor as a session sees it: embeddings remembered, models loaded late."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from napari_sam import zoo
from napari_sam.errors import CheckpointError
from napari_sam.inference.segmenter import Segmenter, load_segmenter
from napari_sam.model.config import CONFIGS
from napari_sam.model.sam import Sam
from napari_sam.prompts import Prompts


class CountingPredictor:
    def __init__(self, intensity="percentile"):
        entry = replace(zoo.lookup("cells_tiny"), intensity=intensity)
        self.model = SimpleNamespace(entry=entry, device=torch.device("cpu"))
        self.embedded = []

    def embed(self, image, contrast):
        self.embedded.append((image, contrast))
        return object()


def test_the_same_content_is_embedded_once():
    segmenter = Segmenter(CountingPredictor())
    picture = np.arange(12.0).reshape(3, 4)
    first = segmenter.embed(picture)
    assert segmenter.embed(picture.copy()) is first
    assert segmenter.embed(np.asfortranarray(picture)) is first


@pytest.mark.parametrize(
    ("other", "contrast"),
    [
        (np.arange(12.0).reshape(4, 3), None),
        (np.arange(12.0).reshape(3, 4) + 1, None),
        (np.arange(12.0).reshape(3, 4).view(np.int64), None),
        (np.arange(12.0).reshape(3, 4), (0, 5)),
    ],
    ids=["shape", "pixels", "dtype", "contrast"],
)
def test_anything_else_is_embedded_anew(other, contrast):
    segmenter = Segmenter(CountingPredictor())
    first = segmenter.embed(np.arange(12.0).reshape(3, 4))
    assert segmenter.embed(other, contrast) is not first


def test_only_the_latest_are_kept():
    predictor = CountingPredictor()
    segmenter = Segmenter(predictor, keep=2)
    pictures = [np.full((2, 2), value) for value in range(3)]
    for index in (0, 1, 0, 2, 0, 1):
        segmenter.embed(pictures[index])
    assert [int(image[0, 0]) for image, _ in predictor.embedded] == [0, 1, 2, 1]


def test_contrast_of_a_stack_follows_the_models_rule():
    stack = np.linspace(0, 1000, 6000).reshape(6, 25, 40)
    low, high = Segmenter(CountingPredictor()).contrast(stack)
    assert 0 < low < 5
    assert 995 < high < 1000
    assert Segmenter(CountingPredictor("min_max")).contrast(stack) is None


def test_a_model_of_the_zoo_is_loaded_and_told_about(tmp_path, monkeypatch):
    torch.manual_seed(0)
    path = tmp_path / "cells_tiny.safetensors"
    save_file(Sam(CONFIGS["cells_tiny"]).state_dict(), path, {"config": "cells_tiny"})
    monkeypatch.setattr(zoo, "places", lambda entry: [path])
    told = []
    segmenter = load_segmenter("cells_tiny", "cpu", lambda *report: told.append(report))
    assert told == [("Loading cells_tiny", 0, 0)]
    assert segmenter.device == "cpu"
    assert "cpu" in segmenter.devices
    embedding = segmenter.embed(np.random.default_rng(0).random((40, 60)))
    prediction = segmenter.predict(embedding, Prompts(points=[(20, 30)], labels=[1]))
    assert prediction.masks.shape == (3, 40, 60)


def test_a_file_is_loaded_without_asking_the_zoo(tmp_path, monkeypatch):
    torch.manual_seed(0)
    path = tmp_path / "mine.pt"
    torch.save(Sam(CONFIGS["cells_tiny"]).state_dict(), path)
    fetched, told = [], []
    monkeypatch.setattr("napari_sam.inference.segmenter.fetch", lambda *args: fetched.append(args))
    segmenter = load_segmenter(str(path), "cpu", lambda *report: told.append(report))
    assert fetched == []
    assert told == [("Loading mine.pt", 0, 0)]
    embedding = segmenter.embed(np.random.default_rng(0).random((40, 60)))
    prediction = segmenter.predict(embedding, Prompts(points=[(20, 30)], labels=[1]))
    assert prediction.masks.shape == (3, 40, 60)


def test_a_broken_file_says_so(tmp_path):
    path = tmp_path / "broken.safetensors"
    path.write_bytes(b"\x00" * 100)
    with pytest.raises(CheckpointError, match=r"broken.safetensors .*damaged"):
        load_segmenter(str(path), "cpu", lambda *report: None)


def test_importing_it_loads_no_torch():
    code = (
        "import sys, napari_sam.inference.host; "
        "assert not {'torch', 'napari', 'qtpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
