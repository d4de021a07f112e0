import json

import numpy as np
import pytest

from napari_sam.errors import DISTRIBUTION
from napari_sam.io.labels import write_labels
from napari_sam.io.provenance import describe_run, provenance_path, why_redo, write_provenance

SETTINGS = {"points": 32, "gap": None}


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"picture")
    return path


def about(picture, **changes):
    given = {"model": "cells_tiny", "digest": "sha256:1", "settings": SETTINGS} | changes
    return describe_run("segment", {"image": picture}, **given)


@pytest.fixture
def output(tmp_path, picture):
    path = tmp_path / "a_labels.tif"
    write_labels(path, np.arange(90_000, dtype=np.uint32).reshape(300, 300))
    write_provenance(path, about(picture))
    return path


def test_it_says_what_was_used(output, picture):
    said = json.loads(provenance_path(output).read_text("utf-8"))
    assert said["command"] == "segment"
    assert said["inputs"]["image"]["path"] == str(picture)
    assert said["model"] == {"name": "cells_tiny", "digest": "sha256:1"}
    assert set(said["versions"]) == {DISTRIBUTION, "numpy", "torch", "python"}


def test_what_was_made_just_so_is_done(output, picture):
    assert why_redo(output, about(picture)) == ""


def test_other_weights_settings_or_pixels_are_not(output, picture):
    assert "model" in why_redo(output, about(picture, digest="sha256:2"))
    assert "settings" in why_redo(output, about(picture, settings={**SETTINGS, "points": 8}))
    picture.write_bytes(b"another picture")
    assert "inputs" in why_redo(output, about(picture))


def test_nor_is_what_is_missing_damaged_or_made_by_nobody_knows_whom(output, picture):
    whole = output.read_bytes()
    output.write_bytes(whole[: len(whole) // 2])
    assert "damaged" in why_redo(output, about(picture))
    output.write_bytes(whole)
    for odd in ("{", "[1]", "[" * 100_000):
        provenance_path(output).write_text(odd, "utf-8")
        assert "cannot be read" in why_redo(output, about(picture))
    provenance_path(output).unlink()
    assert "nothing says" in why_redo(output, about(picture))
    output.unlink()
    assert "not there" in why_redo(output, about(picture))


def test_labels_that_somebody_corrected_are_done(output, picture):
    write_labels(output, np.tri(300, dtype=np.uint16))
    assert why_redo(output, about(picture)) == ""
