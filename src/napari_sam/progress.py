"""Progress of long-running work, and an estimate of the remaining time."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Generic, TypeVar

__all__ = ["Estimate", "Pause", "Progress"]

Pause = Callable[[], None]
"""Called by long work now and then; an exception that it raises stops the work."""

Result = TypeVar("Result", covariant=True)
RECENT = 9  # steps by which the time left is judged


@dataclass(frozen=True, eq=False)
class Progress(Generic[Result]):
    """Progress report that a long-running generator yields after each step.

    Parameters
    ----------
    done : float
        How much is done.
    total : int
        Of how much; it may change on the way.
    result : object
        What this step brought.
    seconds_left : float
        An estimate; 0 at the end and where nothing is known.
    """

    done: float
    total: int
    result: Result
    seconds_left: float = 0.0


class Estimate:
    """Estimate of the remaining time from the median pace of the latest steps.

    So neither a step that was held up counts for much, nor many that were done before.

    Parameters
    ----------
    done : float
        How much is done as the clock starts.
    """

    def __init__(self, done: float = 0) -> None:
        self._done, self._since = done, time.perf_counter()
        self._paces: deque[float] = deque(maxlen=RECENT)

    def left(self, done: float, total: float) -> float:
        """Record the work done and return the seconds left, 0 if unknown."""
        gone, now = done - self._done, time.perf_counter()
        pace = (now - self._since) / gone if gone > 0 else 0.0
        if gone >= 1:  # of parts of a whole, the whole ones count
            self._paces.append(pace)
            self._done, self._since = done, now
        return (median(self._paces) if self._paces else pace) * (total - done)
