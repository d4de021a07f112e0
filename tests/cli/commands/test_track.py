"""`napari-sam track`."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tifffile

from napari_sam.cli.main import main
from napari_sam.io.labels import write_labels
from napari_sam.io.spacing import Spacing
from tests.tracking.drawn import dividing, renumbered


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    frames = renumbered(dividing()).astype(np.uint16)
    about = {"axis_labels": "tyx", "scale": (2, 0.5, 0.5)}
    units = {"units": ("minute", "micrometer", "micrometer")}
    write_labels(tmp_path / "cells_labels.zarr", frames, Spacing.of(3, about | units))
    return tmp_path


def test_a_series_becomes_a_folder_with_a_division(folder, capsys) -> None:
    assert main(["track", "cells_labels.zarr", "-o", "out"]) == 0
    said = capsys.readouterr().out
    assert "4 tracks of 20 objects on 8 frames, 1 divisions, 0 places to look at" in said
    [made] = (folder / "out").iterdir()
    assert (made / "res_track.txt").read_text().endswith("3 4 7 1\n4 4 7 1\n")
    assert "speed_um_per_min" in (made / "objects.csv").read_text()


def test_tracks_of_others_are_written_in_all_forms(folder, capsys) -> None:
    assert main(["track", "cells_labels.zarr", "-o", "out", "-q"]) == 0
    [made] = (folder / "out").iterdir()
    for source in (made, made / "tracks.geff", made / "objects.csv"):
        assert main(["track", str(source), "-o", f"again_{source.name}", "--json"]) == 0
        [report] = json.loads(capsys.readouterr().out)["series"]
        assert (report["tracks"], report["divisions"]) == (4, 1)


def test_one_bad_series_does_not_stop_the_others(folder, capsys) -> None:
    tifffile.imwrite("flat.tif", np.ones((9, 9), np.uint8))
    assert main(["track", "cells_labels.zarr", "flat.tif", "-o", "out"]) == 1
    told = capsys.readouterr()
    assert "1 of 2 failed" in told.err
    assert "tracks need tyx or tzyx" in told.err
    assert len(list((folder / "out").iterdir())) == 1


def test_depth_is_no_time_unless_it_is_said(folder, capsys) -> None:
    frames = dividing().astype(np.uint16)
    write_labels(folder / "deep.tif", frames, Spacing.of(3, {"axis_labels": "zyx"}))
    assert main(["track", "deep.tif", "-o", "out", "-q"]) == 1
    assert main(["track", "deep.tif", "-o", "out", "-q", "--axes", "tyx"]) == 0


def test_options_reach_the_linker_and_are_checked(folder, capsys) -> None:
    assert main(["track", "cells_labels.zarr", "-o", "out", "--no-divisions", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["series"][0]["divisions"] == 0
    assert main(["track", "cells_labels.zarr", "-o", "out", "--gap", "9"]) == 1
    assert "0 to 2; got 9" in capsys.readouterr().err
