from __future__ import annotations

import hashlib
import logging
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import xxhash

from napari_sam.errors import CheckpointError, DownloadError, InputError
from napari_sam.model.build import SIZES
from napari_sam.zoo import catalogue

BODY = b"weights" * 1000
ENTRY = catalogue.Entry(
    "mine",
    "vit_t",
    url="http://localhost/mine.pt",
    filename="mine.pt",
    size=len(BODY),
    sha256=hashlib.sha256(BODY).hexdigest(),
)
XX_ENTRY = catalogue.Entry(
    "mine_lm",
    "vit_t",
    url="http://localhost/s/abc",
    filename="mine_lm.pt",
    size=len(BODY),
    xxh128=xxhash.xxh128_hexdigest(BODY),
)


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    monkeypatch.setenv("NAPARI_SAM_MODELS", str(tmp_path / "ours"))
    monkeypatch.setenv("MICROSAM_CACHEDIR", str(tmp_path / "micro_sam"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return tmp_path


@pytest.fixture
def sent(monkeypatch):
    """Two entries whose download writes what `sent` holds, and counts."""
    calls = []

    def download(url, target, known_hash, size, progress):
        calls.append(url)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(BODY)
        if progress:
            progress(len(BODY), size)

    monkeypatch.setattr(catalogue, "download", download)
    monkeypatch.setattr(catalogue, "entries", lambda: {e.name: e for e in (ENTRY, XX_ENTRY)})
    return calls


DECODER = replace(XX_ENTRY, name="mine_decoder", config="decoder", filename="d.pt", url="http://d")


def write(path, body=BODY):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    return path


def test_every_entry_is_complete():
    entries = catalogue.entries()
    assert next(iter(entries)) == "cells_tiny"
    for name, entry in entries.items():
        assert entry.name == name
        assert entry.config in {*SIZES, "decoder"}
        assert entry.loadable == (not name.endswith("_decoder"))
        if not entry.loadable:
            model = entries[name.removesuffix("_decoder")]
            assert catalogue.decoder_of(model) is entry
            assert model.decoder == entry.digest
            assert (model.title, model.licence) == (entry.title, entry.licence)
        assert entry.licence
        assert entry.citation
        if name == "cells_tiny":
            continue
        assert entry.url.startswith("https://")
        assert "{" not in entry.url
        kind, value = entry.digest.split(":")
        assert len(bytes.fromhex(value)) == {"sha256": 32, "xxh128": 16}[kind]
        assert name.startswith(entry.config) or not entry.loadable


def test_no_two_entries_share_a_file():
    entries = catalogue.entries().values()
    for field in ("filename", "xxh128", "url"):
        values = [getattr(entry, field) for entry in entries if entry.url]
        values = [value for value in values if value]
        assert len(set(values)) == len(values)


def test_known_entries():
    entries = catalogue.entries()
    assert entries["vit_b"].url.endswith("segment_anything/sam_vit_b_01ec64.pth")
    assert entries["vit_b"].filename == "sam_vit_b_01ec64.pth"
    assert entries["vit_b"].digest.startswith("sha256:ec2df627")
    assert entries["vit_b"].intensity == "percentile"
    assert entries["vit_t"].filename == "mobile_sam.pt"
    lm = entries["vit_b_lm"]
    assert lm.url.endswith("bioimage.io/diplomatic-bug/1.2/files/vit_b.pt")
    assert (lm.filename, lm.intensity, lm.licence) == ("vit_b_lm.pt", "min_max", "CC-BY-4.0")
    assert lm.digest == "xxh128:fe9252a29f3f4ea53c15a06de471e186"
    assert entries["vit_h_histopathology"].url.endswith("/s/L7AcvVz7DoWJ2RZ/download")
    sam2 = entries["sam2_tiny"]
    assert sam2.url.endswith("segment_anything_2/092824/sam2.1_hiera_tiny.pt")
    assert (sam2.filename, sam2.licence) == ("sam2.1_hiera_tiny.pt", "Apache-2.0")
    assert sam2.digest.startswith("sha256:7402e0d8")
    assert "photographs" in sam2.purpose
    assert entries["cells_tiny"].filename == "cells_tiny.safetensors"


def test_an_unknown_name_offers_the_nearest():
    with pytest.raises(InputError, match="vit_b_lm"):
        catalogue.lookup("vitb_lm")
    with pytest.raises(InputError, match="models list"):
        catalogue.lookup("zzz")


def test_the_folder_comes_from_environment_then_setting_then_cache(monkeypatch, tmp_path):
    monkeypatch.setattr(catalogue, "load_settings", lambda: zoo_settings("~/chosen"))
    assert catalogue.models_folder() == tmp_path / "ours"
    monkeypatch.delenv("NAPARI_SAM_MODELS")
    assert catalogue.models_folder() == Path.home() / "chosen"
    monkeypatch.setattr(catalogue, "load_settings", lambda: zoo_settings(None))
    assert "napari-sam" in str(catalogue.models_folder())


def zoo_settings(folder):
    from napari_sam.settings import Settings

    return Settings(models_folder=folder)


def test_status_counts_megabytes_until_the_file_is_there(folders):
    entries = catalogue.entries()
    assert catalogue.status(entries["cells_tiny"]) == "built in"
    assert catalogue.status(entries["vit_b"]) == "will download 375 MB"
    assert catalogue.status(entries["vit_b_lm_v2_decoder"]) == "will download about 38 MB"
    assert catalogue.status(entries["vit_b_lm"]) == "will download about 413 MB"  # with its decoder
    write(folders / "ours" / "mine.pt", BODY[:-1])
    assert catalogue.status(ENTRY) == "will download 0 MB"
    write(folders / "ours" / "mine.pt")
    assert catalogue.status(ENTRY) == "cached"


@pytest.fixture
def with_decoder(sent, monkeypatch):
    """A model and its instance decoder, neither of which is here."""
    monkeypatch.setattr(catalogue, "entries", lambda: {e.name: e for e in (ENTRY, DECODER)})
    return sent


def test_an_instance_decoder_comes_with_its_model(folders, with_decoder):
    seen = []
    path = folders / "ours" / "mine.pt"
    assert catalogue.fetch("mine", lambda *step: seen.append(step)) == path
    assert with_decoder == [ENTRY.url, DECODER.url]
    assert seen == 2 * [(len(BODY), len(BODY))]
    assert catalogue.ready(DECODER) == folders / "ours" / "d.pt"
    assert catalogue.fetch("mine") == path
    assert len(with_decoder) == 2  # both are here
    (folders / "ours" / "d.pt").unlink()
    assert catalogue.fetch_decoder(ENTRY) == folders / "ours" / "d.pt"


def test_a_decoder_that_cannot_be_had_keeps_nobody_from_the_model(
    folders, with_decoder, monkeypatch, caplog
):
    def offline(*_):
        raise DownloadError("no network")

    path = write(folders / "ours" / "mine.pt")
    monkeypatch.setattr(catalogue, "download", offline)
    with caplog.at_level(logging.WARNING):
        assert catalogue.fetch("mine") == path
    assert "mine is used without its instance decoder: no network" in caplog.text
    assert catalogue.status(ENTRY) == "cached"
    with pytest.raises(DownloadError):
        catalogue.fetch("mine_decoder")


def test_a_model_without_a_decoder_has_none(sent):
    assert catalogue.fetch_decoder(XX_ENTRY) is None
    assert sent == []


@pytest.mark.parametrize("place", ["micro_sam/models/mine", "torch/hub/checkpoints/mine.pt"])
def test_files_of_other_programs_are_used_when_they_are_right(folders, sent, place):
    path = write(folders / place)
    assert catalogue.ready(ENTRY) == path
    assert catalogue.fetch("mine") == path
    assert sent == []


def test_a_wrong_file_of_another_program_is_left_alone(folders, sent):
    path = write(folders / "micro_sam/models/mine", BODY[::-1])
    assert catalogue.ready(ENTRY) is None
    assert catalogue.fetch("mine") == folders / "ours" / "mine.pt"
    assert path.read_bytes() == BODY[::-1]


@pytest.mark.parametrize("entry", [ENTRY, XX_ENTRY])
@pytest.mark.parametrize("body", [BODY[:-1], BODY[::-1], b""])
def test_a_damaged_file_of_ours_is_refused_then_replaced_by_fetch(folders, sent, entry, body):
    path = write(folders / "ours" / entry.filename, body)
    with pytest.raises(CheckpointError, match=f"models download {entry.name}"):
        catalogue.ready(entry)
    seen = []
    assert catalogue.fetch(entry.name, lambda *step: seen.append(step)) == path
    assert catalogue.ready(entry) == path
    assert sent == [entry.url]
    assert seen == [(len(BODY), len(BODY))]


def test_a_file_is_hashed_again_only_after_a_change(folders, monkeypatch):
    path = write(folders / "ours" / "mine.pt")
    assert catalogue.ready(ENTRY) == path
    hashed = []
    monkeypatch.setattr(catalogue, "has_hash", lambda *args: hashed.append(args))
    assert catalogue.ready(ENTRY) == path
    assert hashed == []
    write(path, BODY[::-1])
    with pytest.raises(CheckpointError):
        catalogue.ready(ENTRY)
    assert len(hashed) == 1


@pytest.mark.parametrize("text", ["{", "[]", "{}"])
def test_a_damaged_record_only_costs_a_hash(folders, text):
    path = write(folders / "ours" / "mine.pt")
    (folders / "ours" / "verified.json").write_text(text)
    assert catalogue.ready(ENTRY) == path


def test_missing_built_in_weights_say_install_again(monkeypatch, tmp_path):
    monkeypatch.setattr(catalogue, "MODELS", tmp_path / "model" / "pretrained")
    entry = catalogue.Entry("cells_tiny", "cells_tiny", filename="cells_tiny.safetensors")
    monkeypatch.setattr(catalogue, "entries", lambda: {"cells_tiny": entry})
    for call in (lambda: catalogue.ready(entry), lambda: catalogue.fetch("cells_tiny")):
        with pytest.raises(CheckpointError, match="install it again"):
            call()
    path = write(tmp_path / "model" / "pretrained" / "cells_tiny.safetensors")
    assert catalogue.fetch("cells_tiny") == path


def test_the_zoo_needs_no_torch():
    code = (
        "import sys, napari_sam.zoo.catalogue as zoo; zoo.entries(); "
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
