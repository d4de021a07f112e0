"""The commands on a cluster write what they write without one, byte for byte."""

from __future__ import annotations

import json
import os
import re
import signal
import threading
import time
import zipfile

import numpy as np
import pytest
import tifffile
from distributed import Client

from napari_sam.cli.main import main
from tests.inference.moving import draw


@pytest.fixture(autouse=True)
def one_thread(monkeypatch, tmp_path):
    """Results are equal to the last bit only with as many threads; workers have one."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("NAPARI_SAM_EMBEDDINGS", str(tmp_path / "embeddings"))


@pytest.fixture
def stack(tmp_path):
    """Return labels of three discs on four slices, and write a picture of them."""
    places = {1: (24, 20, 9), 2: (25, 46, 8), 3: (60, 40, 10)}
    discs = draw({id_: lambda z, at=at: at for id_, at in places.items()}, 4, (80, 66))
    discs = np.where(np.isin(discs, list(places)), discs, 0).astype(np.uint16)
    noise = np.random.default_rng(0).integers(0, 50, discs.shape)
    stack = ((discs > 0) * 150 + noise).astype(np.uint8)
    tifffile.imwrite(tmp_path / "stack.tif", stack, photometric="minisblack")
    return discs


def run(cluster, *arguments):
    return main([*map(str, arguments), "--device", "cpu", "--scheduler", cluster.scheduler_address])


def here(*arguments):
    return main([*map(str, arguments), "--device", "cpu"])


def content(path):
    """Return all bytes but the random number that every OME-TIFF carries."""
    return re.sub(rb"urn:uuid:[0-9a-f-]+", b"", path.read_bytes())


def files(folder):
    """Return the content of all files, at any depth."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): content(path) for path in paths}


def arrays(folder):
    """Return what is in the embeddings' archives, whose dates differ."""
    contents = {}
    for path in folder.iterdir():
        with zipfile.ZipFile(path) as archive:
            contents[path.name] = {name: archive.read(name) for name in archive.namelist()}
    return contents


def kill_one(cluster, folder):
    """Kill a worker as soon as the first results are there."""
    while len(list(folder.rglob("*.npz"))) < 2:
        time.sleep(0.01)
    with Client(cluster.scheduler_address, set_as_default=False) as client:
        busy = [worker for worker, tasks in client.processing().items() if tasks]
        pids = client.run(os.getpid)
    os.kill(pids[busy[0]], signal.SIGKILL)


def test_segment_and_embed_with_a_killed_worker(cluster, stack, tmp_path, monkeypatch, capsys):
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    (tmp_path / "stack.tif").rename(pictures / "stack.tif")
    for seed in range(4):
        noise = np.random.default_rng(seed).integers(0, 50, stack[0].shape)
        drawn = (np.roll(stack[0], 3 * seed) > 0) * 120 + noise
        tifffile.imwrite(pictures / f"{seed}.tif", drawn.astype(np.uint8))
    (pictures / "bad.tif").write_bytes(b"no picture")
    labels = {name: tmp_path / name / "labels" for name in ("cluster", "here")}
    kept = {name: tmp_path / name / "embeddings" for name in ("cluster", "here")}
    for folder in labels.values():
        folder.mkdir(parents=True)
    killer = threading.Thread(target=kill_one, args=(cluster, labels["cluster"]))
    killer.start()
    assert run(cluster, "segment", pictures, "-o", labels["cluster"], "--points", 4) == 1
    killer.join()
    assert "bad.tif  cannot be read" in capsys.readouterr().err
    monkeypatch.setenv("NAPARI_SAM_EMBEDDINGS", str(kept["cluster"]))
    assert run(cluster, "embed", pictures) == 1
    (pictures / "bad.tif").unlink()
    again = ("segment", pictures, "-o", labels["cluster"], "--points", 4, "--resume", "--json")
    (labels["cluster"] / "2_labels.tif").unlink()
    capsys.readouterr()
    assert run(cluster, *again) == 0
    report = json.loads(capsys.readouterr().out)["images"]
    assert sorted("skipped" in one for one in report) == [False, True, True, True, True]
    assert here("segment", pictures, "-o", labels["here"], "--points", 4) == 0
    monkeypatch.setenv("NAPARI_SAM_EMBEDDINGS", str(kept["here"]))
    assert here("embed", pictures) == 0
    there, alone = files(labels["cluster"]), files(labels["here"])
    assert there.keys() == alone.keys()
    for name, one in alone.items():
        if name.endswith(".json"):  # they say where they lie, and when they were made
            made, again = (json.loads(text) for text in (there[name], one))
            assert made["report"]["objects"] == again["report"]["objects"]
            assert all(made[what] == again[what] for what in ("inputs", "model", "settings"))
        else:
            assert there[name] == one
    assert any(tifffile.imread(path).any() for path in labels["here"].glob("*.tif"))
    there, alone = arrays(kept["cluster"]), arrays(kept["here"])
    assert len(alone) == 8
    assert there.keys() == alone.keys()
    assert all(there[name] == one for name, one in alone.items())


@pytest.mark.slow
def test_labels_of_every_other_kind(cluster, stack, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rough = np.where(np.roll(stack, 2, axis=2) > 0, stack, 0).astype(np.uint16)
    seeds = stack.copy()
    seeds[1:] = 0
    tifffile.imwrite("rough.tif", rough, photometric="minisblack")
    tifffile.imwrite("seeds.tif", seeds, photometric="minisblack")
    (tmp_path / "boxes.csv").write_text("slice,y0,x0,y1,x1\n0,14,10,34,30\n2,14,10,34,30\n")
    for command, *options in (
        ("refine", "--labels", "rough.tif"),
        ("propagate", "--seeds", "seeds.tif"),
        ("segment", "--boxes", "boxes.csv"),
        ("segment", "--points", "4", "--text", "nuclei"),
        ("segment", "--text", "nuclei", "--text", "background", "--semantic"),
    ):
        written = []
        for name in ("cluster", "here"):
            common = (command, "stack.tif", *options, "-o", f"{name}.tif")
            assert (run(cluster, *common) if name == "cluster" else here(*common)) == 0
            written.append(content(tmp_path / f"{name}.tif"))
        assert written[0] == written[1]
        assert tifffile.imread("here.tif").any()
    assert not list(tmp_path.glob(".*"))


@pytest.mark.slow
def test_evaluate(cluster, stack, tmp_path):
    for number in range(2):
        sample = tmp_path / "data" / "set" / str(number)
        sample.mkdir(parents=True)
        tifffile.imwrite(sample / "labels.tif", stack[number])
        tifffile.imwrite(sample / "image.tif", tifffile.imread(tmp_path / "stack.tif")[number])
    written = []
    for name in ("cluster", "here"):
        common = ("evaluate", tmp_path / "data", "-o", tmp_path / name)
        assert (run(cluster, *common) if name == "cluster" else here(*common)) == 0
        written.append(files(tmp_path / name))
    assert written[0] == written[1]
