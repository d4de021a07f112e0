"""A working session is killed fifty times; each time the disk holds all that it had told of."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from napari_sam.session.disk.folder import restore
from napari_sam.session.session import Session
from tests.session.player import HISTORY, Player, image_of

ROOT = Path(__file__).parents[3]
KILLS = 50


class Recorder:
    """A log that keeps what the session looked like before each record."""

    def __init__(self, session: Session) -> None:
        self.images: list[str] = []
        self._session = session
        session.log = self

    def append(self, record) -> None:
        self.images.append(image_of(self._session))


@pytest.fixture
def nursery():
    """Return a function that works, kills the worker after some steps, and returns how many.

    Steps and not seconds are waited for, which on a busy machine may be too short for any.
    """
    program = subprocess.Popen(
        [sys.executable, "-m", "tests.session.player"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    )

    def work(path: Path, seed: int, steps: int, seconds: float) -> tuple[bool, int]:
        program.stdin.write(f"{path} {seed}\n")
        child = int(program.stdout.readline().split()[1])
        told = [program.stdout.readline() for _ in range(steps + 1 if steps else 0)]
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
        told += iter(program.stdout.readline, "end\n")
        return "ready\n" in told, told.count("step\n")

    yield work
    program.stdin.close()
    program.stdout.close()
    program.wait(10)


def possible(session: Session, seed: int, steps: int) -> list[str]:
    """Return how the session may look on disk after so many steps, or somewhere in the next."""
    player = Player(session, seed)
    for _ in range(steps):
        player.step()
    recorder = Recorder(session)
    images = [image_of(session)]
    player.step()
    return [*images, *recorder.images, image_of(session)]


def test_nothing_that_was_told_is_ever_missing(nursery, tmp_path):
    path = tmp_path / "session"
    rng = np.random.default_rng(0)
    nursery(path, 0, 20, 0)
    total, snapshots, restored = 0, set(), restore(path, HISTORY)
    for kill in range(1, KILLS + 1):
        restored.folder.close()
        wanted = int(rng.integers(1, 8)) if kill % 5 else 0  # none: while it is opened
        ready, steps = nursery(path, kill, wanted, float(rng.uniform(0, 0.05)))
        may_be = possible(restored.session, kill, steps) if ready else [image_of(restored.session)]
        restored = restore(path, HISTORY)
        assert not restored.damaged
        assert image_of(restored.session) in may_be
        total += steps
        snapshots |= {p.name for p in path.glob("snapshot-*")}
    restored.folder.close()
    assert total > KILLS
    assert len(snapshots) > 2
