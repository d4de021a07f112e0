"""Work that needs no model, beside the model's thread, which serves what is urgent meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

__all__ = ["run_beside"]

Result = TypeVar("Result")
OFTEN_S = 0.005


def run_beside(work: Callable[[], Result], pause: Callable[[], None] | None) -> Result:
    """Return what `work` returns; while it goes on in another thread, call `pause` often.

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
            wait([future], OFTEN_S)
        return future.result()
