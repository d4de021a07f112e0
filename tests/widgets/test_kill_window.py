"""A window at work is killed; no object that was shown as accepted is ever missing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_sam.session.disk.folder import restore
from napari_sam.session.disk.library import all_saved
from napari_sam.session.objects import Status

pytestmark = pytest.mark.gui

ROOT = Path(__file__).parents[2]
CELLS = (30, 30), (32, 92), (90, 28), (94, 96), (62, 60)
TOLD = "restored", "told", "followed"  # with all that is accepted
SLICES, SIDE, RADIUS = 11, 128, 12


def stack():
    """Bright cells that drift a little from slice to slice."""
    rows, columns = np.indices((SIDE, SIDE))
    noise, planes = np.random.default_rng(0), []
    for z in range(SLICES):
        plane = np.full((SIDE, SIDE), 30.0)
        for number, (row, column) in enumerate(CELLS):
            away = np.hypot(rows - row - z * (number % 3 - 1) / 2, columns - column)
            plane += 60 * (1 + np.tanh((RADIUS - away) / 2))
        planes.append(noise.normal(plane, 8).clip(0, 255))
    return np.array(planes, np.uint8)


class Life:
    """One process with a window, and what it tells."""

    def __init__(self, file, home):
        cells = [f"{row},{column}" for row, column in CELLS]
        folders = {
            name: str(home / name.lower())
            for name in (
                *("NAPARI_SAM_SESSIONS", "NAPARI_SAM_MODELS", "NAPARI_SAM_EMBEDDINGS"),
                *("XDG_CONFIG_HOME", "XDG_CACHE_HOME"),
            )
        }
        self.lines = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.widgets.annotator", str(file), "--cells", *cells],
            cwd=ROOT,
            env=os.environ | folders | {"NAPARI_CONFIG": str(home / "napari.yaml")},
            stdout=subprocess.PIPE,
            text=True,
        )
        self.reader = threading.Thread(target=self.listen)
        self.reader.start()

    def listen(self):
        for line in self.process.stdout:
            word, _, value = line.partition(" ")
            if word in TOLD or word in ("open", "done"):
                self.lines.append((word, json.loads(value)))

    def wait_for(self, word, patience=180):
        end = time.monotonic() + patience
        while not any(said == word for said, _ in self.lines):
            assert self.process.poll() is None, "the window died by itself"
            assert time.monotonic() < end, f"no {word!r} after {patience} s: {self.lines}"
            time.sleep(0.02)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.reader.join()
        self.process.stdout.close()

    def accepted(self):
        """What was told to be accepted, but for what was being changed in the last moment."""
        at = max(i for i, (word, _) in enumerate(self.lines) if word in TOLD)
        changing = [tuple(key) for word, keys in self.lines[at:] if word == "open" for key in keys]
        return {
            (number, z): crc for number, z, crc in self.lines[at][1] if (number, z) not in changing
        }


def on_disk(sessions):
    (saved,) = all_saved(sessions)
    restored = restore(saved.path)
    restored.folder.close()
    return {
        (number, plane[0]): zlib.crc32(section.mask.full().tobytes())
        for number, held in restored.session.objects.items()
        for plane, section in held.sections.items()
        if section.status is Status.ACCEPTED and section.mask is not None
    }


@pytest.mark.parametrize("kills", [1, pytest.param(5, marks=pytest.mark.slow)])
def test_nothing_accepted_is_missing_after_a_kill(tmp_path, kills):
    file = tmp_path / "stack.tif"
    tifffile.imwrite(file, stack(), photometric="minisblack")
    rng, known = np.random.default_rng(kills), {}
    for _ in range(kills):
        life = Life(file, tmp_path)
        try:
            life.wait_for("restored")
            assert known.items() <= life.accepted().items()
            life.wait_for("told")
            time.sleep(float(rng.uniform(0, 3)))
        finally:
            life.kill()
        saved = on_disk(tmp_path / "napari_sam_sessions")
        known = life.accepted()
        assert known
        assert known.items() <= saved.items()
    life = Life(file, tmp_path)
    try:
        life.wait_for("done")
    finally:
        life.kill()
    saved = on_disk(tmp_path / "napari_sam_sessions")
    assert known.keys() <= saved.keys()  # the first cell may have been corrected since
    assert life.accepted() == saved
    assert {z for _, z in saved} == set(range(SLICES))
    assert {number for number, _ in saved} == {1, 2, 3, 4, 5}
