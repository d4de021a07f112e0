"""Questions that wait for an answer while one works on: a sentence and a button for each answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from psygnal import Signal

from napari_sam.session import drawing
from napari_sam.widgets.common.keys import KEYS
from napari_sam.widgets.common.questions import Draw

if TYPE_CHECKING:
    from napari_sam.widgets.annotation.annotation import Annotation

__all__ = ["REMAINDER", "Answer", "Queries", "Query", "leave_unanswered", "unanswered"]

REMAINDER = "remainder"  # the kind of the question whose the pixels of a mask are


@dataclass(frozen=True)
class Answer:
    """Answer that somebody can give by a button.

    Parameters
    ----------
    text : str
        On the button.
    do : callable
        What follows from it.
    tip : str
        Tooltip of the button.
    draw : callable, optional
        Draws a picture of it, beside the text.
    """

    text: str
    do: Callable[[], object]
    tip: str = ""
    draw: Draw | None = None


@dataclass(frozen=True)
class Query:
    """Question with its answers; it blocks nothing and may stay without one.

    Parameters
    ----------
    kind : str
        What it is about; a new question of a kind takes the place of the older one.
    text : str
        One or two sentences.
    answers : tuple of Answer
        A button each, the safest first.
    prompt_only : bool
        Whether it would be in the way in other tabs than Prompt.
    """

    kind: str
    text: str
    answers: tuple[Answer, ...]
    prompt_only: bool = False


class Queries:
    """Open questions of an annotation, of which the last one asked is on show.

    Attributes
    ----------
    changed : psygnal.Signal
        Emitted when another question is on show, or none.
    """

    changed = Signal()

    def __init__(self) -> None:
        self._open: dict[str, Query] = {}

    @property
    def current(self) -> Query | None:
        """The question on show in the tab Prompt, or None."""
        return next(reversed(self._open.values()), None)

    @property
    def elsewhere(self) -> Query | None:
        """The question on show in the other tabs, or None."""
        return next((q for q in reversed(self._open.values()) if not q.prompt_only), None)

    def holds(self, kind: str) -> bool:
        """Return whether a question of this kind is open."""
        return kind in self._open

    def ask(self, query: Query) -> None:
        """Put a question, on top of those that are open."""
        self._open.pop(query.kind, None)
        self._open[query.kind] = query
        self.changed.emit()

    def withdraw(self, kind: str) -> None:
        """Take the question of this kind back, if there is one."""
        if self._open.pop(kind, None) is not None:
            self.changed.emit()

    def answer(self, query: Query, answer: Answer) -> None:
        """Close a question and do what was answered; nothing if it is closed already."""
        if self._open.get(query.kind) is not query:
            return
        self.withdraw(query.kind)
        answer.do()


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
