"""A program that writes labels is killed in mid-write: what it told of is there, and whole."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from napari_sam.session.disk.folder import restore
from tests.io.label_stores import writer
from tests.io.label_stores.test_levels import middle

KILLS = 4


@pytest.fixture
def killed(tmp_path):
    """Return a function that has objects accepted, kills the program, and returns their ids."""
    writer.begin(tmp_path)
    program = subprocess.Popen(
        [sys.executable, "-m", "tests.io.label_stores.writer"],
        cwd=Path(__file__).parents[3],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    )

    def killed(seed: int, objects: int, seconds: float) -> set[int]:
        program.stdin.write(f"{tmp_path} {seed}\n")
        child = int(program.stdout.readline().split()[1])
        told = [program.stdout.readline() for _ in range(objects)]
        time.sleep(seconds)  # somewhere within the next ones
        os.kill(child, signal.SIGKILL)
        told += iter(program.stdout.readline, "end\n")
        return set(map(int, told))

    yield killed
    program.stdin.close()
    program.stdout.close()
    program.wait(10)


def test_what_was_accepted_is_in_the_labels_after_every_kill(killed, tmp_path):
    chance, told = random.Random(0), set()
    for kill in range(KILLS):
        told |= killed(kill, kill % 2, chance.uniform(0, 0.1))
        restored = restore(tmp_path / "session")
        objects, labels = restored.session.objects, restored.session.labels
        assert told <= set(objects)
        target = writer.Target(tmp_path)
        assert labels.fits(target) or labels.shown_but_last(target)  # the panel goes on in them
        labels.write_to(target)
        assert labels.shown_in(target)
        fine, *coarser = (level[:] for level in target.arrays)  # every chunk can be read
        assert np.count_nonzero(fine) == sum(one.pixels for one in objects.values())
        for level in coarser:
            np.testing.assert_array_equal(level, middle(fine, level.shape))
        restored.folder.let_go()
    assert told
