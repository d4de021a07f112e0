"""Weights files: what the header says, half precision, whole or not at all, and loading again."""

from __future__ import annotations

import hashlib
import json

import pytest
import safetensors
import torch
from safetensors.torch import load_file, save_file

import napari_sam
from napari_sam.errors import CheckpointError, InputError
from napari_sam.model.config import CONFIGS
from napari_sam.model.load import load_model
from napari_sam.model.lora import add_adapters, merged_state
from napari_sam.model.sam import Sam
from napari_sam.model.weights.checkpoint import read_checkpoint
from napari_sam.training import weights
from napari_sam.training.weights import save_own, save_weights
from napari_sam.zoo import catalogue
from napari_sam.zoo.own_models import own_folder, own_models, read_header
from recipes.weights import export

TABLE = [{"measure": "1 click", "before": 0.5, "after": 0.75}]
MADE = {"steps": 7, "seed": 3, "data": "sha256:ab", "figures": {"validation": TABLE}}
PROJECTION = "mask_decoder.transformer.layers.1.self_attn.v_proj"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("NAPARI_SAM_MODELS", str(tmp_path / "models"))
    return tmp_path


def learned(base="cells_tiny", what="decoder", by=0.5):
    """A model that one projection has changed in."""
    model = load_model(base, "cpu")
    entry = model.entry
    if what == "adapters":
        torch.manual_seed(0)
        add_adapters(model, rank=2)
        addition = model.get_submodule(f"{PROJECTION}.parametrizations.weight.0")
        with torch.no_grad():
            addition.lora_b += by
    else:
        with torch.no_grad():
            model.get_submodule(PROJECTION).weight += by
    return model, {"base": entry, "what": what, **MADE}


def check(found, expected):
    assert found.state_dict().keys() == expected.keys()
    for key, value in found.state_dict().items():
        torch.testing.assert_close(value, expected[key].to(value), rtol=2e-3, atol=2e-3)
    changed = f"{PROJECTION}.weight"
    shipped = load_model("cells_tiny", "cpu").state_dict()[changed]
    assert (found.state_dict()[changed] - shipped).abs().mean() > 0.03


def test_a_model_is_found_by_its_name_and_says_what_it_is():
    model, made = learned()
    path = save_own(model, " nuclei: 40x ", **made)
    assert path == own_folder() / "nuclei_ 40x.safetensors"
    again = load_model("nuclei: 40x", "cpu")
    check(again, model.state_dict())
    entry = again.entry
    shipped = load_model("cells_tiny", "cpu").entry
    assert (entry.name, entry.config, entry.title) == (
        "nuclei: 40x",
        "cells_tiny",
        "trained by you",
    )
    assert (entry.licence, entry.citation) == (shipped.licence, shipped.citation)
    assert entry.digest == f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"

    header = read_header(path)
    assert header["base"] == {"name": "cells_tiny", "digest": shipped.digest}
    assert header["kind"] == "full"
    assert header["config"]["encoder"]["dims"] == [16, 32, 64, 128, 192]
    assert header["normalisation"]["intensity"] == "percentile"
    assert header["package"] == f"napari-sam {napari_sam.__version__}"
    assert {key: header[key] for key in MADE} == MADE
    about = own_models()["nuclei: 40x"].about()
    assert about == f"decoder on cells_tiny, {header['created']}, 1 click: IoU 0.50 to 0.75"


def test_a_name_is_given_once():
    model, made = learned()
    save_own(model, "mine", **made)
    with pytest.raises(InputError, match="say 'mine 2'"):
        save_own(model, "mine", **made)
    with pytest.raises(InputError, match="published"):
        save_own(model, "vit_b", **made)


def test_adapters_are_added_to_their_base():
    model, made = learned(what="adapters")
    path = save_own(model, "small", **made)
    assert set(load_file(path)) == set(read_adapters(model))
    assert path.stat().st_size < 0.1e6
    check(load_model("small", "cpu"), merged_state(model))


