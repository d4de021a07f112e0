"""Work on a real cluster of several processes, some of which are killed."""

from __future__ import annotations

import os
import signal
import time

import pytest
from distributed import LocalCluster

from napari_sam.batch.cluster import run_on_cluster
from napari_sam.errors import ClusterError
from tests.tasks import Counting


@pytest.fixture
def tasks(tmp_path):
    """Return a file of five parts, two of one, and one that is not there."""
    here = tmp_path / "here"
    here.touch()
    counts = {"a": 5, "b": 1, "c": 1}
    tasks = [Counting(here, tmp_path / f"{name}.txt", n, 0.25) for name, n in counts.items()]
    return [*tasks, Counting(tmp_path / "gone", tmp_path / "d.txt")]


def run(tasks, model, cluster):
    return list(run_on_cluster(tasks, model, cluster.scheduler_address))


def logged(tasks, what):
    """Return (process, output, part) of each line of that kind."""
    log = tasks[0].output.with_name("log.txt")
    lines = [line.split() for line in log.read_text().splitlines()] if log.exists() else []
    return [(int(pid), output, *part) for pid, output, kind, *part in lines if kind == what]


def under_way(tasks):
    ended = [one[1:] for one in logged(tasks, "end")]
    return [one for one in logged(tasks, "begin") if one[1:] not in ended]


def test_all_files_are_done_but_the_bad_one(cluster, model, tasks):
    steps = run(tasks, model, cluster)
    reports = {
        step.result.task.output.name: step.result.report
        for step in steps
        if step.result.report is not None
    }
    assert reports == {"a.txt": 9, "b.txt": 1, "c.txt": 1}
    assert [step.done for step in steps if step.result.task == tasks[0]] == [0, 1, 2, 3, 4, 5, 5]
    assert tasks[0].output.read_text() == "0\n1\n2\n3\n4"
    ((bad, problem),) = [
        (step.result.task, step.result.problem) for step in steps if step.result.problem
    ]
    assert bad == tasks[3]
    assert "gone is not there" in problem
    assert len({pid for pid, *_ in logged(tasks, "begin")}) == 2  # both workers did some
    assert len(logged(tasks, "begin")) == 7


def test_what_is_done_is_not_done_again(cluster, model, tasks):
    for _ in range(2):
        assert run(tasks[:1], model, cluster)[-1].result.report == 9
    assert len(logged(tasks, "begin")) == 5


def test_what_a_killed_worker_had_begun_is_done_by_others_once(cluster, model, tasks):
    steps = run_on_cluster(tasks[:3], model, cluster.scheduler_address)
    next(steps)
    while not under_way(tasks):
        time.sleep(0.01)
    victim, *lost = under_way(tasks)[-1]
    os.kill(victim, signal.SIGKILL)
    assert not [step for step in steps if step.result.problem]
    assert [task.output.read_text() for task in tasks[:3]] == ["0\n1\n2\n3\n4", "0", "0"]
    began = [tuple(part) for _, *part in logged(tasks, "begin")]
    ended = [tuple(part) for _, *part in logged(tasks, "end")]
    assert began.count(tuple(lost)) == 2
    assert len(ended) == len(set(ended)) == 7


def test_a_run_that_is_stopped_takes_back_what_nobody_has_begun(cluster, model, tasks):
    steps = run_on_cluster(tasks[:1], model, cluster.scheduler_address)
    while next(steps).done < 1:
        pass
    steps.close()
    time.sleep(0.4)  # for what was under way
    assert not under_way(tasks)
    assert 1 <= len(logged(tasks, "end")) < 5
    assert not tasks[0].output.exists()
    assert run(tasks[:1], model, cluster)[-1].result.report == 9
    assert len(logged(tasks, "end")) == 5


@pytest.mark.slow
def test_a_lost_scheduler_is_told(model, tasks):
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0") as lost:
        steps = run_on_cluster(tasks, model, lost.scheduler_address)
        next(steps)
        lost.close()
        with pytest.raises(ClusterError, match="is gone"):
            list(steps)
