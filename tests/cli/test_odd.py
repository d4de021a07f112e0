"""Odd things in a folder: a row in the table of failures for each, and all else is done."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_sam.cli.commands import gui
from napari_sam.cli.main import main
from napari_sam.inference.automatic import search
from napari_sam.progress import Progress
from napari_sam.results import Proposal, SearchResult

GOOD = ("a.tif", "new\nline\x1b[2J.tif", "sur\udcffro.tif", "sub/a.tif", "[a]*.tif", "d.tif/in.tif")
ODD = {
    "loop.tif": "is a link that leads to no file",
    "dangling.tif": "is a link that leads to no file",
    "pipe.tif": "is no file but a pipe or a device",
    "pipe.png": "is no file but a pipe or a device",
    "pipe.czi": "is no file but a pipe or a device",
    "device.tif": "is no file but a pipe or a device",
    "empty.tif": "the file is empty",
    "text.tif": "cannot be read",
    "folder.tif": "is no picture of the kinds",
    "x" * 240 + ".tif": "is too long for this disk",
}


@pytest.fixture
def odd(tmp_path, monkeypatch):
    """A folder of them; everything bright in a picture is one object."""

    def find(predictor, image, settings, **named):
        one = Proposal.of(image > 100, image, score=0.9, stability=0.9, point=(0, 0))
        yield Progress(1, 1, SearchResult([], [one]))

    monkeypatch.setattr(search, "iter_proposals", find)
    monkeypatch.setenv("NAPARI_SAM_EMBEDDINGS", str(tmp_path / "embeddings"))
    monkeypatch.chdir(tmp_path)
    for name in ("sub", "d.tif", "folder.tif"):
        (tmp_path / "in" / name).mkdir(parents=True)
    for number, name in enumerate([*GOOD, "x" * 240 + ".tif"]):
        picture = np.random.default_rng(number).integers(0, 20, (32, 48)).astype(np.uint8)
        picture[8:20, 10:22] = 200
        tifffile.imwrite("picture.tif", picture)
        os.rename("picture.tif", Path("in", name))
    for name, leads in {"loop.tif": "loop.tif", "dangling.tif": "nowhere", "sub/up": ".."}.items():
        Path("in", name).symlink_to(leads)
    Path("in", "device.tif").symlink_to("/dev/zero")
    for name in ("pipe.tif", "pipe.png", "pipe.czi"):
        os.mkfifo(Path("in", name))
    Path("in", "empty.tif").touch()
    Path("in", "text.tif").write_text("no picture")
    return tmp_path


@pytest.mark.parametrize("command", ["segment", "embed"])
def test_one_odd_thing_is_one_row(odd, capsys, command):
    more = ["-o", "out"] if command == "segment" else []
    failing = {name: said for name, said in ODD.items() if more or not name.startswith("xx")}
    assert main([command, "in", "--json", "-q", "--device", "cpu", *more]) == 1
    out, err = capsys.readouterr()
    report = json.loads(out)
    assert {Path(name).name for name in report["failures"]} == {*failing}
    for name, said in failing.items():
        assert said in report["failures"][str(Path("in", name))]
    done = {one.get("image", one.get("path")) for one in report["images"]}
    assert {str(Path("in", name)) for name in GOOD} <= done
    lines = err.splitlines()
    assert len(lines) == 1 + len(failing)
    assert lines[0].startswith(f"napari-sam: {len(failing)} of ")
    assert all(line.isprintable() for line in lines)


def test_names_that_a_terminal_cannot_show_are_said(odd, capsys):
    assert main(["segment", *(f"in/{name}" for name in GOOD[1:3]), "-o", "out"]) == 0
    out, _ = capsys.readouterr()
    assert "in/new\\nline\\x1b[2J.tif: 1 objects" in out
    assert "in/sur\\udcffro.tif: 1 objects" in out
    assert len(out.splitlines()) == 4


def test_what_is_half_there_is_made_again(odd, capsys):
    arguments = ["segment", "in/a.tif", "in/sub/a.tif", "-o", "out", "--resume", "--json", "-q"]
    assert main(arguments) == 0
    first, second = (Path(one["labels"]) for one in json.loads(capsys.readouterr().out)["images"])
    for half in (
        b"",
        b"{}",
        b"[]",
        b"\xff",
        first.with_name(f"{first.name}.json").read_bytes()[:-9],
    ):
        first.with_name(f"{first.name}.json").write_bytes(half)
        assert main(arguments) == 0
        images = json.loads(capsys.readouterr().out)["images"]
        assert ["skipped" in one for one in images] == [False, True]
    second.unlink()
    second.mkdir()
    assert main(arguments) == 1
    report = json.loads(capsys.readouterr().out)
    assert ["skipped" in one for one in report["images"]] == [True]
    assert "is a folder, where a file is needed" in report["failures"]["in/sub/a.tif"]


@pytest.mark.parametrize("output", ["plain", "plain/deep"])
def test_a_place_that_cannot_be_written_fails_before_the_model_is_loaded(odd, capsys, output):
    """A file in the place of the folder, over which root cannot write either."""
    Path("plain").touch()
    arguments = ["in/a.tif", "in/sub/a.tif", "-o", output, "--model", "cells_tiny"]
    assert main(["segment", *arguments]) == 1
    _, err = capsys.readouterr()
    assert "2 of 2 failed" in err
    assert err.count("is needed as a folder, and a file of that name is in its way") == 2
    assert "%" not in err


def test_a_named_thing_that_is_missing_stops_no_other(odd, capsys):
    named = ["in/a.tif", "none.tif", "in/no*", "in/" + "y" * 300]
    assert main(["segment", *named, "-o", "out", "--json", "-q"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert [one["image"] for one in report["images"]] == ["in/a.tif"]
    assert [*report["failures"]] == named[1:]
    assert main(["segment", "none.tif", "in/no*", "-o", "out"]) == 1
    assert capsys.readouterr().err == "napari-sam: there is no picture or folder 'none.tif'\n"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PermissionError(13, os.strerror(13), "x"), "x may not be read or written by you"),
        (MemoryError(), "the memory is not enough"),
    ],
)
def test_the_last_net_says_it_in_a_sentence(monkeypatch, capsys, error, said):
    def fail(chosen):
        raise error

    monkeypatch.setattr(gui, "run", fail)
    assert main(["gui"]) == 1
    assert capsys.readouterr().err.startswith(f"napari-sam: {said}")


@pytest.mark.parametrize(
    ("name", "said"), [("", "is empty"), (" ", "is empty"), ("in", "a folder")]
)
def test_a_model_that_is_none_is_said(odd, capsys, name, said):
    assert main(["segment", "in/a.tif", "-o", "out", "--model", name]) == 1
    assert said in capsys.readouterr().err