def test_a_head_that_learned_with_the_adapters_comes_with_them():
    model, made = learned(what="adapters")
    model.instance_decoder.requires_grad_(True)
    with torch.no_grad():
        model.instance_decoder.out.bias += 1
    path = save_own(model, "small", **made)
    assert read_header(path)["kind"] == "adapters"
    assert path.stat().st_size < 0.6e6
    found = load_model("small", "cpu")
    check(found, merged_state(model))
    assert found.entry.decoder == ""  # the file's own hash tells the head, too
    shipped = load_model("cells_tiny", "cpu").instance_decoder
    assert (found.instance_decoder.out.bias - shipped.out.bias).min() > 0.9


def read_adapters(model):
    return [
        f"{name.removesuffix('.parametrizations.weight.0.' + part)}.{part}"
        for name, _ in model.named_parameters()
        for part in ("lora_a", "lora_b")
        if name.endswith(part)
    ]


def test_adapters_over_an_own_model_need_that_very_model():
    base, made = learned()
    path = save_own(base, "base", **made)
    model, made = learned("base", "adapters")
    assert made["base"].name == "base"
    save_own(model, "over", **made)
    check(load_model("over", "cpu"), merged_state(model))

    path.unlink()
    with pytest.raises(CheckpointError, match=r"over\.safetensors .*base \(sha256:.*not here.*own"):
        load_model("over", "cpu")
    other, made = learned(by=1.0)
    save_own(other, "base", **made)
    with pytest.raises(CheckpointError, match=r"the base that is here is another one \(sha256:"):
        load_model("over", "cpu")


def test_adapters_over_a_file_somewhere_become_a_whole_model(folder):
    state = learned()[0].state_dict()
    torch.save(state, folder / "found.pt")
    model, made = learned(folder / "found.pt", "adapters")
    path = save_own(model, "whole", **made)
    (folder / "found.pt").unlink()
    assert read_header(path)["kind"] == "full"
    check(load_model("whole", "cpu"), merged_state(model))


def test_adapters_that_are_their_own_base_end_in_an_error():
    path = own_folder() / "loop.safetensors"
    path.parent.mkdir(parents=True)
    header = {"name": "loop", "kind": "adapters", "base": {"name": "loop", "digest": "sha256:0"}}
    save_file({"x": torch.zeros(1)}, path, {"napari_sam": json.dumps(header)})
    with pytest.raises(CheckpointError, match=r"the loop that is here is another one"):
        load_model("loop", "cpu")


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("{", "damaged"),
        ("[1]", "its header is no table"),
        ('{"base": "cells_tiny", "kind": "adapters"}', "'base' in its header is no table"),
        ('{"name": 3}', "'name' in its header is no text but 3"),
        ('{"version": 9, "package": "napari-sam 7"}', r"newer version .*napari-sam 7"),
        ('{"kind": "adapters"}', "holds adapters"),
        ('{"kind": "adapters", "base": {"name": "cells_tiny", "digest": 5}}', "another one"),
    ],
)
def test_a_wrong_header_is_refused_with_the_file_s_name(folder, header, words):
    path = folder / "odd.safetensors"
    save_file({"x": torch.zeros(1)}, path, {"napari_sam": header})
    with pytest.raises(CheckpointError, match=rf"(?s)odd\.safetensors.*{words}"):
        load_model(path, "cpu")


def test_adapters_of_another_model_name_the_file(folder):
    base = {"name": "cells_tiny", "digest": load_model("cells_tiny", "cpu").entry.digest}
    header = json.dumps({"kind": "adapters", "base": base})
    save_file({"x": torch.zeros(1)}, folder / "odd.safetensors", {"napari_sam": header})
    with pytest.raises(CheckpointError, match=r"odd\.safetensors: these adapters do not fit cells"):
        load_model(folder / "odd.safetensors", "cpu")


