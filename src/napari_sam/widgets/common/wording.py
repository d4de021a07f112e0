"""Text for numbers, durations and rules."""

from __future__ import annotations

from napari_sam.progress import Progress

__all__ = ["RULES", "count", "duration", "time_left"]


def count(number: int, noun: str = "object") -> str:
    """Return a count with its noun in singular or plural.

    Examples
    --------
    >>> count(1), count(1200, "point")
    ('1 object', '1,200 points')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


RULES = {
    "keep": "Keep existing objects",
    "replace": "Replace existing objects",
    "ask": "Ask me each time",
}


def duration(seconds: float) -> str:
    """Return a duration as text.

    Examples
    --------
    >>> duration(4.2), duration(42), duration(200), duration(9000)
    ('4 s', '40 s', '3 min', '2.5 h')
    """
    if seconds < 10:
        return f"{max(round(seconds), 1)} s"
    if seconds < 90:
        return f"{10 * round(seconds / 10)} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def time_left(progress: Progress[object]) -> str:
    """Return the remaining time as a suffix for a progress message; empty if unknown.

    Examples
    --------
    >>> time_left(Progress(1, 2, None, 200)), time_left(Progress(0, 2, None))
    (', about 3 min left', '')
    """
    seconds = progress.seconds_left
    return f", about {duration(seconds)} left" if seconds else ""
