"""`napari-sam embed`, as a user calls it."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_sam.cli.main import main
from napari_sam.settings import Settings, save_settings

STACK = np.random.default_rng(0).integers(0, 4000, (3, 40, 60), dtype=np.uint16)


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    monkeypatch.setattr("napari_sam.settings.settings_path", lambda: tmp_path / "settings.json")
    monkeypatch.setenv("NAPARI_SAM_EMBEDDINGS", str(tmp_path / "kept"))


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "data"
    place.mkdir()
    tifffile.imwrite(place / "stack.tif", STACK, photometric="minisblack")
    Image.fromarray(STACK[0].astype(np.uint8)).save(place / "flat.png")
    return place


def embed(capsys, *arguments):
    status = main(["embed", "--device", "cpu", "--json", *map(str, arguments)])
    return status, json.loads(capsys.readouterr().out)


def test_a_folder_is_embedded_once(folder, tmp_path, capsys):
    status, report = embed(capsys, folder)
    assert status == 0
    assert report["folder"] == str(tmp_path / "kept")
    found = [(p["slices"], p["kept"], p["embedded"], p["problems"]) for p in report["images"]]
    assert found == [(1, 1, 1, []), (3, 3, 3, [])]
    size = sum(path.stat().st_size for path in (tmp_path / "kept").iterdir())
    assert report["bytes"] == size > 0
    next((tmp_path / "kept").iterdir()).unlink()
    again = embed(capsys, folder)[1]
    assert sum(p["embedded"] for p in again["images"]) == 1
    assert again["bytes"] == size


def test_what_the_panel_embeds_is_known(folder, capsys):
    """The panel reads planes of a layer and takes one contrast for all of them."""
    from napari_sam.inference.sampling import sample_stack
    from napari_sam.inference.store.store import open_store
    from napari_sam.serving.segmenter import load_segmenter

    store = open_store()
    segmenter = load_segmenter("cells_tiny", "cpu", lambda *report: None, store)
    contrast = segmenter.contrast(sample_stack(STACK, 3))
    for plane in STACK:
        segmenter.embed(plane, contrast)
    [picture] = embed(capsys, folder / "stack.tif")[1]["images"]
    assert (picture["kept"], picture["embedded"]) == (3, 0)


def test_bad_slices_and_files_are_named_and_the_rest_is_done(folder, capsys):
    holes = STACK.astype(np.float32)
    holes[1] = np.nan
    tifffile.imwrite(folder / "holes.tif", holes, photometric="minisblack")
    (folder / "broken.tif").write_bytes(b"nothing")
    status, report = embed(capsys, folder / "broken.tif", folder / "holes.tif")
    broken, holes = report["images"]
    assert status == 1
    assert "broken.tif cannot be read" in broken["problems"][0]
    assert (holes["slices"], holes["kept"], holes["embedded"]) == (3, 2, 2)
    assert "finite" in holes["problems"][0]
    assert [path.rsplit("/")[-1] for path in report["failures"]] == ["broken.tif", "holes.tif"]
    assert main(["embed", "--quiet", *map(str, folder.glob("*.tif"))]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert [line.split()[0] for line in err.splitlines()[1:]] == [*report["failures"]]


def test_it_stops_where_the_disk_budget_ends(folder, tmp_path, capsys):
    assert main(["embed", "--device", "cpu", str(folder / "flat.png")]) == 0
    [path] = (tmp_path / "kept").iterdir()
    megabytes = round(2.5 * path.stat().st_size / 1e6)
    save_settings(Settings(embeddings_disk_mb=megabytes), tmp_path / "settings.json")
    assert main(["embed", "--clear", "--device", "cpu", str(folder / "stack.tif")]) == 1
    out, err = capsys.readouterr()
    assert "stack.tif: 2 of 3 slices are embedded, 2 of them now" in out
    assert "1 of 1 failed" in err
    assert "there is room for 2 of 3 slices" in err
    assert len(list((tmp_path / "kept").iterdir())) == 2


def test_clearing_needs_no_picture(folder, tmp_path, capsys):
    embed(capsys, folder / "flat.png")
    assert embed(capsys, "--clear") == (
        0, {"folder": str(tmp_path / "kept"), "bytes": 0, "images": [], "failures": {}}
    )  # fmt: skip
    assert list((tmp_path / "kept").iterdir()) == []


def test_what_makes_no_sense_is_refused(folder, tmp_path, capsys):
    assert main(["embed"]) == 1
    assert "--clear" in capsys.readouterr().err
    save_settings(Settings(embeddings_disk_mb=0), tmp_path / "settings.json")
    assert main(["embed", str(folder / "flat.png")]) == 1
    assert "embeddings_disk_mb" in capsys.readouterr().err
