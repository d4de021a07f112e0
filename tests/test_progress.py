"""The time left."""

from __future__ import annotations

import pytest

from napari_sam import progress
from napari_sam.progress import Estimate


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress.time, "perf_counter", lambda: now[0])

    def wait(seconds):
        now[0] += seconds

    return wait


def test_nothing_is_known_at_the_beginning_and_nothing_is_left_at_the_end(clock):
    estimate = Estimate()
    clock(5)
    assert estimate.left(0, 10) == 0
    clock(5)
    assert estimate.left(2, 10) == 40
    assert estimate.left(10, 10) == 0


def test_one_step_that_was_held_up_does_not_count(clock):
    estimate = Estimate()
    for done, seconds in enumerate([2, 2, 500, 2, 2], 1):
        clock(seconds)
        left = estimate.left(done, 10)
    assert left == 10


def test_quick_steps_long_ago_do_not_count(clock):
    estimate = Estimate(3)
    for done in range(4, 100):
        clock(0.01 if done < 90 else 4)
        left = estimate.left(done, 101)
    assert left == 8


def test_a_part_of_a_step_counts_only_while_there_is_no_whole_one(clock):
    estimate = Estimate()
    clock(3)
    assert estimate.left(0.25, 2) == 21
    clock(9)
    assert estimate.left(1, 2) == 12
    clock(1)
    assert estimate.left(1.5, 2) == 6
