"""Pictures above the size that is looked at whole: `refine` and `embed` in windows and tiles."""

from __future__ import annotations

import json

import numpy as np
import pytest
import zarr

from napari_sam.batch import refine_large
from napari_sam.cli.main import main
from napari_sam.inference import pyramid

SHAPE = (200, 260)


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch, tmp_path):
    """Take pictures of more than 100 x 100 pixels for large ones, and tiles of 128 pixels."""
    for name, value in {"ALONE": 100, "SIDE": 128, "STEP": 64, "MAX_SPAN": 64}.items():
        monkeypatch.setattr(pyramid, name, value)
    monkeypatch.setenv("NAPARI_SAM_EMBEDDINGS", str(tmp_path / "kept"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def discs(tmp_path):
    """Write a picture of three discs, and labels that are too wide; return how wide they are."""
    rows, columns = np.ogrid[: SHAPE[0], : SHAPE[1]]
    picture, rough = np.full(SHAPE, 20, np.uint8), np.zeros(SHAPE, np.uint16)
    for number, (row, column) in enumerate([(40, 40), (150, 70), (100, 215)], 1):
        away = np.hypot(rows - row, columns - column)
        picture[away < 16] = 190
        rough[away < 20] = number
    zarr.save_array(tmp_path / "a.zarr", picture)
    zarr.save_array(tmp_path / "rough.zarr", rough)
    return np.bincount(rough.ravel())[1:]


def refine(output):
    return main(["refine", "a.zarr", "--labels", "rough.zarr", "-o", output, "--quiet"])


def test_refined_in_windows_and_gone_on_with(discs, monkeypatch, tmp_path):
    written = []
    real = refine_large._write

    def stopped(path, mark, got):
        real(path, mark, got)
        written.append(path)
        raise KeyboardInterrupt

    monkeypatch.setattr("napari_sam.io.label_stores.objects.SIDE", 90)
    monkeypatch.setattr(refine_large, "_write", stopped)
    assert refine("sharp.zarr") == 130
    monkeypatch.setattr(
        refine_large, "_write", lambda *asked: written.append(asked[0]) or real(*asked)
    )
    assert refine("sharp.zarr") == 0
    assert len(written) == len(set(written)) == 3  # nothing twice
    after = zarr.open_group(tmp_path / "sharp.zarr")["0"][:]
    areas = np.bincount(after.ravel())[1:]
    assert len(areas) == 3
    assert (areas < 0.85 * discs).all()
    about = json.loads((tmp_path / "sharp.zarr.json").read_text())["report"]["objects"]
    assert sorted(about) == ["1", "2", "3"]
    assert about["2"]["kept_old"] == []


def test_tiles_are_embedded_once_and_empty_ones_not_at_all(discs, capsys):
    def embed():
        assert main(["embed", "a.zarr", "--json", "--quiet"]) == 0
        return json.loads(capsys.readouterr().out)["images"][0]

    first, again = embed(), embed()
    tiles = pyramid.tiles_of(SHAPE)
    assert (first["unit"], first["slices"], first["kept"]) == ("tiles", len(tiles), len(tiles))
    picture = zarr.open_array("a.zarr")[:]
    seen = [picture[top:bottom, left:right] for top, left, bottom, right in (t.box for t in tiles)]
    assert first["embedded"] == sum(part.min() < part.max() for part in seen) < len(tiles)
    assert again["embedded"] == 0
