"""Mouse gestures on a canvas: from presses, moves and releases to clicks and boxes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

__all__ = ["SLIDE", "Gesture", "GestureReader", "Kind", "Pointer"]

SLIDE = 8  # screen pixels that the mouse may move on during a click


class Kind(Enum):
    """Kind of a gesture."""

    CLICK = "click"
    STRETCH = "stretch"  # a box that is still being dragged
    BOX = "box"
    CANCEL = "cancel"  # the box that was being dragged is none


@dataclass(frozen=True)
class Pointer:
    """State of the mouse at one event.

    Parameters
    ----------
    screen : (float, float)
        Where on the canvas, in screen pixels.
    world : tuple of float
        Where in the world of the viewer, an entry for each of its axes.
    exclude : bool
        Whether the button, or a key held with it, means exclude. That has no boxes.
    """

    screen: tuple[float, float]
    world: tuple[float, ...]
    exclude: bool = False


@dataclass(frozen=True)
class Gesture:
    """Gesture that was made, or is under way.

    Parameters
    ----------
    kind : Kind
        Which.
    start, end : tuple of float
        Where in the world the mouse was pressed, and where it is now; a click lies at its start.
    press, at : (float, float)
        The same on the canvas, in screen pixels.
    exclude : bool
        Whether a click means exclude.
    """

    kind: Kind
    start: tuple[float, ...]
    end: tuple[float, ...]
    press: tuple[float, float]
    at: tuple[float, float]
    exclude: bool = False


class GestureReader:
    """State machine that tells clicks from boxes.

    A press that moves on by no more than `SLIDE` pixels is a click where it was pressed.

    Examples
    --------
    >>> reader = GestureReader()
    >>> reader.press(Pointer((10, 10), (1, 1)))
    >>> reader.move(Pointer((13, 14), (1.3, 1.4)))
    >>> reader.release(Pointer((13, 14), (1.3, 1.4))).kind
    <Kind.CLICK: 'click'>
    """

    def __init__(self) -> None:
        self._pressed: Pointer | None = None
        self._stretching = False

    def press(self, at: Pointer) -> Gesture | None:
        """Begin a gesture; return what ends a box that was under way."""
        before = self.cancel()
        self._pressed = at
        return before

    def move(self, at: Pointer) -> Gesture | None:
        """Return the box so far, None as long as it may be a click."""
        start = self._pressed
        if start is None or start.exclude:
            return None
        if not self._stretching and _distance(start, at) <= SLIDE:
            return None
        self._stretching = True
        return _gesture(Kind.STRETCH, start, at)

    def release(self, at: Pointer) -> Gesture | None:
        """Return the click or the box that ends here; None if nothing was begun."""
        begun = self.move(at) is not None  # moves may have been left out
        start, self._pressed, self._stretching = self._pressed, None, False
        if start is None:
            return None
        kind = Kind.BOX if begun else Kind.CLICK
        return _gesture(kind, start, at)

    def cancel(self) -> Gesture | None:
        """Forget what was begun; return what ends a box that was under way."""
        start, stretching = self._pressed, self._stretching
        self._pressed, self._stretching = None, False
        if start is None or not stretching:
            return None
        return _gesture(Kind.CANCEL, start, start)


def _gesture(kind: Kind, start: Pointer, now: Pointer) -> Gesture:
    return Gesture(kind, start.world, now.world, start.screen, now.screen, start.exclude)


def _distance(one: Pointer, other: Pointer) -> float:
    (x0, y0), (x1, y1) = one.screen, other.screen
    return float(((x0 - x1) ** 2 + (y0 - y1) ** 2) ** 0.5)
