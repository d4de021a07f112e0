"""`napari-sam evaluate` and `train` on a folder, as a user calls them."""

import json
import shutil
from importlib.resources import as_file, files

import numpy as np
import pytest
from PIL import Image

from napari_sam.cli.main import main
from napari_sam.evaluation.report import MEASURES


def squares(seed):
    """Return a small noisy picture of two bright squares and its labels."""
    labels = np.zeros((32, 40), np.uint16)
    labels[4:14, 5:15], labels[18:28, 22:32] = 1, 2
    noise = np.random.default_rng(seed).integers(0, 60, labels.shape)
    return ((labels > 0) * 150 + noise).astype(np.uint8), labels


@pytest.fixture
def folder(tmp_path):
    for seed in range(3):
        image, labels = squares(seed)
        place = tmp_path / "data" / "squares" / f"p{seed}"
        place.mkdir(parents=True)
        Image.fromarray(image).save(place / "image.png")
        Image.fromarray(labels).save(place / "labels.png")
    bad = tmp_path / "data" / "squares" / "bad"
    bad.mkdir()
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(bad / "image.png")
    return tmp_path / "data"


def test_a_folder_is_scored_and_written_down(folder, tmp_path, capsys):
    command = ["evaluate", str(folder), "--most", "2", "-o", str(tmp_path / "out")]
    assert main(command) == 1
    printed, err = capsys.readouterr()
    assert "| squares | 6 | 0 |" in printed
    assert "left out squares/bad: there is no labels.tif or labels.png" in printed
    assert "1 of 4 failed:\n  squares/bad  there is no labels" in err
    assert {f.name for f in (tmp_path / "out").iterdir()} == {
        *("table.md", "scores.csv", "failures.png", "examples.png")
    }
    lines = (tmp_path / "out" / "scores.csv").read_text().splitlines()
    assert len(lines) == 7
    assert lines[0].startswith("dataset,source,plane,id,lost,")
    with Image.open(tmp_path / "out" / "failures.png") as sheet:
        assert sheet.width == 6 * 168


