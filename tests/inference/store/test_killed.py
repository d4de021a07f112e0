"""Processes that embed a stack into the same folder and are killed at random moments."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import torch

from tests.inference.store import killed

COUNT, KILLS = 200, 3  # so many that no fast machine is done before the last kill


def start(folder):
    command = [sys.executable, "-m", "tests.inference.store.killed", str(folder), str(COUNT)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]
    )


def check(folder):
    """Read all that the store says it has, and return how much that is."""
    store, predictor, _ = killed.steps(folder, COUNT)
    planes = [killed.read((z,)) for z in range(COUNT)]
    there = [pixels for pixels in planes if store.has(predictor, pixels)]
    assert len(there) == len(store.disk)  # none is damaged, none is of something else
    for pixels in there:
        [level] = store.get(predictor, pixels).levels
        [expected] = predictor.embed(pixels).levels
        assert torch.equal(level.features.embedding, expected.features.embedding)
        assert all(map(torch.equal, level.features.skips, expected.features.skips))
    assert store.made == 0
    return len(there)


def test_what_is_there_after_a_kill_is_whole_and_the_rest_follows(tmp_path, caplog):
    chance = random.Random(0)
    progress = [0]
    for _ in range(KILLS):
        workers = [start(tmp_path), start(tmp_path)]
        wanted = progress[-1] + chance.randint(1, 8)  # a few more than there were
        assert any(int(line) == wanted for line in workers[0].stdout)
        time.sleep(chance.uniform(0, 0.03))
        for worker in workers:
            worker.kill()
            worker.communicate()
        progress.append(check(tmp_path))
    assert progress == sorted(progress)
    store, _, rest = killed.steps(tmp_path, COUNT)
    assert list(rest)[-1].done == COUNT
    assert store.made == COUNT - progress[-1]
    assert check(tmp_path) == COUNT
    assert not caplog.records
    assert 0 < progress[-1] < COUNT
