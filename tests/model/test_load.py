from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
import safetensors.torch
import torch

from napari_sam.errors import CheckpointError, DeviceError, InputError
from napari_sam.files import file_hash
from napari_sam.model import load
from napari_sam.model.config import CONFIGS
from napari_sam.model.load import load_model, pick_device
from napari_sam.model.sam import Sam
from napari_sam.settings import Settings
from napari_sam.zoo import catalogue


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    """Nobody's own files and settings take part."""
    monkeypatch.setenv("NAPARI_SAM_MODELS", str(tmp_path / "ours"))
    monkeypatch.setenv("MICROSAM_CACHEDIR", str(tmp_path / "micro_sam"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(load, "load_settings", Settings)
    return tmp_path


@pytest.fixture(scope="module")
def state():
    torch.manual_seed(0)
    return Sam(CONFIGS["cells_tiny"]).state_dict()


def check(model, state, tolerance=0.0):
    assert not model.training
    for key, value in model.state_dict().items():
        assert value.device.type == "cpu"
        assert value.dtype == (torch.float32 if state[key].is_floating_point() else torch.int64)
        torch.testing.assert_close(value, state[key], rtol=tolerance, atol=tolerance)
    assert not any(parameter.requires_grad for parameter in model.parameters())


def test_a_file_of_ones_own_is_recognised(tmp_path, state):
    path = tmp_path / "finetuned.pt"
    torch.save(state, path)
    model = load_model(path, "cpu")
    check(model, state)
    assert model.config is CONFIGS["cells_tiny"]
    assert model.entry.name == "finetuned"
    assert model.entry.intensity == "percentile"
    built_in = catalogue.lookup("cells_tiny")
    assert model.entry.iou_threshold == built_in.iou_threshold < 0.88
    assert model.entry.stability_threshold == built_in.stability_threshold < 0.95
    assert model.entry.digest == f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


def test_a_finetuned_file_of_micro_sam_keeps_its_intensity_rule(tmp_path, state):
    path = tmp_path / "finetuned.pt"
    wrapped = {f"sam.{key}": value for key, value in state.items()}
    torch.save({"model_state": wrapped}, path)
    model = load_model(str(path), "cpu")
    check(model, state)
    assert model.entry.intensity == "min_max"


def test_half_precision_safetensors_become_float32_and_say_what_they_are(tmp_path, state):
    path = tmp_path / "small.safetensors"
    half = {k: v.half() if v.is_floating_point() else v for k, v in state.items()}
    header = {"intensity": "min_max", "licence": "CC0", "citation": "me"}
    safetensors.torch.save_file(half, path, header)
    model = load_model(path, "cpu")
    check(model, state, tolerance=1e-3)
    entry = model.entry
    assert (entry.intensity, entry.licence, entry.citation) == ("min_max", "CC0", "me")


def test_an_unknown_intensity_rule_is_refused(tmp_path, state):
    path = tmp_path / "odd.safetensors"
    safetensors.torch.save_file(state, path, {"intensity": "squared"})
    with pytest.raises(CheckpointError, match="squared"):
        load_model(path, "cpu")


@pytest.fixture
def published(monkeypatch, folders, state):
    """A zoo whose only download lies ready in our folder."""
    path = folders / "ours" / "net.pt"
    path.parent.mkdir()
    torch.save(state, path)
    entry = catalogue.Entry(
        "net",
        "cells_tiny",
        url="http://localhost/net.pt",
        filename="net.pt",
        size=path.stat().st_size,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        xxh128=file_hash(path, "xxh128"),
        intensity="min_max",
    )
    monkeypatch.setattr(catalogue, "entries", lambda: {"net": entry})
    return entry, path


def test_a_name_of_the_zoo(published, state):
    entry, path = published
    model = load_model("net", "cpu")
    check(model, state)
    assert model.entry == entry
    path.write_bytes(path.read_bytes()[::-1])
    with pytest.raises(CheckpointError, match="models download net"):
        load_model("net", "cpu")


def test_a_missing_file_of_the_zoo_is_downloaded(published, monkeypatch, state):
    _, path = published
    body = path.read_bytes()
    path.unlink()
    monkeypatch.setattr(catalogue, "download", lambda url, target, *rest: target.write_bytes(body))
    check(load_model("net", "cpu"), state)


def test_a_model_is_known_by_all_its_hashes(published):
    entry, _ = published
    assert load.digests("net") == [f"sha256:{entry.sha256}", f"xxh128:{entry.xxh128}"]
    assert load.digests("nett") == []


def test_a_published_file_is_known_under_any_name(published, tmp_path):
    entry, path = published
    copy = tmp_path / "copy.bin"
    copy.write_bytes(path.read_bytes())
    assert load_model(copy, "cpu").entry == entry


def test_a_published_file_must_fit_its_size(published, monkeypatch):
    entry, _ = published
    monkeypatch.setattr(catalogue, "entries", lambda: {"net": replace(entry, config="vit_t")})
    with pytest.raises(CheckpointError, match=r"net\.pt does not fit vit_t: .* is missing"):
        load_model("net", "cpu")


def test_a_wrong_architecture_names_file_and_difference(tmp_path, state):
    path = tmp_path / "cut.pt"
    torch.save({k: v for k, v in state.items() if "iou_token" not in k}, path)
    with pytest.raises(CheckpointError, match=r"cut\.pt: .*nearest is cells_tiny: .*iou_token"):
        load_model(path, "cpu")


def test_neither_name_nor_file():
    with pytest.raises(InputError, match=r"neither a file nor a model's name; did you mean vit_b"):
        load_model("vit_bb", "cpu")


def test_the_thread_count_is_the_users(tmp_path, state, monkeypatch):
    path = tmp_path / "net.pt"
    torch.save(state, path)
    before = torch.get_num_threads()
    try:
        monkeypatch.setattr(load, "load_settings", lambda: Settings(threads=3))
        load_model(path, "cpu")
        assert torch.get_num_threads() == 3
        monkeypatch.setattr(load, "load_settings", Settings)
        monkeypatch.setattr(load, "default_threads", lambda: 2)
        load_model(path, "cpu")
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("cuda", "mps", "best"), [(0, False, "cpu"), (0, True, "mps"), (2, True, "cuda")]
)
def test_auto_takes_the_best_device(monkeypatch, cuda, mps, best):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert pick_device() == torch.device(best)
    assert pick_device("cpu") == torch.device("cpu")
    if cuda:
        assert pick_device("cuda:1") == torch.device("cuda:1")
    with pytest.raises(DeviceError, match=r"no device 'cuda:2' here; choose one of auto, .*cpu"):
        pick_device("cuda:2")


def test_a_full_device_says_what_to_do(tmp_path, state, monkeypatch):
    path = tmp_path / "net.pt"
    torch.save(state, path)

    def full(self, device):
        raise torch.cuda.OutOfMemoryError("2 GiB")

    monkeypatch.setattr(Sam, "to", full)
    with pytest.raises(DeviceError, match="no room for net"):
        load_model(path, "cpu")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["vit_t", "vit_b"])
def test_full_size_round_trip(tmp_path, name):
    path = tmp_path / "sam.pth"
    state = Sam(CONFIGS[name]).state_dict()
    torch.save(state, path)
    model = load_model(path, "cpu")
    check(model, state)
    assert model.entry.config == name


@pytest.mark.parametrize("ending", ["pt", "safetensors"])
def test_whole_numbers_in_place_of_fractions_are_refused(tmp_path, state, ending):
    path = tmp_path / f"whole.{ending}"
    whole = {key: value.long() for key, value in state.items()}
    torch.save(whole, path) if ending == "pt" else safetensors.torch.save_file(whole, path)
    with pytest.raises(CheckpointError, match=r"cells_tiny: \S+ holds whole numbers \(int64\)"):
        load_model(path, "cpu")


@pytest.mark.parametrize("name", ["x" * 5000, "~nobody-at-all/w.pt", "a\0b"])
def test_names_that_no_file_can_have_are_unknown_ones(name):
    with pytest.raises(InputError, match="neither a file nor a model's name"):
        load_model(name, "cpu")
