"""Flags of the signal `changed`: which parts of the annotation have changed."""

from __future__ import annotations

from enum import Flag, auto

__all__ = ["What"]


class What(Flag):
    """Flags for the parts of an annotation that have changed; several can be set at once.

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
