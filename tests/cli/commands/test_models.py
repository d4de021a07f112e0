from __future__ import annotations

import hashlib
import json
import os

import pytest

from napari_sam.cli.main import main
from napari_sam.zoo import catalogue

BODY = b"weights" * 1000
ENTRY = catalogue.Entry(
    "net",
    "vit_t",
    title="Nets",
    url="http://localhost/net.pt",
    filename="net.pt",
    size=len(BODY),
    sha256=hashlib.sha256(BODY).hexdigest(),
    licence="CC0",
    citation="Somebody 2026",
)
DECODER = catalogue.Entry(
    "big_decoder", "decoder", title="Nets", url="http://localhost/d", filename="d"
)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Two entries; a download writes the right bytes."""

    def download(url, target, known_hash, size, progress):
        target.parent.mkdir(parents=True, exist_ok=True)
        progress(len(BODY), size)
        target.write_bytes(BODY)

    monkeypatch.setenv("NAPARI_SAM_MODELS", str(tmp_path / "ours"))
    monkeypatch.setenv("MICROSAM_CACHEDIR", str(tmp_path / "micro_sam"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(catalogue, "download", download)
    monkeypatch.setattr(catalogue, "entries", lambda: {"net": ENTRY, "big_decoder": DECODER})
    return tmp_path / "ours"


def run(capsys, *arguments):
    status = main(["models", *arguments])
    return status, capsys.readouterr()


def test_list_shows_status_licence_and_credit(capsys, folder):
    status, printed = run(capsys, "list")
    assert status == 0
    for words in ("Nets", "CC0", "Somebody 2026", "will download 0 MB", "loaded with", str(folder)):
        assert words in printed.out


def test_list_as_json(capsys, folder):
    status, printed = run(capsys, "list", "--json")
    first, second = json.loads(printed.out)
    assert status == 0
    assert (first["name"], first["loadable"], second["loadable"]) == ("net", True, False)
    assert first["sha256"] == ENTRY.sha256
    assert first["status"] == "will download 0 MB"


def test_download_prints_the_path_and_the_terms(capsys, folder):
    status, printed = run(capsys, "download", "net")
    assert status == 0
    assert printed.out == f"{folder / 'net.pt'}\n"
    assert "licence: CC0" in printed.err
    assert (folder / "net.pt").read_bytes() == BODY
    status, printed = run(capsys, "download", "net", "--json")
    report = json.loads(printed.out)
    assert (report["path"], report["status"]) == (str(folder / "net.pt"), "cached")


def test_download_of_an_unknown_name(capsys):
    status, printed = run(capsys, "download", "nett")
    assert status == 1
    assert "did you mean net" in printed.err


def test_verify_tells_right_from_wrong(capsys, folder):
    assert run(capsys, "verify")[0] == 0
    status, printed = run(capsys, "verify", "net")
    assert status == 1
    assert "no file of net is here" in printed.out
    run(capsys, "download", "net")
    status, printed = run(capsys, "verify", "net")
    assert status == 0
    assert printed.out.split() == ["ok", "net", str(folder / "net.pt")]
    # A change that keeps size and date is found too: verifying trusts no earlier result.
    date = (folder / "net.pt").stat().st_mtime_ns
    (folder / "net.pt").write_bytes(BODY[::-1])
    os.utime(folder / "net.pt", ns=(date, date))
    status, printed = run(capsys, "verify", "--json")
    assert status == 1
    assert json.loads(printed.out) == [
        {"name": "net", "path": str(folder / "net.pt"), "intact": False}
    ]


@pytest.fixture
def own_file(folder):
    """One model that the user has trained: a header and no weights."""
    header = {
        "name": "yeast",
        "base": {"name": "net"},
        "what": "decoder",
        "created": "2026-11-24",
        "figures": {"validation": [{"measure": "1 click", "before": 0.5, "after": 0.75}]},
    }
    text = json.dumps({"__metadata__": {"napari_sam": json.dumps(header)}}).encode()
    path = folder / "own" / "yeast.safetensors"
    path.parent.mkdir(parents=True)
    path.write_bytes(len(text).to_bytes(8, "little") + text)
    return path


def test_list_shows_own_models_last(capsys, own_file):
    printed = run(capsys, "list")[1].out
    _, own = printed.split("Your own models\n")
    words = "yeast decoder on net, 2026-11-24, 1 click: IoU 0.50 to 0.75"
    assert own.split("\n")[0].split() == words.split()
    *_, last = json.loads(run(capsys, "list", "--json")[1].out)
    assert (last["name"], last["status"], last["path"]) == ("yeast", "yours", str(own_file))
    assert last["loadable"]
    assert last["base"] == {"name": "net"}
    assert last["figures"]["validation"][0]["after"] == 0.75


def test_verify_leaves_own_models_alone(capsys, own_file):
    status, printed = run(capsys, "verify", "--json")
    assert (status, json.loads(printed.out)) == (0, [])


def test_remove_deletes_own_models_only(capsys, own_file):
    status, printed = run(capsys, "remove", "net")
    assert status == 1
    assert "no model of your own named 'net'" in printed.err
    status, printed = run(capsys, "remove", "yeast")
    assert (status, printed.out) == (0, f"{own_file}\n")
    assert not own_file.exists()
    assert run(capsys, "remove", "yeast", "--json")[0] == 1
