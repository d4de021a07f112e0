"""The scripts of the gallery run, without a network and without a window."""

from __future__ import annotations

import runpy
import socket
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import pytest

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))


@pytest.mark.parametrize("script", EXAMPLES, ids=lambda script: script.stem)
def test_an_example_runs_and_shows_something(
    script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_network(*arguments: object) -> None:
        raise AssertionError("an example needs the network")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    monkeypatch.setenv("NAPARI_SAM_MODELS", str(tmp_path))
    monkeypatch.setattr("napari_sam.training.finetune.views_for", lambda config, pictures: 4)
    monkeypatch.chdir(tmp_path)
    matplotlib.use("agg")
    runpy.run_path(str(script))
    assert any(ax.has_data() for figure in map(plt.figure, plt.get_fignums()) for ax in figure.axes)
    plt.close("all")
