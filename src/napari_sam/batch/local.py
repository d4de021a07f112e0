"""Tasks on this machine, one file after the other."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterable
from typing import TYPE_CHECKING

from napari_sam.batch.task import Progress, Task
from napari_sam.reasons import reason

if TYPE_CHECKING:
    from napari_sam.inference.predictor import Predictor

__all__ = ["run_locally"]

logger = logging.getLogger(__name__)


def run_locally(tasks: Iterable[Task], predictor: Predictor) -> Generator[Progress]:
    """Run tasks with a model; a file that fails stops no others.

    To stop, close the generator: what is done stays done.

    Parameters
    ----------
    tasks : iterable of Task
    predictor : Predictor

    Yields
    ------
    Progress
        The last of each file has a report or a problem.
    """
    for task in tasks:
        now = Progress(task, 0, 1)
        try:
            with task.opened(predictor) as open_task:
                total = max(1, len(open_task.parts))
                for number, part in enumerate(open_task.parts):
                    for share in open_task.do(part):
                        now = Progress(task, number + share, total)
                        yield now
                    now = Progress(task, number + 1, total)
                    yield now
                now = Progress(task, total, total, open_task.finish())
        except Exception as error:  # files can be damaged in more ways than their readers name
            logger.debug("%s", task.source, exc_info=True)
            now = Progress(task, now.done, now.total, problem=reason(error))
        yield now
