"""Instance decoders come with their model, whatever form the file has."""

from __future__ import annotations

import os
from collections import OrderedDict
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

from napari_sam.errors import CheckpointError, DownloadError, InputError
from napari_sam.files import file_hash
from napari_sam.model import load
from napari_sam.model.build import SIZES
from napari_sam.model.config import CONFIGS, TinyViTConfig, ViTConfig
from napari_sam.model.instances.unetr_decoder import UnetrDecoder
from napari_sam.model.load import known_decoder, load_model
from napari_sam.model.sam import Sam
from napari_sam.settings import Settings
from napari_sam.training.weights import save_own
from napari_sam.zoo import catalogue
from tests.model.peers import randomise

ENCODERS = {
    "vit_t": TinyViTConfig((8, 8, 16, 16), (1, 1, 1, 1), (1, 1, 2, 2)),
    "vit_b": ViTConfig(16, 2, 2, (1,)),
    "vit_l": ViTConfig(24, 2, 2, (1,)),
    "vit_h": ViTConfig(32, 2, 2, (1,)),
}
SMALL = {
    name: replace(CONFIGS[name], frame=128, mlp_width=32, encoder=encoder)
    for name, encoder in ENCODERS.items()
}


@pytest.fixture(autouse=True)
def small(tmp_path, monkeypatch):
    """Models of the right kind and few channels; nobody's own files and settings take part."""
    monkeypatch.setenv("NAPARI_SAM_MODELS", str(tmp_path / "ours"))
    monkeypatch.setenv("MICROSAM_CACHEDIR", str(tmp_path / "micro_sam"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(load, "load_settings", Settings)
    for name, config in SMALL.items():
        for known in (CONFIGS, SIZES):
            monkeypatch.setitem(known, name, config)
    (tmp_path / "ours").mkdir()
    return tmp_path


@pytest.fixture(scope="module")
def decoders():
    """State dicts of both flavours."""
    found = {flavour: UnetrDecoder(flavour) for flavour in (False, True)}
    return {flavour: randomise(decoder) for flavour, decoder in found.items()}


@pytest.fixture(scope="module")
def decoder(decoders):
    return decoders[False]


@pytest.fixture(scope="module")
def sams():
    return {name: randomise(Sam(config)) for name, config in SMALL.items()}


def encoder_of(sam):
    """As torch-em calls it."""
    prefix = "image_encoder."
    return {f"encoder.{k.removeprefix(prefix)}": v for k, v in sam.items() if k.startswith(prefix)}


def saved(path, content):
    if path.suffix == ".safetensors":
        safetensors.torch.save_file(content, path)
    else:
        torch.save(content, path)
    return path


def check(model, sam, decoder):
    """Whether all weights are there, in single precision, and do something."""
    assert not model.training
    wanted = sam | {f"instance_decoder.{key}": value for key, value in decoder.items()}
    found = model.state_dict()
    assert found.keys() == wanted.keys()
    assert all(torch.equal(found[key], wanted[key]) for key in wanted)
    assert not any(parameter.requires_grad for parameter in model.parameters())


class Evil:
    """Leaves a mark when it is unpickled."""

    def __init__(self, mark):
        self.mark = str(mark)

    def __reduce__(self):
        return os.mkdir, (self.mark,)


def trainer_objects(mark):
    """What else torch-em's trainer writes, and worse."""
    net = torch.nn.Conv2d(1, 1, 1)
    optimiser = torch.optim.AdamW(net.parameters())
    net(torch.ones(1, 1, 2, 2)).sum().backward()
    optimiser.step()
    return {
        "epoch": 3,
        "best_metric": np.float64(0.5),
        "optimizer_state": optimiser.state_dict(),
        "init": {
            "model_class": "somewhere.Trainer",
            "loader": [net, optimiser, Path("data"), partial(os.mkdir, str(mark)), {Evil(mark)}],
            "raw": np.arange(6).reshape(2, 3),
            "sizes": OrderedDict(
                a=torch.Size([1]), b=torch.float16, c=slice(3), d=date(2025, 7, 1)
            ),
        },
    }


@pytest.mark.parametrize(
    ("name", "prefix", "transposed"),
    [("vit_t", "sam.", True), ("vit_b", "", False), ("vit_l", "sam.", False), ("vit_h", "", True)],
)
def test_a_file_with_model_and_decoder(tmp_path, sams, decoders, name, prefix, transposed):
    model = {f"{prefix}{key}": value for key, value in sams[name].items()}
    content = {"model_state": model, "decoder_state": decoders[transposed]}
    found = load_model(saved(tmp_path / "finetuned.pt", content), "cpu")
    check(found, sams[name], decoders[transposed])
    assert found.entry.config == name
    assert (found.entry.intensity, found.entry.decoder) == ("min_max", "")


@pytest.mark.parametrize("name", ["vit_t", "vit_b", "vit_l"])
def test_a_checkpoint_with_the_trainers_objects(tmp_path, sams, decoder, name):
    mark = tmp_path / "mark"
    parts = {"model_state": OrderedDict(sams[name]), "decoder_state": OrderedDict(decoder)}
    path = saved(tmp_path / "best.pt", trainer_objects(mark) | parts)
    check(load_model(path, "cpu"), sams[name], decoder)
    assert not mark.exists()


@pytest.mark.parametrize(
    ("name", "ending"), [("vit_t", "pt"), ("vit_b", "safetensors"), ("vit_l", "pt")]
)
def test_a_file_of_its_own_beside_the_model_or_named(tmp_path, sams, decoder, name, ending):
    path = saved(tmp_path / f"net.{ending}", sams[name])
    beside = saved(tmp_path / f"net_decoder.{ending}", decoder)
    found = load_model(path, "cpu")
    check(found, sams[name], decoder)
    digest = f"sha256:{file_hash(beside, 'sha256')}"
    assert found.entry.decoder == digest
    elsewhere = beside.rename(tmp_path / f"other.{ending}")
    assert load_model(path, "cpu").instance_decoder is None
    found = load_model(path, "cpu", decoder=elsewhere)
    check(found, sams[name], decoder)
    assert found.entry.decoder == digest


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("vit_t", "wrapped.pt"),
        ("vit_b", "best.pt"),
        ("vit_b", "flat.pt"),
        ("vit_l", "flat.safetensors"),
    ],
)
def test_an_encoder_with_its_decoder_onto_the_model(tmp_path, sams, decoder, name, form):
    base = saved(tmp_path / "base.pt", sams[name])
    trained = encoder_of(randomise(Sam(SMALL[name]), seed=1))
    content = trained | decoder
    if not form.startswith("flat"):
        content = {"model_state": content}
    if form == "best.pt":
        content |= trainer_objects(tmp_path / "mark")
    path = saved(tmp_path / form, content)
    found = load_model(base, "cpu", decoder=path)
    image_encoder = {f"image_{key}": value for key, value in trained.items()}
    check(found, sams[name] | image_encoder, decoder)
    entry = found.entry
    assert (entry.name, entry.config, entry.intensity) == (path.stem, name, "min_max")
    assert entry.digest != load_model(base, "cpu").entry.digest
    with pytest.raises(CheckpointError, match=r"image encoder and an .* no mask decoder; load it"):
        load_model(path, "cpu")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["vit_t", "vit_b", "vit_l"])
