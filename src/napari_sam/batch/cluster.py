"""Run tasks on a dask cluster: the parts of each file are distributed over its workers.

The workers see the files by the same paths as this machine and write the results themselves; what
travels are names. Parts may be done twice, so what a lost worker had begun is given to another. At
most a few tasks per thread are in the
scheduler's hands at a time, whatever the number of files.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import napari_sam
from napari_sam.batch.model import WorkersModel, load_predictor
from napari_sam.batch.task import FileState, OpenTask, Task
from napari_sam.errors import DISTRIBUTION, ClusterError
from napari_sam.progress import Progress
from napari_sam.reasons import reason

if TYPE_CHECKING:
    from distributed import Client, Future

    from napari_sam.inference.predictor import Predictor


__all__ = [
    "PATIENCE",
    "check_folders",
    "check_model",
    "check_versions",
    "connected",
    "run_on_cluster",
    "workers_turn",
]

PATIENCE = 10  # seconds in which a scheduler must answer, and a worker be there
AHEAD = 3  # tasks per thread in the scheduler's hands, so that a worker finds the next at once
_turn = Lock()  # a worker has one model, whatever its threads: it does one part at a time


def run_on_cluster(
    tasks: Sequence[Task], model: WorkersModel, address: str
) -> Generator[Progress[FileState]]:
    """Run tasks on an existing dask cluster.

    A generator that is closed early, or interrupted, cancels what no worker has begun; what is
    done stays done.

    Parameters
    ----------
    tasks : sequence of Task
    model : WorkersModel
    address : str
        Of the scheduler, such as ``tcp://host:8786``.

    Yields
    ------
    Progress of FileState

    Raises
    ------
    ClusterError
        If nobody answers there, there are no workers, or one has another napari-sam, other weights
        or does not see the files; later, if the scheduler is lost.
    """
    with connected(address) as client:
        check_versions(client)
        check_folders(client, {task.folder for task in tasks if task.folder})
        check_model(client, model)
        try:
            yield from _run(client, tasks, model)
        except (OSError, CancelledError) as error:
            raise ClusterError(
                f"the scheduler at {address} is gone ({error}); files that are finished stay"
            ) from error


@dataclass(eq=False)
class _TaskState:
    """State of a file while its parts run."""

    task: Task
    done: int = 0
    total: int = 1
    problem: str = ""

    def progress(self, report: object = None) -> Progress[FileState]:
        return Progress(self.done, self.total, FileState(self.task, report, self.problem))


@dataclass(frozen=True)
class _Reply:
    """Reply of a worker: the parts of a file that is to be split, or the file's report."""

    parts: Sequence[object] = ()
    report: object = None


@dataclass(frozen=True)
class _Call:
    """Request to a worker: begin a file, do a part of it, or finish it."""

    state: _TaskState
    function: Callable[..., _Reply]
    arguments: tuple[object, ...] = ()


def _begin(task: Task, model: WorkersModel) -> _Reply:
    """Do a file of one part as a whole; say which parts a larger one has."""
    with _opened(task, model) as open_task:
        if len(open_task.parts) > 1:
            return _Reply(open_task.parts)
        for part in open_task.parts:
            _complete(open_task.do(part))
        return _Reply(report=open_task.finish())


def _do(task: Task, model: WorkersModel, part: object) -> _Reply:
    with _opened(task, model) as open_task:
        _complete(open_task.do(part))
    return _Reply()


def _finish(task: Task, model: WorkersModel) -> _Reply:
    with _opened(task, model) as open_task:
        return _Reply(report=open_task.finish())


@contextmanager
def workers_turn(model: WorkersModel) -> Iterator[Predictor]:
    """Yield the worker's model, which does one task at a time."""
    import torch

    with _turn:
        predictor = load_predictor(model)
        torch.set_num_threads(model.threads)  # a setting of each thread
        yield predictor


@contextmanager
def _opened(task: Task, model: WorkersModel) -> Iterator[OpenTask]:
    """Open a file with the worker's model."""
    with workers_turn(model) as predictor, task.opened(predictor) as open_task:
        yield open_task


def _complete(steps: Iterator[float]) -> None:
    """Go through all steps; nobody here hears of them."""
    for _ in steps:
        pass


