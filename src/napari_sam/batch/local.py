"""Run tasks in this process, one file after the other."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterable
from typing import TYPE_CHECKING

from napari_sam.batch.task import FileState, Task
from napari_sam.progress import Progress
from napari_sam.reasons import reason

if TYPE_CHECKING:
    from napari_sam.inference.predictor import Predictor

__all__ = ["run_locally"]

logger = logging.getLogger(__name__)


def run_locally(tasks: Iterable[Task], predictor: Predictor) -> Generator[Progress[FileState]]:
    """Run tasks with a model in this process; a file that fails does not stop the others.

    To stop, close the generator: what is done stays done.

    Parameters
    ----------
    tasks : iterable of Task
    predictor : Predictor

    Yields
    ------
    Progress of FileState
        The last of each file has a report or a problem.
    """
    for task in tasks:
        now = Progress(0.0, 1, FileState(task))
        try:
            with task.opened(predictor) as open_task:
                total = max(1, len(open_task.parts))
                for number, part in enumerate(open_task.parts):
                    for share in open_task.do(part):
                        now = Progress(number + share, total, FileState(task))
                        yield now
                    now = Progress(number + 1, total, FileState(task))
                    yield now
                now = Progress(total, total, FileState(task, open_task.finish()))
        except Exception as error:  # files can be damaged in more ways than their readers name
            logger.debug("%s", task.source, exc_info=True)
            now = Progress(now.done, now.total, FileState(task, problem=reason(error)))
        yield now