def test_full_size(tmp_path, monkeypatch, decoder, name):
    monkeypatch.undo()
    sam = Sam(CONFIGS[name]).state_dict()
    assert CONFIGS[name].frame == 1024
    path = saved(tmp_path / "best.pt", {"model_state": sam, "decoder_state": decoder})
    check(load_model(path, "cpu"), sam, decoder)


@pytest.fixture
def published(small, sams, decoders, monkeypatch):
    """Two published models and their decoders, all of them here."""
    entries = {}
    for name, size, flavour in (("net", "vit_b", False), ("other", "vit_b", True)):
        for entry, state in ((name, sams[size]), (f"{name}_decoder", decoders[flavour])):
            if entry == "other":
                state = {key: value + 1 for key, value in state.items()}
            path = saved(small / "ours" / f"{entry}.pt", state)
            entries[entry] = catalogue.Entry(
                entry,
                "decoder" if "_" in entry else size,
                url="http://localhost/" + entry,
                filename=path.name,
                size=path.stat().st_size,
                xxh128=file_hash(path, "xxh128"),
                intensity="min_max",
            )
    for name in ("net", "other"):
        entries[name] = replace(entries[name], decoder=entries[f"{name}_decoder"].digest)
    entries = catalogue.entries() | entries
    monkeypatch.setattr(catalogue, "entries", lambda: entries)
    return entries


