"""`napari-sam propagate` and `refine` on files, as a user calls them."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image

from napari_sam.cli.commands import propagate as command
from napari_sam.cli.main import main
from napari_sam.inference.propagation import propagate as module
from napari_sam.io.labels import open_labels
from napari_sam.model import build
from napari_sam.model.sam2.tracker import Tracker
from tests.model.sam2.peers import TINY, published, tiny_predictor


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Write a stack of two bright discs and labels of the middle slice, with ids 5 and 300."""
    monkeypatch.setenv("NAPARI_SAM_EMBEDDINGS", str(tmp_path / "embeddings"))
    rows, columns = np.indices((48, 64))
    labels = np.zeros((5, 48, 64), np.uint16)
    for z in range(5):
        labels[z][(rows - 20) ** 2 + (columns - 16 - z) ** 2 <= 81] = 5
        labels[z][(rows - 26) ** 2 + (columns - 45) ** 2 <= 100] = 300
    noise = np.random.default_rng(0).integers(0, 50, labels.shape)
    stack = ((labels > 0) * 150 + noise).astype(np.uint8)
    tifffile.imwrite(tmp_path / "stack.tif", stack)
    seeds = np.zeros_like(labels)
    seeds[2] = labels[2]
    tifffile.imwrite(tmp_path / "seeds.tif", seeds)
    return tmp_path, labels


def iou(a, b):
    return (a & b).sum() / (a | b).sum()


def follow(folder, *more):
    stack, seeds, out = (str(folder / f"{name}.tif") for name in ("stack", "seeds", "out"))
    return main(["propagate", stack, "--seeds", seeds, "-o", out, *more])


def test_objects_are_followed_and_reported(files, capsys):
    folder, truth = files
    assert follow(folder, "--json") == 0
    (report,) = json.loads(capsys.readouterr().out)["images"]
    found = tifffile.imread(folder / "out.tif")
    told = json.loads((folder / "out.tif.json").read_text("utf-8"))
    assert told["report"]["objects"] == report["objects"]
    assert told["inputs"]["seeds"]["path"] == str(folder / "seeds.tif")
    assert found.dtype == np.uint16
    for id_ in (5, 300):
        assert report["objects"][str(id_)]["slices"] == [0, 1, 2, 3, 4]
        assert iou(found == id_, truth == id_) > 0.8
    assert {file.name for file in folder.iterdir()} == {
        *("stack.tif", "seeds.tif", "out.tif", "out.tif.json", "embeddings")
    }


def test_a_model_with_a_memory_follows_with_it(files, monkeypatch, capsys):
    folder, truth = files
    monkeypatch.setitem(build.SIZES, TINY.name, TINY)
    monkeypatch.setattr(module, "why_stop", lambda *_: None)  # random weights find anything
    torch.save({"model": published(tiny_predictor().model)}, folder / "sam2.1_hiera_tiny.pt")
    steps = []
    step = Tracker.step
    monkeypatch.setattr(Tracker, "step", lambda *args: steps.append(args[1:]) or step(*args))
    model = str(folder / "sam2.1_hiera_tiny.pt")
    assert follow(folder, "--model", model, "--only", "5", "--direction", "forward") == 0
    assert steps == [(5, 3, False), (5, 4, False)]
    found = tifffile.imread(folder / "out.tif")
    np.testing.assert_array_equal(found[2], truth[2])
    assert (found[3] == 5).any()
    assert "object 5: 3 slices, from 2 to 4" in capsys.readouterr().out


def test_only_where_it_is_told(files, capsys):
    folder, truth = files
    assert follow(folder, "--direction", "forward", "--last", "3") == 0
    found = tifffile.imread(folder / "out.tif")
    assert [z for z in range(5) if found[z].any()] == [2, 3]
    np.testing.assert_array_equal(found[2], truth[2])
    assert "object 300: 2 slices, from 2 to 3" in capsys.readouterr().out


def test_an_interrupted_run_keeps_what_it_has(files, caplog, monkeypatch):
    folder, _ = files

    def interrupted(*args, **keywords):
        walk = original(*args, **keywords)
        yield next(walk)
        yield next(walk)
        raise KeyboardInterrupt

    original = module.propagate
    monkeypatch.setattr(module, "propagate", interrupted)
    assert follow(folder) == 130
    assert [z for z, plane in enumerate(tifffile.imread(folder / "out.tif")) if plane.any()] == [
        2,
        3,
    ]
    assert "what was done is in" in caplog.text
    assert not (folder / "out.tif.json").exists()


def test_inputs_are_not_overwritten_and_missing_ones_are_named(files, capsys):
    folder, _ = files
    stack, seeds = str(folder / "stack.tif"), str(folder / "seeds.tif")
    assert main(["propagate", stack, "--seeds", seeds, "-o", seeds]) == 1
    assert "is an input, too" in capsys.readouterr().err
    assert main(["propagate", stack, "--seeds", "none.tif", "-o", str(folder / "o.tif")]) == 1
    assert "none.tif" in capsys.readouterr().err
    assert main(["propagate", stack, "--seeds", seeds, "-o", str(folder / "o.jpg")]) == 1
    assert ".tif" in capsys.readouterr().err


def test_where_it_stopped_is_said_in_words():
    one = {"slices": [2, 3], "stopped": {"4": "no mask found"}, "unsure": {"3": "weak"}}
    assert command._lines("5", one) == [
        "object 5: 2 slices, from 2 to 3",
        "    stopped at slice 4: no mask found",
        "    look at 1 slices: 3",
    ]


def test_labels_are_written_as_ome_zarr_too(files):
    folder, _ = files
    stack, seeds = str(folder / "stack.tif"), str(folder / "seeds.tif")
    arguments = ["--seeds", seeds, "--last", "3", "--first", "2", "--only", "5"]
    for out in ("out.tif", "out.zarr"):
        assert main(["propagate", stack, *arguments, "-o", str(folder / out)]) == 0
    with open_labels(folder / "out.zarr") as found:
        np.testing.assert_array_equal(found[:], tifffile.imread(folder / "out.tif"))


def test_a_rough_picture_and_a_rough_stack_are_refined(files, capsys):
    folder, truth = files
    rough = np.roll(truth, 3, axis=2)
    stack = tifffile.imread(folder / "stack.tif")
    Image.fromarray(stack[1]).save(folder / "slice.png")
    Image.fromarray(rough[1]).save(folder / "rough.png")
    tifffile.imwrite(folder / "rough.tif", rough)
    before = iou(rough == 300, truth == 300)
    for image, labels, out in (
        ("slice.png", "rough.png", "out.png"), ("stack.tif", "rough.tif", "out.tif")
    ):  # fmt: skip
        arguments = [str(folder / image), "--labels", str(folder / labels)]
        assert main(["refine", *arguments, "-o", str(folder / out), "--json"]) == 0
        (report,) = json.loads(capsys.readouterr().out)["images"]
        report = report["objects"]
        with open_labels(folder / out) as found:
            found = np.asarray(found)
        expected = truth[1] if out == "out.png" else truth
        assert found.shape == expected.shape
        for id_ in (5, 300):
            assert iou(found == id_, expected == id_) > before
            assert 0.5 < report[str(id_)]["iou_with_old"] < 1
            assert report[str(id_)]["kept_old"] == []
    assert main(["refine", *arguments, "-o", str(folder / "again.tif")]) == 0
    assert "object 300: score 0." in capsys.readouterr().out
