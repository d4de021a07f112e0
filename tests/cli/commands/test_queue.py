"""A queue without a window: its table, the rest filled in, and how it was made."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest
import tifffile

from napari_sam.cli.commands import gui
from napari_sam.cli.main import main
from napari_sam.session.queue.queue import State
from napari_sam.session.queue.table import TABLE, read_table


@pytest.fixture(autouse=True)
def own_places(tmp_path, monkeypatch):
    for name in ("NAPARI_SAM_EMBEDDINGS", "NAPARI_SAM_SESSIONS"):
        monkeypatch.setenv(name, str(tmp_path / name))


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    rows, columns = np.indices((96, 96))
    discs = ((rows % 32 - 16) ** 2 + (columns % 32 - 16) ** 2 < 64).astype(np.uint8)
    pixels = np.random.default_rng(2).poisson(20 + 100 * discs).astype(np.uint8)
    tifffile.imwrite(folder / "a.tif", pixels)
    tifffile.imwrite(folder / "stack.tif", np.stack([pixels, pixels]))
    return folder


def test_the_rest_is_filled_in_and_said(folder, capsys):
    (folder / "broken.tif").write_bytes(b"nothing")
    assert main(["queue", str(folder), "--fill", "--device", "cpu", "-q"]) == 1
    assert "broken.tif" in capsys.readouterr().err
    filled, broken, stack = read_table(folder / TABLE)
    assert (filled.state, broken.state, stack.state) == (State.FILLED, State.TODO, State.FILLED)
    assert filled.objects == stack.objects > 0  # both slices of the stack are the same
    assert main(["methods", str(folder), "--json"]) == 0
    about = json.loads(capsys.readouterr().out)
    assert about["objects"]["found"] == 2 * filled.objects
    assert about["models"][0]["name"] == "cells_tiny"
    session, _ = sorted(os.listdir(os.environ["NAPARI_SAM_SESSIONS"]))
    path = os.path.join(os.environ["NAPARI_SAM_SESSIONS"], session)
    assert main(["methods", path]) == 0
    assert f"{filled.objects} found automatically" in capsys.readouterr().out


def test_the_table_is_updated_and_counts_are_said(folder, capsys):
    assert main(["queue", str(folder)]) == 0
    assert "2 pictures: 2 to do; 0 objects" in capsys.readouterr().out
    assert main(["queue", str(folder / TABLE), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["counts"]["to do"] == 2
    assert main(["methods", str(folder)]) == 1
    assert "no saved session" in capsys.readouterr().err


def test_several_pictures_a_folder_and_a_table_are_queues(folder):
    one = folder / "a.tif"
    assert not gui.is_queue([])
    assert not gui.is_queue([one])
    assert gui.is_queue([folder])
    assert gui.is_queue([one, folder / "stack.tif"])
    assert gui.is_queue([folder / "*.tif"])
    assert gui.is_queue([folder / TABLE])
