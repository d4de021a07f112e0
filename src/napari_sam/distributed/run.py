"""The same work on many machines: the parts of each file are tasks of a dask cluster.

The workers see the files by the same paths as this machine and write the results themselves; what
travels are names. Parts may be done twice, so what a lost worker had begun is given to another. At
most a few tasks per thread are in the
scheduler's hands at a time, whatever the number of files.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

from napari_sam.batch.work import Job, Progress, Work
from napari_sam.distributed.cluster import check_folders, check_model, check_versions, connected
from napari_sam.distributed.model import WorkersModel, loaded
from napari_sam.errors import ClusterError
from napari_sam.reasons import reason

if TYPE_CHECKING:
    from distributed import Client, Future

__all__ = ["run_on_cluster"]

AHEAD = 3  # tasks per thread in the scheduler's hands, so that a worker finds the next at once
_turn = Lock()  # a worker has one model, whatever its threads: it does one part at a time


def run_on_cluster(works: Sequence[Work], model: WorkersModel, address: str) -> Generator[Progress]:
    """Do work on an existing cluster.

    A generator that is closed early, or interrupted, cancels what no worker has begun; what is
    done stays done.

    Parameters
    ----------
    works : sequence of Work
    model : WorkersModel
    address : str
        Of the scheduler, such as ``tcp://host:8786``.

    Yields
    ------
    Progress

    Raises
    ------
    ClusterError
        If nobody answers there, there are no workers, or one has another napari-sam, other weights
        or does not see the files; later, if the scheduler is lost.
    """
    with connected(address) as client:
        check_versions(client)
        check_folders(client, {work.folder for work in works if work.folder})
        check_model(client, model)
        try:
            yield from _run(client, works, model)
        except (OSError, CancelledError) as error:
            raise ClusterError(
                f"the scheduler at {address} is gone ({error}); files that are finished stay"
            ) from error


@dataclass(eq=False)
class _File:
    """A file on its way."""

    work: Work
    done: int = 0
    total: int = 1
    problem: str = ""

    def progress(self, report: Any = None) -> Progress:
        return Progress(self.work, self.done, self.total, report, self.problem)


@dataclass(frozen=True)
class _Answer:
    """What a worker says: a file's parts, if they are to be shared out, or the file's report."""

    parts: Sequence[Any] = ()
    report: Any = None


@dataclass(frozen=True)
class _Task:
    """What a worker is asked to do: begin a file, do a part of it, or finish it."""

    file: _File
    function: Callable[..., _Answer]
    arguments: tuple[Any, ...] = ()


def _begin(work: Work, model: WorkersModel) -> _Answer:
    """Do a file of one part as a whole; say which parts a larger one has."""
    with _opened(work, model) as job:
        if len(job.parts) > 1:
            return _Answer(job.parts)
        for part in job.parts:
            _complete(job.do(part))
        return _Answer(report=job.finish())


def _do(work: Work, model: WorkersModel, part: Any) -> _Answer:
    with _opened(work, model) as job:
        _complete(job.do(part))
    return _Answer()


def _finish(work: Work, model: WorkersModel) -> _Answer:
    with _opened(work, model) as job:
        return _Answer(report=job.finish())


@contextmanager
def _opened(work: Work, model: WorkersModel) -> Iterator[Job]:
    """Open a file with the worker's model, which does one task at a time."""
    import torch

    with _turn:
        predictor = loaded(model)
        torch.set_num_threads(model.threads)  # a setting of each thread
        with work.opened(predictor) as job:
            yield job


def _complete(steps: Iterator[float]) -> None:
    """Go through all steps; nobody here hears of them."""
    for _ in steps:
        pass


def _run(client: Client, works: Iterable[Work], model: WorkersModel) -> Iterator[Progress]:
    """Give out tasks as workers become free, and tell what became of them."""
    from distributed import as_completed

    files = map(_File, works)
    ready: deque[_Task] = deque()
    held: dict[Future[_Answer], _Task] = {}
    answers: Any = as_completed(loop=client.loop)
    try:
        while True:
            room = AHEAD * sum(client.nthreads().values())
            while len(held) < room and (task := _next(ready, files)):
                arguments = (task.file.work, model, *task.arguments)
                future = client.submit(task.function, *arguments, pure=False)
                held[future] = task
                answers.add(future)
            if not held:
                return
            future = next(answers)
            yield from _settle(held.pop(future), future, ready)
    finally:
        if client.status == "running":
            client.cancel(list(held), force=True)


def _next(ready: deque[_Task], files: Iterator[_File]) -> _Task | None:
    """Return a task of the files that are begun, else the first of another; None at the end."""
    while ready:
        task = ready.popleft()
        if not task.file.problem:
            return task
    file = next(files, None)
    return None if file is None else _Task(file, _begin)


def _settle(task: _Task, future: Future[_Answer], ready: deque[_Task]) -> Iterator[Progress]:
    """Tell what became of a task, and add what is to be done next."""
    file, report = task.file, None
    if file.problem:  # of another part, told already
        return
    try:
        answer = future.result()
    except CancelledError:  # nobody but a scheduler that is gone does that
        raise
    except Exception as error:  # workers fail in more ways than anybody names
        file.problem = reason(error)
        yield file.progress()
        return
    if answer.parts:
        file.total = len(answer.parts)
        ready.extend(_Task(file, _do, (part,)) for part in answer.parts)
    elif task.function is _do:
        file.done += 1
        if file.done == file.total:
            ready.appendleft(_Task(file, _finish))
    else:
        file.done, report = file.total, answer.report
    yield file.progress(report)
