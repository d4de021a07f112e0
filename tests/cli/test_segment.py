"""`napari-sam segment` on files, as a user calls it."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_sam.cli.main import main
from napari_sam.inference import grid

CENTRES = [(14, 16), (30, 46)]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A picture of two bright discs, and a stack of two slices of it."""
    monkeypatch.setenv("NAPARI_SAM_EMBEDDINGS", str(tmp_path / "embeddings"))
    rows, columns = np.indices((48, 64))
    image = np.random.default_rng(0).integers(0, 20, (48, 64)).astype(np.uint8)
    for row, column in CENTRES:
        image[(rows - row) ** 2 + (columns - column) ** 2 <= 64] += 180
    Image.fromarray(image).save(tmp_path / "cells.png")
    tifffile.imwrite(tmp_path / "stack.tif", np.stack([image, image[::-1]]))
    return tmp_path


def segment(folder, images, output, *more):
    paths = [str(folder / image) for image in images]
    return main(["segment", *paths, "-o", str(folder / output), "--points", "8", *more])


def test_a_picture(folder, capsys):
    assert segment(folder, ["cells.png"], "out.tif") == 0
    labels = tifffile.imread(folder / "out.tif")
    assert labels.shape == (48, 64)
    discs = {labels[centre] for centre in CENTRES}
    assert len(discs - {0}) == 2
    said = capsys.readouterr().out
    assert f"cells.png: {labels.max()} objects" in said
    assert f"Labels: {folder / 'out.tif'}" in said


def test_thresholds_and_json(folder, capsys):
    high = ("--min-score", "0.999", "--min-stability", "0.999", "--json")
    assert segment(folder, ["cells.png"], "out.tif", *high) == 0
    (report,) = json.loads(capsys.readouterr().out)["images"]
    assert report["objects"] == 0
    assert not tifffile.imread(folder / "out.tif").any()


def test_several_pictures_and_slices(folder, capsys):
    assert segment(folder, ["cells.png", "stack.tif"], "labels") == 0
    assert {path.name for path in (folder / "labels").iterdir()} == {
        *("cells_labels.tif", "stack_labels.tif")
    }
    stack = tifffile.imread(folder / "labels" / "stack_labels.tif")
    assert stack.shape == (2, 48, 64)
    first, second = (set(np.unique(one)) - {0} for one in stack)
    assert first == set(range(1, len(first) + 1))
    assert second == set(range(len(first) + 1, len(first) + len(second) + 1))
    assert "2 objects" in capsys.readouterr().out


def test_what_was_done_before_an_interruption_is_kept(folder, monkeypatch, capsys):
    whole, searched = grid.iter_proposals, []

    def interrupted(*given, **named):
        searched.append(None)
        if len(searched) == 2:
            raise KeyboardInterrupt
        return whole(*given, **named)

    monkeypatch.setattr(grid, "iter_proposals", interrupted)
    assert segment(folder, ["stack.tif"], "out.tif") == 130
    labels = tifffile.imread(folder / "out.tif")
    assert labels[0].any()
    assert not labels[1].any()
    assert "what was done is in" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("images", "output", "message"),
    [
        (["missing.tif"], "out.tif", "there is no picture or folder"),
        (["cells.png", "stack.tif"], "out.tif", "2 pictures need a folder"),
        (["cells.png"], "cells.png", "is an input, too"),
        (["cells.png", "cells.png"], "labels", "the same name"),
    ],
)
def test_what_cannot_be_done_is_said(folder, capsys, images, output, message):
    assert segment(folder, images, output) == 1
    assert message in capsys.readouterr().err


def test_bad_options(folder, capsys):
    with_no_points = ["segment", str(folder / "cells.png"), "-o", "x.tif", "--points", "0"]
    assert main(with_no_points) == 1
    assert "points_per_side must be at least 1" in capsys.readouterr().err
