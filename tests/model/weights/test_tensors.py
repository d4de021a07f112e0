"""Weights that are no numbers, or not the numbers that models compute with, are never used."""

from __future__ import annotations

import numpy as np
import pytest
import safetensors.torch
import torch

from napari_sam.errors import CheckpointError
from napari_sam.model.weights.checkpoint import read_checkpoint

X = torch.arange(6.0).reshape(2, 3)


def written(path, state):
    """A file of torch or safetensors, by the ending."""
    if path.suffix == ".safetensors":
        safetensors.torch.save_file(state, path)
    else:
        torch.save(state, path, _use_new_zipfile_serialization=path.suffix == ".pt")
    return path


@pytest.mark.parametrize("ending", ["pt", "pth", "safetensors"])
@pytest.mark.parametrize(
    ("value", "words"),
    [
        (torch.full((2, 3), torch.nan), "not finite"),
        (torch.tensor([1.0, -torch.inf], dtype=torch.float16), "not finite"),
        (torch.tensor([0.0, torch.nan], dtype=torch.bfloat16), "not finite"),
        (torch.tensor([1e300], dtype=torch.float64), "not finite"),  # no float32
        (X.to(torch.complex64), "holds complex64"),
    ],
)
def test_values_that_are_no_weights_are_refused(tmp_path, ending, value, words):
    path = written(tmp_path / f"w.{ending}", {"good": X, "a.weight": value})
    with pytest.raises(CheckpointError, match=rf"{path.name} holds.*a\.weight.*{words}.*another"):
        read_checkpoint(path)


@pytest.mark.filterwarnings("ignore::UserWarning")  # torch's, of kinds that are young or old
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: X.to(torch.float8_e4m3fn), "holds float8_e4m3fn"),
        (lambda: torch.quantize_per_tensor(X, 0.1, 0, torch.qint8), "holds qint8"),
        (lambda: X.to_sparse(), "no full table"),
        (lambda: X.to_sparse_csr(), "no full table"),
        (lambda: torch.empty(10**15, device="meta"), "no full table"),
        (lambda: torch.ones(1).expand(10**12), "larger than its content"),
    ],
)
def test_tensors_that_are_no_plain_tables_are_refused(tmp_path, make, words):
    path = written(tmp_path / "w.pt", {"a.weight": make()})
    with pytest.raises(CheckpointError, match=rf"a\.weight.*{words}"):
        read_checkpoint(path)


def test_variances_below_zero_are_refused(tmp_path):
    path = written(tmp_path / "w.pt", {"norm.running_var": torch.tensor([1.0, -0.5])})
    with pytest.raises(CheckpointError, match="variances below zero"):
        read_checkpoint(path)


def test_one_table_under_ten_thousand_names_takes_no_memory(tmp_path):
    one = torch.ones(200_000)
    path = written(tmp_path / "w.pt", {f"w{i}": one for i in range(10_000)})
    with pytest.raises(CheckpointError, match="many times over"):
        read_checkpoint(path)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("ending", ["pt", "pth", "safetensors"])
def test_other_precisions_are_read(tmp_path, dtype, ending):
    state, _ = read_checkpoint(written(tmp_path / f"w.{ending}", {"a": X.to(dtype)}))
    assert torch.equal(state["a"].float(), X)


def test_what_is_read_lies_in_memory_of_its_own(tmp_path):
    """Turned, shared and cut tables of a file become tables that training can write into."""
    path = written(tmp_path / "w.pt", {"turned": X.t(), "same": X, "cut": X[:, 1]})
    state, _ = read_checkpoint(path)
    state["same"] += 1
    np.testing.assert_array_equal(state["turned"], X.t())
    np.testing.assert_array_equal(state["cut"], [1, 4])
    assert all(value.is_contiguous() for value in state.values())
    assert state["cut"].untyped_storage().nbytes() == 8
    assert torch.equal(read_checkpoint(path)[0]["same"], X)


@pytest.mark.parametrize("key", [1, None, (1, 2), b"a"])
def test_keys_that_are_no_text_are_refused(tmp_path, key):
    with pytest.raises(CheckpointError, match="no names"):
        read_checkpoint(written(tmp_path / "w.pt", {"a": X, key: X}))


def test_long_keys_do_not_fill_the_message(tmp_path):
    path = written(tmp_path / "w.pt", {"k" * 100_000: torch.tensor(torch.nan)})
    with pytest.raises(CheckpointError, match="kkk") as caught:
        read_checkpoint(path)
    assert len(str(caught.value)) < 1000
