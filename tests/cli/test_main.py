from __future__ import annotations

import subprocess
import sys
import time

import pytest

from napari_sam.cli.commands import gui
from napari_sam.cli.main import main
from napari_sam.errors import CheckpointError


def test_help_is_quick_and_loads_nothing_large():
    code = """
import sys
from napari_sam.cli.main import main
try:
    main(["--help"])
except SystemExit:
    pass
large = {"torch", "numpy", "skimage", "qtpy", "napari", "requests", "tqdm"} & set(sys.modules)
assert not large, large
"""
    seconds = []
    for _ in range(3):  # another program may hold up one of them
        start = time.perf_counter()
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        seconds.append(time.perf_counter() - start)
        assert done.returncode == 0, done.stderr
        assert all(word in done.stdout for word in ("demo", "gui", "models"))
    assert min(seconds) < 0.5


def test_version(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out.startswith("napari-sam 1.")


@pytest.mark.parametrize("arguments", [[], ["models"], ["nothing"], ["models", "download"]])
def test_incomplete_commands_show_the_usage(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: napari-sam" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (CheckpointError("it is damaged"), 1, "napari-sam: it is damaged"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_errors_are_one_line_and_a_status(monkeypatch, capsys, error, status, words):
    def fail(chosen):
        raise error

    monkeypatch.setattr(gui, "run", fail)
    assert main(["gui"]) == status
    printed = capsys.readouterr().err
    assert words in printed
    assert "Traceback" not in printed


def test_gui_refuses_a_missing_picture_and_a_missing_display(monkeypatch, capsys, tmp_path):
    assert main(["gui", str(tmp_path / "none.tif")]) == 1
    assert "there is no picture" in capsys.readouterr().err
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert main(["gui"]) == 1
    assert "there is no display" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("platform", "variable", "expected"),
    [
        ("linux", None, False),
        ("linux", "DISPLAY", True),
        ("linux", "WAYLAND_DISPLAY", True),
        ("darwin", None, True),
        ("win32", None, True),
    ],
)
def test_display(monkeypatch, platform, variable, expected):
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    if variable:
        monkeypatch.setenv(variable, ":0")
    assert gui.has_display() is expected