def _run(
    client: Client, tasks: Iterable[Task], model: WorkersModel
) -> Iterator[Progress[FileState]]:
    """Give out tasks as workers become free, and tell what became of them."""
    from distributed import as_completed

    states = map(_TaskState, tasks)
    ready: deque[_Call] = deque()
    held: dict[Future[_Reply], _Call] = {}
    answers: Any = as_completed(loop=client.loop)
    try:
        while True:
            room = AHEAD * sum(client.nthreads().values())
            while len(held) < room and (call := _next(ready, states)):
                arguments = (call.state.task, model, *call.arguments)
                future = client.submit(call.function, *arguments, pure=False)
                held[future] = call
                answers.add(future)
            if not held:
                return
            future = next(answers)
            yield from _settle(held.pop(future), future, ready)
    finally:
        if client.status == "running":
            client.cancel(list(held), force=True)


def _next(ready: deque[_Call], states: Iterator[_TaskState]) -> _Call | None:
    """Return a task of the files that are begun, else the first of another; None at the end."""
    while ready:
        call = ready.popleft()
        if not call.state.problem:
            return call
    state = next(states, None)
    return None if state is None else _Call(state, _begin)


def _settle(
    call: _Call, future: Future[_Reply], ready: deque[_Call]
) -> Iterator[Progress[FileState]]:
    """Tell what became of a task, and add what is to be done next."""
    state, report = call.state, None
    if state.problem:  # of another part, told already
        return
    try:
        answer = future.result()
    except CancelledError:  # nobody but a scheduler that is gone does that
        raise
    except Exception as error:  # workers fail in more ways than anybody names
        state.problem = reason(error)
        yield state.progress()
        return
    if answer.parts:
        state.total = len(answer.parts)
        ready.extend(_Call(state, _do, (part,)) for part in answer.parts)
    elif call.function is _do:
        state.done += 1
        if state.done == state.total:
            ready.appendleft(_Call(state, _finish))
    else:
        state.done, report = state.total, answer.report
    yield state.progress(report)


@contextmanager
def connected(address: str) -> Iterator[Client]:
    """Yield a client of the scheduler once it has at least one worker.

    Raises
    ------
    ClusterError
        If dask.distributed is not installed, nobody answers, or there are no workers.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise ClusterError(
            f'work on a cluster needs dask.distributed: pip install "{DISTRIBUTION}[cluster]"'
        ) from error

    class Closed(Client):
        """Dask client that is closed if its start fails.

        Closed by the garbage collector instead, it waits for a lock that whoever starts the next
        loop holds, and if that happens in the new loop's thread, neither goes on.
        """

        def start(self, **kwargs: Any) -> None:
            try:
                super().start(**kwargs)
            except BaseException:
                self.close()
                raise

    try:
        client = Closed(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise ClusterError(
            f"no scheduler answers at {address} ({error}); give the address that `dask scheduler` "
            "prints, such as tcp://host:8786"
        ) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
        except TimeoutError as error:
            raise ClusterError(
                f"the cluster at {address} has no workers; `dask worker {address}` starts some"
            ) from error
        yield client


def check_versions(client: Client) -> None:
    """Refuse workers whose napari-sam is missing or of another version.

    Raises
    ------
    ClusterError
        If it is missing or another one.
    """
    here = napari_sam.__version__
    about: Any = client.get_versions(packages=["napari_sam"])
    there = {worker: one["packages"]["napari_sam"] for worker, one in about["workers"].items()}
    wrong = {worker: version or "none" for worker, version in there.items() if version != here}
    if wrong:
        raise ClusterError(f"all need napari-sam {here}, as it is here; found {_listed(wrong)}")


def check_folders(client: Client, folders: Iterable[Path]) -> None:
    """Check on every worker that a temporary file in each output folder is there.

    Raises
    ------
    ClusterError
        If it is not.
    """
    for folder in folders:
        probe = folder / f".napari-sam-{uuid4().hex}"
        probe.touch()
        try:
            seen = client.run(os.path.exists, str(probe))
        finally:
            probe.unlink()
        blind = [worker for worker, sees in seen.items() if not sees]
        if blind:
            raise ClusterError(
                f"{', '.join(blind)} does not see what is written to {folder}; pictures and "
                "results must lie on a file system that all machines share, under one path"
            )


def check_model(client: Client, model: WorkersModel) -> None:
    """Load the model on all workers.

    Raises
    ------
    ClusterError
        If one cannot, or finds other weights under its name.
    """
    said = client.run(_load, model, on_error="return")
    failed = {worker: answer for worker, answer in said.items() if answer is not None}
    if failed:
        raise ClusterError(f"{model.name} cannot be loaded everywhere: {_listed(failed)}")


async def _load(model: WorkersModel) -> None:
    """Load the model on this worker; its heartbeat goes on meanwhile."""
    await asyncio.to_thread(load_predictor, model)


def _listed(said: Mapping[str, object]) -> str:
    return "; ".join(f"{worker}: {what}" for worker, what in said.items())