def test_the_zoo_brings_the_decoder(published, sams, decoder):
    found = load_model("net", "cpu")
    check(found, sams["vit_b"], decoder)
    assert found.entry == published["net"]


def test_a_published_decoder_is_named_like_a_file(published, tmp_path, sams, decoder):
    path = saved(tmp_path / "mine.pt", sams["vit_b"])
    found = load_model(path, "cpu", decoder="net_decoder")
    check(found, sams["vit_b"], decoder)
    assert found.entry.decoder == published["net_decoder"].digest


def test_without_its_file_and_the_network_the_model_is_loaded_alone(
    published, small, monkeypatch, caplog
):
    def offline(*_):
        raise DownloadError("no network")

    monkeypatch.setattr(catalogue, "download", offline)
    (small / "ours" / "net_decoder.pt").unlink()
    found = load_model("net", "cpu")
    assert found.instance_decoder is None
    assert found.entry == replace(published["net"], decoder="")
    assert "without its instance decoder" in caplog.text


def test_a_decoder_is_no_model(published, tmp_path, decoder):
    with pytest.raises(CheckpointError, match=r"net_decoder is an instance decoder.*use net, with"):
        load_model("net_decoder", "cpu")
    path = saved(tmp_path / "d.pt", decoder)
    with pytest.raises(CheckpointError, match=r"d\.pt holds an instance decoder, but no mask deco"):
        load_model(path, "cpu")


def test_a_decoder_of_another_encoder_is_refused(published, small, sams, decoder):
    theirs = small / "ours" / "other_decoder.pt"
    with pytest.raises(CheckpointError, match=r"decoder of other \(vit_b\).*of net \(vit_b\)"):
        load_model("net", "cpu", decoder=theirs)
    large = saved(small / "large.pt", sams["vit_l"])
    with pytest.raises(CheckpointError, match=r"decoder of other \(vit_b\).*of large \(vit_l\)"):
        load_model(large, "cpu", decoder=theirs)
    unetr = saved(small / "unetr.pt", encoder_of(sams["vit_b"]) | decoder)
    with pytest.raises(CheckpointError, match=r"unetr\.pt .* another encoder .*\(vit_l\): "):
        load_model(large, "cpu", decoder=unetr)


def test_a_decoder_does_not_fit_a_model_of_another_width(tmp_path, decoder):
    path = saved(tmp_path / "d.pt", decoder)
    with pytest.raises(CheckpointError, match=r"256 channels; those of cells_tiny have 128.*vit_b"):
        load_model("cells_tiny", "cpu", decoder=path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d.pop("out_conv.bias"), "instance decoder: out_conv.bias is missing"),
        (lambda d: d.update(extra=torch.zeros(1)), "extra is unknown|no mask decoder|of its own"),
        (lambda d: d.update({"base.more": torch.zeros(1)}), "base.more is unknown"),
        (
            lambda d: d.update({"out_conv.weight": torch.zeros(4, 64, 1, 1)}),
            r"out_conv.weight has shape \(4, 64, 1, 1\) instead of \(3, 64, 1, 1\)",
        ),
        (lambda d: d.update({"out_conv.bias": torch.full((3,), torch.nan)}), "not finite"),
    ],
)
def test_a_decoder_must_be_whole_and_nothing_else(tmp_path, sams, decoder, change, words):
    wrong = dict(decoder)
    change(wrong)
    model = saved(tmp_path / "net.pt", sams["vit_b"])
    path = saved(tmp_path / "d.pt", wrong)
    with pytest.raises(CheckpointError, match=rf"d\.pt .*({words})"):
        load_model(model, "cpu", decoder=path)
    both = saved(tmp_path / "both.pt", {"model_state": sams["vit_b"], "decoder_state": wrong})
    with pytest.raises(CheckpointError, match=r"both\.pt"):
        load_model(both, "cpu")


