"""Run work in another thread while the model's own thread serves urgent jobs."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

from napari_sam.progress import Pause

__all__ = ["run_beside"]

Result = TypeVar("Result")
POLL_S = 0.005


def run_beside(work: Callable[[], Result], pause: Pause | None) -> Result:
    """Run `work` in another thread and return its result; call `pause` often meanwhile.

    An exception of either is raised when `work` has ended.

    Examples
    --------
    >>> run_beside(lambda: 6 * 7, pause=None)
    42
    """
    if pause is None:
        return work()
    with ThreadPoolExecutor(1, thread_name_prefix="napari-sam beside") as other:
        future = other.submit(work)
        while not future.done():
            pause()
            wait([future], POLL_S)
        return future.result()
