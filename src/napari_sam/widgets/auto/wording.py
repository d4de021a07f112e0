"""How far a search of a stack is, in plain words."""

from __future__ import annotations

from napari_sam.progress import Progress
from napari_sam.widgets.common.wording import count, time_left

__all__ = ["through"]


def through(progress: Progress[int]) -> str:
    """Return how far a search of a stack is.

    Examples
    --------
    >>> through(Progress(2.5, 20, 41))
    'Slice 3 of 20, 41 objects so far'
    """
    slice_ = min(int(progress.done) + 1, progress.total)
    found = f"{count(progress.result)} so far{time_left(progress)}"
    return f"Slice {slice_:,} of {progress.total:,}, {found}"
