"""`napari-sam segment --text` on files, as a user calls it."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tifffile

from napari_sam.batch.words import reader_of
from napari_sam.cli.main import main
from napari_sam.text.search import WordsMap
from tests.fakes import FakeEncoder

DISCS = {"large": (24, 24, 15), "usual": (24, 60, 8), "small": (24, 84, 5)}
SHAPE = 48, 96


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A picture of three bright discs, a stack of it, and an encoder that knows large and small."""
    monkeypatch.setenv("NAPARI_SAM_EMBEDDINGS", str(tmp_path / "embeddings"))
    monkeypatch.setattr("napari_sam.text.load.load_encoder", lambda name: FakeEncoder())
    reader_of.cache_clear()  # another test of this process may have loaded the real one
    rows, columns = np.indices(SHAPE)
    image = np.random.default_rng(0).integers(0, 20, SHAPE).astype(np.uint8)
    for row, column, radius in DISCS.values():
        image[(rows - row) ** 2 + (columns - column) ** 2 <= radius**2] += 180
    tifffile.imwrite(tmp_path / "cells.tif", image)
    tifffile.imwrite(tmp_path / "stack.tif", np.stack([image, image]), metadata={"axes": "ZYX"})
    yield tmp_path
    reader_of.cache_clear()


@pytest.fixture
def segment(folder, capsys):
    """Return a function that runs the command; it returns labels, the report and stderr."""

    def segment(image, *more):
        output = folder / "out.tif"
        path = str(folder / image)
        seeds = "--seeds", "maxima", "--points", "8"
        code = main(["segment", path, "-o", str(output), *seeds, "--json", *more])
        assert code == 0
        said = capsys.readouterr()
        [report] = json.loads(said.out)["images"]
        return tifffile.imread(output), report, said.err

    return segment


def at(labels, name):
    return int(labels[..., DISCS[name][0], DISCS[name][1]].max())


def test_what_fits_is_kept_and_named(segment):
    labels, report, _ = segment("cells.tif", "--text", "large", "--text", "small")
    names = {name: report["words"].get(str(at(labels, name))) for name in DISCS}
    assert names == {"large": "large", "usual": None, "small": "small"}
    assert report["objects"] == len(report["words"])


def test_one_word_or_the_other(segment):
    large, small = (segment("cells.tif", "--text", word)[0] > 0 for word in ("large", "small"))
    assert at(large, "large")
    assert at(small, "small")
    assert not (large & small).any()


def test_how_well_and_how_many(segment):
    words = "--text", "small", "--similarity"
    labels, _, _ = segment("cells.tif", *words, "0.5")
    assert at(labels, "usual")
    assert at(labels, "small")
    labels, _, _ = segment("cells.tif", *words, "0", "--top", "1")
    assert labels.max() == 1


def test_through_a_stack(segment):
    labels, report, _ = segment("stack.tif", "--text", "large", "--text", "small")
    assert report["linked"] == "z"
    assert at(labels[0], "large") == at(labels[1], "large") != at(labels[0], "small")
    assert report["words"][str(at(labels, "large"))] == "large"
    assert report["words"][str(at(labels, "small"))] == "small"


def test_one_area_of_each(segment, monkeypatch):
    classes = np.zeros(SHAPE, np.int32)
    classes[:10], classes[20:] = 2, 1

    def map_words(predictor, encoder, embedding, words):
        return WordsMap(classes, tuple(words), np.full(len(words), 0.8, np.float32))

    monkeypatch.setattr("napari_sam.text.search.map_words", map_words)
    words = [item for word in ("small", "large", "blue") for item in ("--text", word)]
    labels, report, err = segment("stack.tif", *words, "--semantic")
    np.testing.assert_array_equal(labels, [classes, classes])
    assert report["words"] == {"1": "small", "2": "large"}
    assert report["linked"] is None
    assert "'blue' is not among the words" in err


def test_nothing_fits(folder, segment, capsys):
    labels, report, err = segment("cells.tif", "--text", "traffic lights")
    assert "warning: 'traffic lights' is not among the words that fake knows" in err
    assert not labels.any()
    assert (report["objects"], report["words"]) == (0, {})
    output = str(folder / "out.tif")
    assert main(["segment", str(folder / "cells.tif"), "-o", output, "--text", "blue"]) == 0
    assert "cells.tif: nothing fits the words" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        (["--top", "3"], "--top needs --text"),
        (["--semantic"], "--semantic needs --text"),
        (["--text", " "], "say in words what to look for"),
        (["--text", "small", "--text", "small"], "a class of its own"),
        (["--text", "small", "--semantic", "--top", "3"], "--semantic finds areas"),
        (["--text", "small", "--top", "0"], "--top must be at least 1"),
    ],
)
def test_arguments_that_do_not_fit(folder, capsys, more, problem):
    images = str(folder / "cells.tif"), "-o", str(folder / "out.tif")
    assert main(["segment", *images, *more]) == 1
    assert problem in capsys.readouterr().err
    assert not (folder / "out.tif").exists()
