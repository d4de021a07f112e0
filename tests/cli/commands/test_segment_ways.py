"""`napari-sam segment --way`: all at once, refined, or at points."""

from __future__ import annotations

import json
from importlib.resources import as_file, files

import numpy as np
import pytest
import safetensors.torch
import tifffile
from PIL import Image

from napari_sam.cli.main import main
from napari_sam.inference.automatic.settings import best_settings, way_of

CENTRES = [(24, 26), (60, 80)]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A picture of two bright discs, and our model with its decoder."""
    monkeypatch.setenv("NAPARI_SAM_EMBEDDINGS", str(tmp_path / "embeddings"))
    monkeypatch.chdir(tmp_path)
    rows, columns = np.indices((96, 112))
    image = np.random.default_rng(0).integers(10, 40, (96, 112)).astype(np.uint8)
    for row, column in CENTRES:
        image[(rows - row) ** 2 + (columns - column) ** 2 <= 144] += 140
    Image.fromarray(image).save("cells.png")
    with as_file(files("napari_sam.model") / "pretrained") as weights:
        for part in ("", "_decoder"):  # without our note in it, a file as any other
            state = safetensors.torch.load_file(weights / f"cells_tiny{part}.safetensors")
            safetensors.torch.save_file(state, f"mine{part}.safetensors")
    return tmp_path


def segment(capsys, *more):
    """Return the report of a picture that could be segmented."""
    assert main(["segment", "cells.png", "-o", "out.tif", "--json", "-q", *more]) == 0
    (report,) = json.loads(capsys.readouterr().out)["images"]
    return report


def why_not(capsys, *more):
    assert main(["segment", "cells.png", "-o", "out.tif", *more]) == 1
    return capsys.readouterr().err


@pytest.mark.parametrize("way", ["instances", "refined", "points"])
def test_each_way_finds_the_discs_and_says_which_it_was(folder, capsys, way):
    assert segment(capsys, "--way", way)["way"] == way
    labels = tifffile.imread("out.tif")
    assert len({labels[centre] for centre in CENTRES} - {0}) == 2
    about = json.loads((folder / "out.tif.json").read_text(), parse_constant=pytest.fail)
    assert about["report"]["way"] == way
    assert ("decoder" in about["model"]) == (way != "points")
    assert ("quality" in about["settings"]) == (way != "points")


def test_the_model_decides_which_way(folder, capsys):
    assert segment(capsys)["way"] == way_of(best_settings(True))
    assert segment(capsys, "--points", "6")["way"] == "points"
    (folder / "mine_decoder.safetensors").unlink()
    assert segment(capsys, "--model", "mine.safetensors", "--seeds", "maxima")["way"] == "points"
    assert segment(capsys, "--model", "mine.safetensors")["way"] == "points"
    said = why_not(capsys, "--model", "mine.safetensors", "--way", "instances")
    assert "--way instances needs an instance decoder, which mine.safetensors has not" in said
    assert said.count("\n") == 1


def test_sizes_are_kept(folder, capsys):
    segment(capsys, "--way", "instances", "--max-size", "60")
    assert np.bincount(tifffile.imread("out.tif").ravel())[1:].max(initial=0) <= 60
    assert segment(capsys, "--min-size", "300", "--diameter", "24")["objects"] == 2


def test_what_another_decoder_found_is_made_again(folder, capsys):
    command = "--model", "mine.safetensors", "--way", "instances", "--resume"
    segment(capsys, *command)
    assert segment(capsys, *command)["skipped"]
    path = folder / "mine_decoder.safetensors"
    state = safetensors.torch.load_file(path)
    safetensors.torch.save_file(state, path, {"retrained": "yes"})
    assert "skipped" not in segment(capsys, *command)
    by_points = "--model", "mine.safetensors", "--points", "4", "--resume"
    assert "skipped" not in segment(capsys, *by_points)
    path.unlink()
    assert segment(capsys, *by_points)["skipped"]


def test_boxes_say_what_to_segment(folder, capsys):
    (folder / "boxes.csv").write_text("y0,x0,y1,x1\n10,12,38,40\n")
    assert "leave --way out" in why_not(capsys, "--boxes", "boxes.csv", "--way", "points")
    assert segment(capsys, "--boxes", "boxes.csv")["objects"] == 1