def test_the_figures_come_as_json(folder, capsys):
    shutil.rmtree(folder / "squares" / "bad")
    assert main(["evaluate", str(folder), "--most", "1", "--json", "--quiet"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert (err, found["failures"]) == ("", {})
    assert found["sets"]["squares"]["objects"] == 3
    assert 0 <= found["sets"]["mean of the sets"]["click 1"] <= 1


def test_pictures_with_labels_beside_them_or_elsewhere(folder, tmp_path, capsys, monkeypatch):
    measured = []

    def evaluate(predictor, pictures, most):
        measured.extend(picture.source for picture in pictures)
        scores = {"score 1": 0.5, "score 3": 0.5, "score box": 0.5}
        row = dict.fromkeys(MEASURES, 0.5) | scores | {"id": 1, "lost": 0}
        return [(picture, [row]) for picture in pictures]

    monkeypatch.setattr("napari_sam.evaluation.evaluate.evaluate", evaluate)
    day, drawn = tmp_path / "day", tmp_path / "drawn"
    day.mkdir()
    drawn.mkdir()
    for name in "abc":
        shutil.copy(folder / "squares" / "p0" / "image.png", day / f"{name}.png")
        shutil.copy(folder / "squares" / "p0" / "labels.png", drawn / f"{name}.png")
    shutil.copy(drawn / "a.png", day / "a_labels.png")
    (drawn / "c.png").write_bytes(b"no labels")
    (drawn / "b.png").rename(drawn / "b_labels.png")
    for more, sources, failed in (
        ([day], ["day/a"], []),
        ([day / "[ac]*.png"], ["day/a"], [str(day / "c.png")]),
        ([day / "a.png", day / "b.png", "--labels", drawn], ["day/a", "day/b"], []),
        ([day / "[abc].png", "--labels", drawn], ["day/a", "day/b"], ["day/c"]),
        ([day / "a.png", "--labels", drawn / "b_labels.png"], ["day/a"], []),
    ):
        measured.clear()
        assert main(["evaluate", *map(str, more), "--json", "--quiet"]) == int(bool(failed))
        assert list(json.loads(capsys.readouterr().out)["failures"]) == failed
        assert measured == sources
    assert main(["evaluate", str(day / "c.png"), "--labels", str(drawn / "c.png")]) == 1
    assert "1 of 1 failed" in capsys.readouterr().err


def test_what_is_found_without_a_click_is_scored_too(folder, capsys):
    shutil.rmtree(folder / "squares" / "bad")
    assert main(["evaluate", str(folder), "--most", "1", "--grid", "8", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["automatic"]
    assert found["squares"] == found["mean of the sets"]
    assert found["squares"]["F1"] > 0.5
    assert 0 < found["squares"]["mSA"] <= found["squares"]["F1"]
    assert 0 < found["squares"]["calls"] < 3 * 8 * 8
    assert main(["evaluate", str(folder), "--most", "1", "--grid", "8"]) == 0
    assert "| data set | mSA | F1 | calls | seconds | touch" in capsys.readouterr().out


@pytest.mark.parametrize("way", ["instances", "refined"])
def test_what_is_found_at_once_is_scored_too(folder, capsys, way):
    shutil.rmtree(folder / "squares" / "bad")
    assert main(["evaluate", str(folder), "--most", "1", "--way", way, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["automatic"]["squares"]
    assert 0 <= found["mSA"] <= found["F1"] <= 1
    assert (found["told apart"], found["touching"]) == (0, 0)
    assert found["calls"] <= (1 if way == "instances" else 20)


def test_a_way_that_cannot_be_measured_is_said_first(folder, tmp_path, capsys):
    shutil.rmtree(folder / "squares" / "bad")
    assert main(["evaluate", str(folder), "--way", "refined", "--grid", "8"]) == 1
    assert "--grid is for points and does not go with --way refined" in capsys.readouterr().err
    with as_file(files("napari_sam.model") / "pretrained" / "cells_tiny.safetensors") as weights:
        shutil.copy(weights, tmp_path / "alone.safetensors")
    alone = "--model", str(tmp_path / "alone.safetensors")
    assert main(["evaluate", str(folder), "--way", "instances", *alone]) == 1
    assert "--way instances needs an instance decoder, which" in capsys.readouterr().err


def test_only_what_training_leaves_out_is_scored(folder, capsys):
    shutil.rmtree(folder / "squares" / "bad")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("napari_sam.data.split._number", lambda source, seed: int(source[-1]))
        assert main(["evaluate", str(folder), "--held-out", "--most", "1", "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert found["sets"]["squares"]["objects"] == 1  # of p0; 1 and 2 are no multiples of ten
        assert "1 of 1 held-out samples look like a training sample" in found["notes"]
        for seed in (0, 1):  # a lone sample is trained on
            shutil.rmtree(folder / "squares" / f"p{seed}")
        assert main(["evaluate", str(folder), "--held-out"]) == 1
    assert "leaves none of these samples" in capsys.readouterr().err


def test_a_folder_without_samples_is_an_error(tmp_path, capsys):
    assert main(["evaluate", str(tmp_path)]) == 1
    assert "no usable sample" in capsys.readouterr().err


def test_training_ends_with_a_model_under_its_name(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("NAPARI_SAM_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr("napari_sam.training.finetune.views_for", lambda config, pictures: 4)
    command = ["train", str(folder), "-o", "my discs", "--steps", "2"]
    assert main(command) == 0
    out, err = capsys.readouterr()
    assert "left out squares/bad" in err
    assert "1 click" in out
    assert "Saved as my discs" in out
    shutil.rmtree(folder / "squares" / "bad")
    assert main(["evaluate", str(folder), "--most", "1", "--model", "my discs"]) == 0
    assert main(command) == 1
    assert "you have a model named 'my discs'" in capsys.readouterr().err
