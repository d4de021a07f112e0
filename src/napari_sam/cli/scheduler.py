"""Run tasks locally, or on the cluster of `--scheduler`, with a progress bar."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from napari_sam.cli.progress import fetch_behind_bar
from napari_sam.reasons import shown

if TYPE_CHECKING:
    from collections.abc import Generator

    from napari_sam.batch.model import WorkersModel
    from napari_sam.batch.task import FileState, Task
    from napari_sam.progress import Progress

__all__ = ["add_scheduler", "run_all", "run_and_collect"]

ALONE = "{desc}: {percentage:3.0f}%|{bar}| [{elapsed}<{remaining}]"
MANY = "{desc}: {percentage:3.0f}%|{bar}| {n:.1f} of {total_fmt}{unit} [{elapsed}<{remaining}]"


def add_scheduler(parser: argparse.ArgumentParser) -> None:
    """Add the argument ``--scheduler``."""
    parser.add_argument(
        "--scheduler", metavar="ADDRESS",
        help="work on this dask cluster, such as tcp://host:8786; see docs/cluster.md",
    )  # fmt: skip


def run_all(
    tasks: Sequence[Task], model: WorkersModel, chosen: argparse.Namespace
) -> Iterator[Progress[FileState]]:
    """Run all tasks with a progress bar; yield each file's final state as soon as it is known.

    That is its report or its problem. The model is loaded if there is any work, and not here if a
    cluster does it.
    """
    from tqdm import tqdm

    if not tasks:
        return
    begun: dict[int, float] = {}
    title = chosen.scheduler or (shown(tasks[0].source.name) if len(tasks) == 1 else "all files")
    with (
        closing(_begun(tasks, model, chosen.scheduler)) as steps,
        tqdm(
            desc=title, total=len(tasks), unit=" files", disable=chosen.quiet,
            bar_format=MANY if len(tasks) > 1 else ALONE,
        ) as bar,
    ):  # fmt: skip
        for step in steps:
            file = step.result
            ended = file.report is not None or bool(file.problem)
            share = 1.0 if ended else step.done / step.total
            bar.update(share - begun.get(id(file.task), 0.0))
            begun[id(file.task)] = share
            if ended:
                del begun[id(file.task)]
                yield step


def run_and_collect(tasks: Sequence[Task], chosen: argparse.Namespace) -> list[Progress[FileState]]:
    """Run all tasks; return each one's final state: its report, or the error."""
    from napari_sam.batch.model import workers_model

    model = workers_model(chosen.model, chosen.device)
    last = {id(step.result.task): step for step in run_all(tasks, model, chosen)}
    return [last[id(task)] for task in tasks]


def _begun(
    tasks: Sequence[Task], model: WorkersModel, scheduler: str | None
) -> Generator[Progress[FileState]]:
    if scheduler is not None:
        from napari_sam.batch.cluster import run_on_cluster

        return run_on_cluster(tasks, model, scheduler)
    fetch_behind_bar(model.name)
    from napari_sam import Predictor, load_model
    from napari_sam.batch.local import run_locally

    return run_locally(tasks, Predictor(load_model(model.name, model.device)))
