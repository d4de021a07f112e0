"""How far a search of a stack is, in plain words."""

from __future__ import annotations

from napari_sam.widgets.auto.stack import StackStand
from napari_sam.widgets.common.wording import count, duration

__all__ = ["through"]


def through(stand: StackStand) -> str:
    """Return how far a search of a stack is.

    Examples
    --------
    >>> through(StackStand(2.5, 20, 41, 0))
    'Slice 3 of 20, 41 objects so far'
    """
    left = f", about {duration(stand.seconds_left)} left" if stand.seconds_left else ""
    slice_ = min(int(stand.done) + 1, stand.total)
    return f"Slice {slice_:,} of {stand.total:,}, {count(stand.objects)} so far{left}"
