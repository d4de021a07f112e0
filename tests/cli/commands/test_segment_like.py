"""`napari-sam segment --like`: only what is like examples is kept."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_sam.cli.main import main
from tests.text.test_similar import BRIGHT, DARK, SHAPE, disc


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A picture of bright and dark discs, and labels of one bright disc."""
    monkeypatch.setenv("NAPARI_SAM_EMBEDDINGS", str(tmp_path / "embeddings"))
    picture = np.full(SHAPE, 110, np.uint8)
    for places, value in ((BRIGHT, 230), (DARK, 15)):
        for place in places:
            picture[disc(place)] = value
    Image.fromarray(picture).save(tmp_path / "cells.png")
    Image.fromarray(picture[::-1]).save(tmp_path / "turned.png")
    tifffile.imwrite(tmp_path / "like.tif", disc(BRIGHT[0]).astype(np.uint8))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def segment(*arguments):
    return main(["segment", *arguments, "-q"])


def test_a_picture_of_its_own_examples(folder, capsys):
    assert segment("cells.png", "-o", "out.tif", "--like", "like.tif", "--json") == 0
    labels = tifffile.imread("out.tif")
    assert len({labels[at] for at in BRIGHT} - {0}) == 4
    assert not any(labels[at] for at in DARK)
    [report] = json.loads(capsys.readouterr().out)["images"]
    assert set(report["alike"]) == {"likely", "least", "most"}
    assert report["objects"] == report["alike"]["likely"] == labels.max()


def test_examples_in_another_picture(folder):
    images = ["cells.png", "turned.png", "-o", "out"]
    assert segment(*images, "--like", "like.tif", "--like-in", "cells.png") == 0
    labels = tifffile.imread(folder / "out" / "turned_labels.tif")[::-1]
    assert len({labels[at] for at in BRIGHT} - {0}) == 4
    assert not any(labels[at] for at in DARK)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--like", "none.tif"], "there is no file none.tif"),
        (["--like", "like.tif", "--text", "nuclei"], "leave --text out"),
        (["--like", "like.tif", "--similarity", "2"], "between 0 and 1"),
        (["--like-in", "cells.png"], "--like-in needs --like"),
    ],
)
def test_what_makes_no_sense_is_refused(folder, capsys, arguments, why):
    assert segment("cells.png", "-o", "out.tif", *arguments) != 0
    assert why in capsys.readouterr().err


@pytest.mark.parametrize(
    ("labels", "why"),
    [(np.zeros(SHAPE, np.uint8), "holds no object"), (np.ones((9, 9), np.uint8), "shape")],
)
def test_labels_that_are_no_examples_are_refused(folder, capsys, labels, why):
    tifffile.imwrite("odd.tif", labels)
    assert segment("cells.png", "-o", "out.tif", "--like", "odd.tif") != 0
    assert why in capsys.readouterr().err
