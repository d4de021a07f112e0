"""Work on this machine: what fails stops nothing else, and what is done is not done again."""

from __future__ import annotations

from napari_sam.batch.local import run_locally
from tests.tasks import Counting


def test_all_files_are_done_but_the_bad_one_and_no_part_twice(tmp_path):
    here = tmp_path / "here"
    here.touch()
    tasks = [
        Counting(tmp_path / "gone", tmp_path / "a.txt"),
        Counting(here, tmp_path / "b.txt", 4),
        Counting(here, tmp_path / "c.txt"),
    ]
    steps = run_locally(tasks, predictor=None)
    while next(steps).done < 2:
        pass
    steps.close()
    assert not (tmp_path / "b.txt").exists()
    *_, last = run_locally(tasks, predictor=None)
    assert (last.result.task, last.result.report) == (tasks[2], 1)
    assert (tmp_path / "b.txt").read_text() == "0\n1\n2\n3"
    log = (tmp_path / "log.txt").read_text().splitlines()
    assert [line.split(maxsplit=1)[1] for line in log if "begin" in line] == [
        *(f"b.txt begin {part}" for part in range(4)),
        "c.txt begin 0",
    ]
    problem = next(iter(run_locally(tasks, predictor=None)))
    assert problem.result.task == tasks[0]
    assert "gone is not there" in problem.result.problem
