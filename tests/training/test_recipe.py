"""Folders in, a run that resumes exactly, weights out."""

import numpy as np
import pytest
import torch
from PIL import Image

from napari_sam.errors import InputError
from napari_sam.inference.predictor import Predictor
from napari_sam.model.load import load_model
from napari_sam.training.__main__ import main
from napari_sam.training.data import load_pictures, random_crop, split
from napari_sam.training.evaluate import deepest_point, evaluate, table
from napari_sam.training.export import export
from napari_sam.training.recipe import Recipe, Trainer

RECIPE = Recipe(pretrain=1, train=2, pictures=1, objects=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two data sets of discs, and three samples that cannot be used."""
    root = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    for name in ("a/one", "a/two", "b/deep/three"):
        labels = np.zeros((96, 120), np.uint16)
        y, x = np.ogrid[:96, :120]
        for i, (r, c) in enumerate([(20, 20), (20, 60), (60, 30), (70, 90)], 1):
            labels[(y - r) ** 2 + (x - c) ** 2 < 12**2] = i
        image = (labels > 0) * 150 + rng.integers(0, 60, labels.shape)
        save(root / name, image.astype(np.uint8), labels)
    save(root / "b/shapes differ", np.zeros((9, 9), np.uint8), np.ones((8, 9), np.uint16))
    save(root / "b/no object", np.zeros((9, 9), np.uint8), np.zeros((9, 9), np.uint16))
    save(root / "b/unreadable", np.zeros((9, 9), np.uint8), np.ones((9, 9), np.uint16))
    (root / "b/unreadable/image.png").write_bytes(b"no picture")
    return root


def save(path, image, labels):
    path.mkdir(parents=True)
    Image.fromarray(image).save(path / "image.png")
    Image.fromarray(labels).save(path / "labels.png")


@pytest.fixture
def pictures(folder):
    return load_pictures(folder)


def test_bad_samples_are_named_and_left_out(folder, caplog):
    pictures = load_pictures(folder)
    assert [p.source for p in pictures] == ["a/one", "a/two", "b/deep/three"]
    assert [p.dataset for p in pictures] == ["a", "a", "b"]
    for bad in ("shapes differ", "no object", "unreadable"):
        assert bad in caplog.text


def test_a_folder_without_samples_is_an_error(tmp_path):
    with pytest.raises(InputError, match="no usable sample"):
        load_pictures(tmp_path)


def test_the_split_is_by_source_and_the_same_every_time(pictures):
    train, held = split(pictures, every=2)
    assert {p.source for p in train}.isdisjoint(p.source for p in held)
    assert len(train) + len(held) == len(pictures)
    again = split(pictures[::-1], every=2)
    assert {p.source for p in again[1]} == {p.source for p in held}


def test_crops_keep_picture_and_labels_together(pictures):
    for seed in range(20):
        crop = random_crop(pictures[0], 64, np.random.default_rng(seed))
        assert crop.rgb.shape == (64, 64, 3)
        assert not crop.labels[~crop.valid].any()
        grey, inside = crop.rgb.mean(axis=2), crop.labels > 0
        outside = crop.valid & ~inside
        if inside.sum() > 200 and outside.sum() > 200:
            # discs differ from the background, brighter or (inverted) darker
            assert abs(np.median(grey[inside]) - np.median(grey[outside])) > 10


def test_a_run_resumes_exactly(pictures, tmp_path):
    torch.set_num_threads(1)
    whole = Trainer(RECIPE, pictures)
    reports = list(whole.run())
    assert [r["step"] for r in reports] == [1, 2, 3]
    assert {"dense", "loss"} <= reports[-1].keys()

    first = Trainer(RECIPE, pictures)
    run = first.run()
    next(run)
    next(run)
    first.save(tmp_path / "checkpoint.pt")
    second = Trainer(RECIPE, pictures)
    second.load(tmp_path / "checkpoint.pt")
    rest = list(second.run())
    assert [r["step"] for r in rest] == [3]
    for name, value in whole.average.state_dict().items():
        assert torch.equal(value, second.average.state_dict()[name]), name


def test_exported_weights_load_and_are_scored(pictures, tmp_path):
    trainer = Trainer(RECIPE, pictures)
    trainer.save(tmp_path / "checkpoint.pt")
    export(tmp_path / "checkpoint.pt", tmp_path / "model.safetensors")
    assert (tmp_path / "model.safetensors").stat().st_size < 12e6
    predictor = Predictor(load_model(tmp_path / "model.safetensors", "cpu"))
    results = list(evaluate(predictor, pictures[:1]))
    ((dataset, rows),) = results
    assert dataset == "a"
    assert len(rows) == 4
    for row in rows:  # discs of one size: both drawings must be nearly perfect
        assert row["ellipse"] > 0.9
        assert row["disc"] > 0.9
        assert row["best of 3"] >= row["click"]
    assert "| a | 4 |" in table(results)


def test_the_deepest_point_of_a_crescent_is_in_it():
    y, x = np.ogrid[:60, :60]
    crescent = ((y - 30) ** 2 + (x - 30) ** 2 < 28**2) & ~((y - 30) ** 2 + (x - 42) ** 2 < 26**2)
    assert crescent[deepest_point(crescent)]


def test_the_command_trains_goes_on_exports_and_scores(folder, tmp_path, monkeypatch, capsys):
    def command(*words):
        monkeypatch.setattr("sys.argv", ["training", *map(str, words)])
        main()

    run, model = tmp_path / "run", tmp_path / "model.safetensors"
    command("train", folder, "--run", run, "--pretrain", 1, "--train", 0)
    command("train", folder, "--run", run, "--pretrain", 1, "--train", 1)
    steps = [line.split(",")[0] for line in (run / "log.csv").read_text().split()]
    assert steps == ["step", "1", "2"]
    command("export", "--run", run, "-o", model)
    monkeypatch.setattr("napari_sam.training.__main__.split", lambda pictures: ([], pictures))
    command("evaluate", folder, "--model", model)
    assert "| b | 4 |" in capsys.readouterr().out
