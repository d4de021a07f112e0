"""Clock of active work: seconds between the steps of a session, without its pauses."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["PAUSE", "WorkClock"]

PAUSE = 60.0  # seconds without a step, a pan or another slice: nobody was at work


class WorkClock:
    """Stopwatch whose laps last from one sign of work to the next.

    Parameters
    ----------
    now : callable
        Monotonic seconds; no time of day.

    Examples
    --------
    >>> times = iter([0.0, 4.0, 600.0, 601.5])
    >>> clock = WorkClock(lambda: next(times))
    >>> clock.lap(), clock.lap(), clock.lap()
    (4.0, 0.0, 1.5)
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._last = now()

    def lap(self) -> float:
        """Return the seconds of work since the last call, and start the next lap.

        A lap of more than `PAUSE` seconds was a pause and counts as nothing.
        """
        now = self._now()
        seconds, self._last = now - self._last, now
        return round(seconds, 1) if seconds <= PAUSE else 0.0