def test_half_precision_but_for_running_statistics_and_counters(folder):
    header = {"config": {"name": "cells_tiny"}, "normalisation": {"intensity": "percentile"}}
    state = {
        "a.weight": torch.tensor([1 / 3]),
        "bn.running_var": torch.tensor([1e6]),
        "bn.num_batches_tracked": torch.tensor(2**40),
    }
    save_weights(folder / "new" / "x.safetensors", state, header)
    found = load_file(folder / "new" / "x.safetensors")
    assert found["a.weight"].dtype == torch.float16
    assert found["bn.running_var"].item() == 1e6
    assert found["bn.num_batches_tracked"].item() == 2**40
    with safetensors.safe_open(folder / "new" / "x.safetensors", "pt") as file:
        assert json.loads(file.metadata()["napari_sam"]) == header


def test_a_killed_run_leaves_the_file_before_as_it_was(folder, monkeypatch):
    header = {"config": {"name": "cells_tiny"}, "normalisation": {"intensity": "percentile"}}
    path = folder / "x.safetensors"
    save_weights(path, {"a": torch.zeros(1)}, header)
    before = path.read_bytes()

    def half(state, part, metadata):
        part.write_bytes(before[:20])
        raise KeyboardInterrupt

    monkeypatch.setattr(weights, "save_file", half)
    with pytest.raises(KeyboardInterrupt):
        save_weights(path, {"a": torch.ones(1)}, header)
    assert path.read_bytes() == before
    assert list(folder.iterdir()) == [path]


def test_the_shipped_model_is_the_average_of_a_run(folder):
    torch.manual_seed(0)
    state = Sam(CONFIGS["cells_tiny"]).state_dict()
    torch.save({"average": state, "step": 12, "model": {}}, folder / "checkpoint.pt")
    export(folder / "checkpoint.pt", folder / "out.safetensors")
    model = load_model(folder / "out.safetensors", "cpu")
    for key, value in model.state_dict().items():
        torch.testing.assert_close(value, state[key], rtol=1e-3, atol=1e-3)
    assert read_header(folder / "out.safetensors")["steps"] == 12


def test_a_file_of_before_still_loads(folder):
    """It has no header of ours: its size and its intensity rule are metadata of their own."""
    state = Sam(CONFIGS["cells_tiny"]).state_dict()
    about = {"config": "cells_tiny", "intensity": "percentile"}
    save_file(state, folder / "old.safetensors", about)
    entry = load_model(folder / "old.safetensors", "cpu").entry
    assert (entry.config, entry.intensity) == ("cells_tiny", "percentile")


def test_the_shipped_file_says_what_it_is_made_of():
    entry = load_model(catalogue.ready(catalogue.lookup("cells_tiny")), "cpu").entry
    assert (entry.config, entry.intensity) == ("cells_tiny", "percentile")
    header = read_header(catalogue.ready(catalogue.lookup("cells_tiny")))
    assert header["config"]["name"] == "cells_tiny"
    assert header["normalisation"]["intensity"] == "percentile"
    assert (header["what"], header["steps"]) == ("everything", 1850)
    assert "dsb2018_train, fluorescence" in header["datasets"]
    assert len(header["data"]) == 64


def test_a_changed_byte_of_an_own_model_is_noticed(folder):
    path = folder / "w.safetensors"
    save_weights(path, {"a": torch.arange(64.0)}, {"name": "w"})
    whole = path.read_bytes()
    assert torch.equal(read_checkpoint(path)[0]["a"].float(), torch.arange(64.0))
    for place in (len(whole) - 1, len(whole) - 60, whole.index(b'\\"w\\"') + 2):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(CheckpointError, match="not what was written"):
            read_checkpoint(path)


def test_weights_that_are_no_numbers_are_not_written(folder):
    with pytest.raises(CheckpointError, match=r"w\.safetensors is not written: a .*not finite"):
        save_weights(folder / "w.safetensors", {"a": torch.tensor([torch.nan])}, {})
    assert list(folder.iterdir()) == []


def test_weights_that_half_precision_cannot_hold_stay_as_they_are(folder):
    save_weights(folder / "w.safetensors", {"a": torch.tensor([1e6]), "b": torch.ones(1)}, {})
    state, _ = read_checkpoint(folder / "w.safetensors")
    assert state["a"].item() == 1e6
    assert state["b"].dtype == torch.float16
