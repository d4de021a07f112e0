"""The commands that train and export what ships."""

import runpy

import numpy as np
import pytest
import torch
from PIL import Image

from napari_sam.data.samples import data_digest, load_images
from napari_sam.data.split import split
from napari_sam.model.load import load_model, read_text
from napari_sam.text.load import read_tower
from napari_sam.zoo.own_models import read_header
from recipes import cells_tiny
from recipes.words import __main__ as words
from tests.training.conftest import discs


@pytest.fixture
def command(tmp_path, monkeypatch):
    for seed in range(2):
        image, labels = discs(seed)
        place = tmp_path / "data" / f"set{seed}" / "picture"
        place.mkdir(parents=True)
        Image.fromarray(image).save(place / "image.png")
        Image.fromarray(labels).save(place / "labels.png")

    def run(*words, recipe=cells_tiny.__file__):
        monkeypatch.setattr("sys.argv", ["recipe", *map(str, words)])
        runpy.run_path(recipe, run_name="__main__")

    return run


def test_it_trains_goes_on_and_exports(command, tmp_path, caplog):
    caplog.set_level("INFO")
    run, model = tmp_path / "run", tmp_path / "model.safetensors"
    small = ("--run", run, "--pretrain", 1, "--pictures", 1, "--objects", 1, "--clicks", 0)
    command("train", tmp_path / "data", *small, "--train", 0, "--without", "set1")
    assert "1 pictures to train on" in caplog.text
    command("train", tmp_path / "data", *small, "--train", 1, "--synthetic", 1)
    assert "going on from step 1" in caplog.text
    steps = [line.split(",")[0] for line in (run / "log.csv").read_text().split()]
    assert steps == ["step", "1", "2"]
    (tmp_path / "figures.json").write_text('{"sets": {}}')
    about = ("--data", tmp_path / "data", "--figures", tmp_path / "figures.json")
    command("export", "--run", run, "-o", model, *about)
    header = read_header(model)
    assert (header["steps"], header["figures"]) == (2, {"sets": {}})
    assert header["datasets"] == ["set0", "set1"]
    assert header["data"] == data_digest(split(load_images(tmp_path / "data"))[0])
    loaded = load_model(model, "cpu")
    assert model.stat().st_size < 12e6
    assert loaded.entry.intensity == "percentile"
    assert np.isfinite(loaded.mask_decoder.mask_tokens.weight.numpy()).all()


def test_it_starts_from_weights_that_are_there(command, tmp_path):
    run = tmp_path / "run"
    command(
        *("train", tmp_path / "data", "--run", run, "--weights", "cells_tiny", "--pretrain", 0),
        *("--train", 0),
    )
    assert (run / "log.csv").exists()


def test_the_head_is_trained_alone_and_fits_the_model_that_ships(command, tmp_path):
    run, head = tmp_path / "run", tmp_path / "head.safetensors"
    command(
        *("train", tmp_path / "data", "--run", run, "--weights", "cells_tiny"),
        *("--what", "instances", "--pretrain", 1, "--train", 0, "--pictures", 1),
    )
    command("export", "--run", run, "-o", head)
    assert read_header(head)["kind"] == "decoder"
    assert head.stat().st_size < 0.5e6
    model, shipped = load_model("cells_tiny", "cpu", decoder=head), load_model("cells_tiny", "cpu")
    for name, value in shipped.image_encoder.state_dict().items():
        assert torch.equal(value, model.image_encoder.state_dict()[name])
    learned = model.instance_decoder.out.weight
    assert not torch.equal(learned, shipped.instance_decoder.out.weight)


def test_a_model_from_scratch_has_a_head():
    one, other, another = (cells_tiny.from_scratch(seed).state_dict() for seed in (0, 0, 1))
    name = "instance_decoder.out.weight"
    assert torch.equal(one[name], other[name])
    assert not torch.equal(one[name], another[name])


def test_what_words_need_is_trained_in_stages_that_are_kept(command, tmp_path, monkeypatch):
    monkeypatch.setattr("recipes.words.train.CAPTIONS", 40)
    run, few = tmp_path / "run", ("--steps", 2, 2, 2, "--views", 10)
    command(tmp_path / "data", "--run", run, *few, recipe=words.__file__)
    files = {"words_tiny.safetensors", "look.pt", "text.safetensors"}
    assert {file.name for file in run.iterdir()} == files
    before = {name: (run / name).read_bytes() for name in files}
    encoder = read_tower(run / "words_tiny.safetensors")
    assert 0 < encoder.min_familiarity < 1
    assert encoder.prompts(["nuclei"]).shape == (1, encoder.width)
    assert read_text(run / "text.safetensors").width == encoder.width
    command(tmp_path / "data", "--run", run, *few, "--captions", recipe=words.__file__)
    assert (run / "captions.safetensors").exists()
    assert all((run / name).read_bytes() == whole for name, whole in before.items())
