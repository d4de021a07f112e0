"""The way to a cluster, and whether its workers are fit for the work."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import napari_sam
from napari_sam.distributed.model import WorkersModel, loaded
from napari_sam.errors import ClusterError

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["check_folders", "check_model", "check_versions", "connected"]

PATIENCE = 10  # seconds in which a scheduler must answer, and a worker be there


@contextmanager
def connected(address: str) -> Iterator[Client]:
    """Give a client of the scheduler, which has at least one worker.

    Raises
    ------
    ClusterError
        If dask.distributed is not installed, nobody answers, or there are no workers.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise ClusterError(
            'work on a cluster needs dask.distributed: pip install "napari-sam[cluster]"'
        ) from error

    class Closed(Client):
        """A client that does not outlive a failed start.

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
    """Compare napari-sam everywhere with the one here; it need not even be there for that.

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
    """Leave a file in each folder for a moment, and ask every worker whether it is there.

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
    """Let all workers load the model.

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
    await asyncio.to_thread(loaded, model)


def _listed(said: Mapping[str, object]) -> str:
    return "; ".join(f"{worker}: {what}" for worker, what in said.items())
