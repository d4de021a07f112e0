from __future__ import annotations

import os
import re
import subprocess
import sys

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image

from napari_sam.cli.commands import demo, gui
from napari_sam.cli.main import main
from napari_sam.model.config import CONFIGS
from napari_sam.model.sam import Sam
from napari_sam.samples import SAMPLES


@pytest.fixture(autouse=True)
def own_embeddings(tmp_path, monkeypatch):
    monkeypatch.setenv("NAPARI_SAM_EMBEDDINGS", str(tmp_path / "embeddings"))


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Untrained weights: what they find is of no use, how it is written is."""
    torch.manual_seed(3)
    path = tmp_path_factory.mktemp("weights") / "untrained.pt"
    torch.save(Sam(CONFIGS["cells_tiny"]).state_dict(), path)
    return path


@pytest.mark.parametrize("headless", [True, False])
def test_without_a_window_it_writes_labels_and_overlay(
    weights, tmp_path, monkeypatch, capsys, headless
):
    monkeypatch.setattr(demo, "has_display", lambda: headless)  # --headless wins over a display
    out = tmp_path / "out"
    arguments = ["demo", "--model", str(weights), "--output", str(out), "--device", "cpu"]
    assert main([*arguments, *["--headless"] * headless]) == 0
    assert sorted(os.listdir(out)) == ["labels.tif", "overlay.png"]
    labels = tifffile.imread(out / "labels.tif")
    overlay = np.asarray(Image.open(out / "overlay.png"))
    assert (labels.shape, overlay.shape) == ((520, 696), (765, 1024, 3))
    assert np.ptp(overlay.astype(int), axis=2).max() > 50  # the picture itself is grey
    printed = capsys.readouterr().out
    areas = re.findall(r"object (\d+): .* score -?\d\.\d\d, (\d+) pixels", printed)
    assert [(int(n), int(a)) for n, a in areas] == [
        (n, (labels == n).sum()) for n in range(1, 1 + len(SAMPLES["nuclei"].prompts))
    ]
    assert labels.any()
    assert str(out / "labels.tif") in printed
    assert str(out / "overlay.png") in printed


def test_a_stack_is_written_slice_by_slice(weights, tmp_path, capsys):
    out = tmp_path / "out"
    arguments = ["--stack", "--model", str(weights), "--output", str(out), "--device", "cpu"]
    assert main(["demo", "--headless", *arguments]) == 0
    assert tifffile.imread(out / "labels.tif").shape == (16, 256, 256)
    assert np.asarray(Image.open(out / "overlay.png")).shape == (1024, 1024, 3)
    printed = capsys.readouterr().out
    slices = re.findall(r"object \d: click .* pixels in (\d+) of 16 slices", printed)
    assert len(slices) == len(SAMPLES["stack"].prompts)


def test_a_wrong_model_or_device_leaves_nothing_behind(weights, tmp_path, capsys):
    out = tmp_path / "out"
    for arguments in (["--model", "nothing"], ["--model", str(weights), "--device", "cuda:9"]):
        assert main(["demo", "--headless", "--output", str(out), *arguments]) == 1
        assert capsys.readouterr().err.startswith("napari-sam: ")
    assert not out.exists()


@pytest.mark.parametrize("command", ["demo", "gui"])
def test_a_window_without_qt_says_what_to_install(monkeypatch, capsys, command):
    for room in (demo, gui):
        monkeypatch.setattr(room, "has_display", lambda: True)
    monkeypatch.setitem(sys.modules, "qtpy", None)
    assert main([command]) == 1
    assert "napari-sam[all]" in capsys.readouterr().err


@pytest.mark.gui
@pytest.mark.parametrize(
    "arguments", [["demo"], ["demo", "--stack"], ["gui"], ["gui", "{picture}"]]
)
def test_a_window_opens_with_panel_and_picture(tmp_path, arguments):
    picture = tmp_path / "picture.tif"
    tifffile.imwrite(picture, np.zeros((20, 30), np.uint8))
    code = """
import sys, napari
from qtpy.QtCore import QTimer
from napari_sam.cli.main import main
def look():
    viewer = napari.current_viewer()
    pictures = [layer for layer in viewer.layers if isinstance(layer, napari.layers.Image)]
    print([layer.data.shape for layer in pictures], len(viewer.window.dock_widgets))
    viewer.close()
napari.run = (lambda run: lambda: (QTimer.singleShot(500, look), run()))(napari.run)
sys.exit(main(sys.argv[1:]))
"""
    command = [a.format(picture=picture) for a in arguments]
    done = subprocess.run(
        [sys.executable, "-c", code, *command], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    shapes = {
        "demo": "[(520, 696)]",
        "--stack": "[(16, 256, 256)]",
        "gui": "[]",
        str(picture): "[(20, 30)]",
    }[command[-1]]
    assert f"{shapes} 1" in done.stdout


@pytest.mark.gui
@pytest.mark.parametrize("name", ["broken.tif", "notes.txt"])
def test_a_file_that_is_no_picture_is_refused(tmp_path, name):
    path = tmp_path / name
    path.write_text("no picture")
    code = "import sys; from napari_sam.cli.main import main; sys.exit(main(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", code, "gui", str(path)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert f"napari cannot open {path}" in done.stderr
    assert "Traceback" not in done.stderr
