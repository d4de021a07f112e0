"""Work on this machine, one file after the other."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterable
from typing import TYPE_CHECKING

from napari_sam.batch.task import FileState, Work
from napari_sam.progress import Progress
from napari_sam.reasons import reason

if TYPE_CHECKING:
    from napari_sam.inference.predictor import Predictor

__all__ = ["run_here"]

logger = logging.getLogger(__name__)


def run_here(works: Iterable[Work], predictor: Predictor) -> Generator[Progress[FileState]]:
    """Do work with a model; a file that fails stops no others.

    To stop, close the generator: what is done stays done.

    Parameters
    ----------
    works : iterable of Work
    predictor : Predictor

    Yields
    ------
    Progress of FileState
        The last of each file has a report or a problem.
    """
    for work in works:
        now = Progress(0.0, 1, FileState(work))
        try:
            with work.opened(predictor) as job:
                total = max(1, len(job.parts))
                for number, part in enumerate(job.parts):
                    for share in job.do(part):
                        now = Progress(number + share, total, FileState(work))
                        yield now
                    now = Progress(number + 1, total, FileState(work))
                    yield now
                now = Progress(total, total, FileState(work, job.finish()))
        except Exception as error:  # files can be damaged in more ways than their readers name
            logger.debug("%s", work.source, exc_info=True)
            now = Progress(now.done, now.total, FileState(work, problem=reason(error)))
        yield now