def test_a_file_without_a_decoder_is_none(tmp_path, sams, decoder):
    model = saved(tmp_path / "net.pt", sams["vit_b"])
    with pytest.raises(CheckpointError, match=r"net\.pt holds no instance decoder"):
        load_model(model, "cpu", decoder=model)
    both = saved(tmp_path / "both.pt", {"model_state": sams["vit_b"], "decoder_state": decoder})
    with pytest.raises(CheckpointError, match=r"both\.pt is a model with .* of its own"):
        load_model(model, "cpu", decoder=both)
    with pytest.raises(InputError, match=r"'nowhere' is neither a file nor one of .*_decoder"):
        load_model(model, "cpu", decoder="nowhere")


def test_a_model_that_is_called_like_a_decoder_is_left_alone(tmp_path, sams):
    model = saved(tmp_path / "net.pt", sams["vit_b"])
    saved(tmp_path / "net_decoder.pt", sams["vit_t"])
    assert load_model(model, "cpu").instance_decoder is None


@pytest.mark.parametrize("what", ["decoder", "adapters"])
def test_what_is_trained_is_saved_with_the_decoder(tmp_path, sams, decoder, what):
    base = saved(tmp_path / "net.pt", {"model_state": sams["vit_b"], "decoder_state": decoder})
    model = load_model(base, "cpu")
    facts = {"what": what, "steps": 1, "seed": 0, "data": "", "figures": {}}
    save_own(model, "yeast", base=model.entry, **facts)
    found = load_model("yeast", "cpu")
    assert isinstance(found.instance_decoder, UnetrDecoder)
    for key, value in found.instance_decoder.state_dict().items():
        exact = "running" in key or not value.is_floating_point()
        torch.testing.assert_close(value, decoder[key], rtol=0 if exact else 1e-3, atol=1e-4)


def test_adapters_over_a_published_model_find_its_decoder_again(published, sams, decoder):
    from napari_sam.model.lora import add_adapters

    model = load_model("net", "cpu")
    add_adapters(model)
    facts = {"what": "adapters", "steps": 1, "seed": 0, "data": "", "figures": {}}
    small = save_own(model, "yeast", base=model.entry, **facts)
    assert small.stat().st_size < 2e6
    found = load_model("yeast", "cpu")
    check(found, sams["vit_b"], decoder)
    assert found.entry.decoder == published["net"].decoder
    # Over a decoder that its name does not bring the whole is kept.
    bare = load_model("net", "cpu")
    bare.instance_decoder, bare.entry = None, replace(bare.entry, decoder="")
    add_adapters(bare)
    assert save_own(bare, "mould", base=bare.entry, **facts).stat().st_size > 5e6
    assert load_model("mould", "cpu").instance_decoder is None


def test_whether_there_is_a_decoder_is_known_without_loading(published, tmp_path, sams, decoder):
    from napari_sam.model.lora import add_adapters

    both = {"model_state": sams["vit_b"], "decoder_state": decoder}
    saved(tmp_path / "beside_decoder.pt", decoder)
    files = {"both.pt": both, "alone.pt": sams["vit_b"], "beside.pt": sams["vit_b"]}
    names = ["net", *(str(saved(tmp_path / name, state)) for name, state in files.items())]
    model = load_model("net", "cpu")
    add_adapters(model)
    facts = {"what": "adapters", "steps": 1, "seed": 0, "data": "", "figures": {}}
    save_own(model, "yeast", base=model.entry, **facts)
    known = {}
    for name in [*names, "yeast"]:
        model, known[Path(name).name] = load_model(name, "cpu"), known_decoder(name)
        expected = None if model.instance_decoder is None else model.entry.decoder
        assert known[Path(name).name] == expected
    assert known["alone.pt"] is None
    assert known["both.pt"] == ""
    assert known["net"] == known["yeast"] == published["net"].decoder
    assert known["beside.pt"].startswith("sha256:")
    with pytest.raises(InputError, match="'nowhere' is neither a file nor"):
        known_decoder("nowhere")
