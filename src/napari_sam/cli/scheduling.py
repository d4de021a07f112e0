"""The argument `--scheduler`: the same work on a cluster."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from napari_sam.errors import ClusterError

if TYPE_CHECKING:
    from napari_sam.batch.steps import PropagateWork, RefineWork
    from napari_sam.batch.work import Progress, Work
    from napari_sam.results import Step

__all__ = ["add_scheduler", "done_by_cluster", "steps_of_cluster"]

BAR = "{desc}: {percentage:3.0f}%|{bar}| {n:.1f} of {total_fmt}{unit} [{elapsed}<{remaining}]"


def add_scheduler(parser: argparse.ArgumentParser) -> None:
    """Add the argument."""
    parser.add_argument(
        "--scheduler", metavar="ADDRESS",
        help="work on this dask cluster, such as tcp://host:8786; see docs/cluster.md",
    )  # fmt: skip


def done_by_cluster(works: Sequence[Work], chosen: argparse.Namespace) -> list[Progress]:
    """Return, for each work, what was said of it last: its report, or the problem.

    Problems are named on stderr, too, when all is done.
    """
    from tqdm import tqdm

    from napari_sam.distributed.model import workers_model
    from napari_sam.distributed.run import run_on_cluster

    model = workers_model(chosen.model, chosen.device)
    last: dict[int, Progress] = {}
    with tqdm(desc=chosen.scheduler, total=len(works), unit=" files", bar_format=BAR) as bar:
        for step in run_on_cluster(works, model, chosen.scheduler):
            before = last.get(id(step.work))
            share = step.done / step.total if not step.problem else 1.0
            bar.update(share - (before.done / before.total if before else 0))
            last[id(step.work)] = step
    for step in last.values():
        if step.problem:
            print(f"napari-sam: {step.work.source}: {step.problem}", file=sys.stderr)
    return [last[id(work)] for work in works]


def steps_of_cluster(
    work: RefineWork | PropagateWork, chosen: argparse.Namespace
) -> Iterator[Step]:
    """Give the steps of a stack, once all are there.

    Raises
    ------
    ClusterError
        If one part of them failed.
    """
    from napari_sam.batch.steps import kept_steps

    (last,) = done_by_cluster([work], chosen)
    if last.problem:
        raise ClusterError(f"{work.source} is not done: {last.problem}")
    yield from kept_steps(work.folder)
