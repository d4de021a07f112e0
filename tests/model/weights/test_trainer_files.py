"""Of a trainer's checkpoint the tensors are read, and nothing else is made or run."""

from __future__ import annotations

import os
import zipfile
from collections import OrderedDict
from functools import partial

import pytest
import torch

from napari_sam.errors import CheckpointError
from napari_sam.model.weights.torch_files import read_torch

VALUES = torch.arange(12.0)
OBJECT = partial(os.getcwd)


def read(tmp_path, content, parts=("model_state",)):
    torch.save(content, tmp_path / "best.pt")
    return read_torch(tmp_path / "best.pt", parts)


def test_all_kinds_of_tensors_come_back(tmp_path):
    weights = OrderedDict(
        whole=VALUES,
        part=VALUES[2:8].reshape(2, 3).T,
        parameter=torch.nn.Parameter(VALUES[:2].clone()),
        half=VALUES.half(),
        brain=VALUES.bfloat16(),
        double=VALUES.double(),
        count=torch.tensor(3),
        nothing=torch.zeros(0, 4),
        truth=VALUES > 3,
    )
    weights._metadata = {"version": 1}  # as of every state dict
    found = read(tmp_path, {"model_state": weights, "other": OBJECT})
    assert found.keys() == {"model_state"}
    assert found["model_state"].keys() == weights.keys()
    for key, value in found["model_state"].items():
        assert value.dtype == weights[key].dtype
        assert torch.equal(value, weights[key]), key


def test_only_the_parts_that_are_asked_for_are_read(tmp_path):
    content = {"model_state": {"a": VALUES}, "optimizer_state": {"b": VALUES}, "other": OBJECT}
    assert read(tmp_path, content).keys() == {"model_state"}
    with pytest.raises(CheckpointError, match="Python objects in place of weights"):
        read(tmp_path, content, parts=())


@pytest.mark.parametrize("content", [OBJECT, {"model_state": OBJECT}, [OBJECT, {"a": VALUES}]])
def test_objects_in_place_of_tables_are_refused(tmp_path, content):
    with pytest.raises(CheckpointError, match="Python objects in place of weights"):
        read(tmp_path, content)


def changed(tmp_path, change):
    """A trainer's checkpoint, written anew with changes."""
    torch.save({"model_state": {"a": VALUES}, "other": OBJECT}, tmp_path / "best.pt")
    path = tmp_path / "changed.pt"
    with zipfile.ZipFile(tmp_path / "best.pt") as source, zipfile.ZipFile(path, "w") as file:
        for name in source.namelist():
            file.writestr(name, change(name.rpartition("/")[2], source.read(name)))
    return path


@pytest.mark.parametrize(
    ("part", "old", "new"),
    [
        ("data.pkl", b"K\x0c\x85", b"K\xff\x85"),  # a table longer than its values
        ("data.pkl", b"K\x00K\x0c\x85", b"K\x01K\x0c\x85"),  # or behind them
        ("byteorder", b"little", b"big"),
        ("data.pkl", b"X\x01\x00\x00\x000", b"X\x01\x00\x00\x009"),  # values that are not there
    ],
)
def test_tables_that_are_not_in_the_file_are_refused(tmp_path, part, old, new):
    def change(name, content):
        if name != part:
            return content
        assert old in content
        return content.replace(old, new)

    with pytest.raises(CheckpointError, match="damaged, incomplete or no weights file"):
        read_torch(changed(tmp_path, change), ("model_state",))
    same = read_torch(changed(tmp_path, lambda name, content: content), ("model_state",))
    assert torch.equal(same["model_state"]["a"], VALUES)
