"""A mask whose question has no answer yet, while somebody draws on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from napari_sam.session import drawing
from napari_sam.widgets.annotation.queries import REMAINDER
from napari_sam.widgets.common.keys import KEYS

if TYPE_CHECKING:
    from napari_sam.widgets.annotation.annotation import Annotation

__all__ = ["leave_unanswered", "unanswered"]


def leave_unanswered(annotation: Annotation, points: Iterable[tuple[float, float]] = ()) -> bool:
    """Reject the mask whose question about overlaps is open, as another object is drawn.

    Undo brings it back.

    Parameters
    ----------
    annotation : Annotation
        Whose draft it is.
    points : iterable of (row, column)
        What includes, in pixels of the slice in view; a point in the mask corrects that.

    Returns
    -------
    bool
        False if there is no such question, or the mask is corrected.
    """
    session = annotation.session
    if not annotation.queries.holds(REMAINDER):
        return False
    if session.mask is not None and annotation.seen == session.draft.plane:
        last = np.subtract(session.mask.shape, 1)
        for point in points:
            row, column = np.clip(np.round(point), 0, last).astype(int)
            if session.mask[row, column]:
                return False
    return annotation.step(drawing.reject)


def unanswered() -> str:
    """Return what is to be said of a mask that was left, as text."""
    return (
        "The mask before is not written: its question had no answer. "
        f"{KEYS['undo']} brings it back."
    )
