"""Where work is done: here, or on a cluster with the argument `--scheduler`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from napari_sam.cli.progress import fetched
from napari_sam.reasons import shown

if TYPE_CHECKING:
    from collections.abc import Generator

    from napari_sam.batch.model import WorkersModel
    from napari_sam.batch.task import FileState, Work
    from napari_sam.progress import Progress

__all__ = ["add_scheduler", "all_done", "done_by_cluster"]

ALONE = "{desc}: {percentage:3.0f}%|{bar}| [{elapsed}<{remaining}]"
MANY = "{desc}: {percentage:3.0f}%|{bar}| {n:.1f} of {total_fmt}{unit} [{elapsed}<{remaining}]"


def add_scheduler(parser: argparse.ArgumentParser) -> None:
    """Add the argument."""
    parser.add_argument(
        "--scheduler", metavar="ADDRESS",
        help="work on this dask cluster, such as tcp://host:8786; see docs/cluster.md",
    )  # fmt: skip


def all_done(
    works: Sequence[Work], model: WorkersModel, chosen: argparse.Namespace
) -> Iterator[Progress[FileState]]:
    """Do all work behind a bar; give what is said last of each file, as soon as it is said.

    That is its report or its problem. The model is loaded if there is any work, and not here if a
    cluster does it.
    """
    from tqdm import tqdm

    if not works:
        return
    begun: dict[int, float] = {}
    title = chosen.scheduler or (shown(works[0].source.name) if len(works) == 1 else "all files")
    with (
        closing(_begun(works, model, chosen.scheduler)) as steps,
        tqdm(
            desc=title, total=len(works), unit=" files", disable=chosen.quiet,
            bar_format=MANY if len(works) > 1 else ALONE,
        ) as bar,
    ):  # fmt: skip
        for step in steps:
            file = step.result
            ended = file.report is not None or bool(file.problem)
            share = 1.0 if ended else step.done / step.total
            bar.update(share - begun.get(id(file.work), 0.0))
            begun[id(file.work)] = share
            if ended:
                del begun[id(file.work)]
                yield step


def done_by_cluster(works: Sequence[Work], chosen: argparse.Namespace) -> list[Progress[FileState]]:
    """Return, for each work, what was said of it last: its report, or the problem."""
    from napari_sam.batch.model import workers_model

    model = workers_model(chosen.model, chosen.device)
    last = {id(step.result.work): step for step in all_done(works, model, chosen)}
    return [last[id(work)] for work in works]


def _begun(
    works: Sequence[Work], model: WorkersModel, scheduler: str | None
) -> Generator[Progress[FileState]]:
    if scheduler is not None:
        from napari_sam.batch.cluster import run_on_cluster

        return run_on_cluster(works, model, scheduler)
    fetched(model.name)
    from napari_sam import Predictor, load_model
    from napari_sam.batch.local import run_here

    return run_here(works, Predictor(load_model(model.name, model.device)))
