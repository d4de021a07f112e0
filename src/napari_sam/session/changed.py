"""What the signal `changed` says: which of the things on show are other ones now."""

from __future__ import annotations

from enum import Flag, auto

__all__ = ["What"]


class What(Flag):
    """Parts of an annotation that somebody may show; several can change at once.

    Examples
    --------
    >>> What.DRAFT in What.DRAFT | What.OBJECTS
    True
    """

    DRAFT = auto()
    """The prompts of the object being drawn, and its mask."""
    OBJECTS = auto()
    """The objects, or how classes are called. A step is about one of these two, or both."""
    VIEW = auto()
    """The slice on show, the tool, or the selected object."""
    MODEL = auto()
    """The model, and whether it is at work."""
