"""The list of the user's own models, from the files' headers alone."""

from __future__ import annotations

import json
import logging
import subprocess
import sys

import pytest

from napari_sam.errors import CheckpointError, InputError
from napari_sam.zoo import own_models as own

HEADER = {
    "version": 1,
    "name": "yeast",
    "kind": "adapters",
    "base": {"name": "vit_b", "digest": "sha256:00"},
    "what": "adapters",
    "created": "2026-11-24",
    "figures": {"validation": [{"measure": "1 click", "before": 0.612, "after": 0.798}]},
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("NAPARI_SAM_MODELS", str(tmp_path))
    (tmp_path / "own").mkdir()
    return tmp_path / "own"


def write(path, header=None):
    """A safetensors file of no weights: the length of a JSON text, and the text."""
    metadata = {} if header is None else {"__metadata__": {"napari_sam": json.dumps(header)}}
    text = json.dumps(metadata).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text)
    return path


def test_they_are_listed_by_name(folder):
    write(folder / "b.safetensors", HEADER)
    write(folder / "a.safetensors", HEADER | {"name": "Zebrafish"})
    write(folder / "copied.safetensors")
    write(folder / "c.safetensors.123.part", HEADER | {"name": "unfinished"})
    found = own.own_models()
    assert list(found) == ["copied", "yeast", "Zebrafish"]
    assert found["yeast"].path == folder / "b.safetensors"
    assert found["yeast"].header == HEADER
    assert found["yeast"].about() == "adapters on vit_b, 2026-11-24, 1 click: IoU 0.61 to 0.80"
    assert found["copied"].about() == "trained on an unknown base"


def test_there_are_none_without_the_folder(folder):
    folder.rmdir()
    assert own.own_models() == {}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"short",
        (10**6).to_bytes(8, "little") + b"{}",
        (2).to_bytes(8, "little") + b"[]",
        (4).to_bytes(8, "little") + b"\xff\xfe{}",
        (20_000).to_bytes(8, "little") + b"[" * 20_000,
        b"PK\x03\x04" + bytes(100),
    ],
)
def test_damaged_files_are_left_out_and_named_in_the_log(folder, caplog, body):
    (folder / "bad.safetensors").write_bytes(body)
    write(folder / "good.safetensors", HEADER)
    with caplog.at_level(logging.WARNING):
        assert list(own.own_models()) == ["yeast"]
    assert "bad.safetensors is damaged" in caplog.text
    with pytest.raises(CheckpointError, match=r"bad\.safetensors"):
        own.read_header(folder / "bad.safetensors")


@pytest.mark.parametrize(
    "figures", [{}, {"validation": []}, {"validation": [{}]}, {"validation": 3}]
)
def test_without_figures_it_says_the_rest(folder, figures):
    write(folder / "a.safetensors", HEADER | {"figures": figures})
    assert own.own_models()["yeast"].about() == "adapters on vit_b, 2026-11-24"


def test_a_published_name_is_left_to_the_published_model(folder, caplog):
    write(folder / "a.safetensors", HEADER | {"name": "vit_b"})
    with caplog.at_level(logging.WARNING):
        assert own.own_models() == {}
    assert "vit_b is the name of a published model" in caplog.text


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("yeast on 40x", "yeast on 40x.safetensors"),
        ("../../etc/passwd", "_.._etc_passwd.safetensors"),
        ("a/b\\c:d*e", "a_b_c_d_e.safetensors"),
        (".hidden", "hidden.safetensors"),
        ("...", "model.safetensors"),
        ("細胞", "細胞.safetensors"),
        ("x" * 300, "x" * 50 + ".safetensors"),
    ],
)
def test_files_stay_in_the_folder_whatever_the_name(folder, name, file):
    assert own.own_file(name) == folder / file


def test_two_names_never_share_a_file(folder):
    write(own.own_file("a:b"), HEADER | {"name": "a:b"})
    assert own.own_file("a/b") == folder / "a_b 2.safetensors"


def test_taken_names_offer_a_free_one(folder):
    write(folder / "1.safetensors", HEADER)
    write(folder / "2.safetensors", HEADER | {"name": "yeast 2"})
    assert own.free_name("yeast") == "yeast 3"
    assert own.free_name("new") == "new"
    assert own.free_name("vit_b") == "vit_b 2"
    with pytest.raises(InputError, match=r"you have a model named 'yeast'.*say 'yeast 3'"):
        own.own_file(" yeast ")
    with pytest.raises(InputError, match=r"'vit_b' is the name of a published model.*'vit_b 2'"):
        own.own_file("vit_b")
    with pytest.raises(InputError, match="needs a name"):
        own.own_file("  ")


def test_only_own_models_are_removed(folder):
    path = write(folder / "a.safetensors", HEADER)
    with pytest.raises(InputError, match=r"no model of your own named 'vit_b'"):
        own.remove("vit_b")
    assert own.remove("yeast") == path
    assert not path.exists()
    with pytest.raises(InputError, match="models list"):
        own.remove("yeast")


def test_it_needs_no_torch():
    code = (
        "import sys, napari_sam.zoo.own_models as own; own.own_models(); "
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
