"""Two-dimensional planes of an image of any number of axes."""

from __future__ import annotations

__all__ = ["Plane", "in_order", "spanned"]

Plane = tuple[int | None, ...]
"""One entry per axis of the image: an index, or None for the two axes of the plane."""


def in_order(plane: Plane) -> tuple[int, ...]:
    """Return a key that sorts planes by their indices along the axes."""
    return tuple(-1 if at is None else at for at in plane)


def spanned(plane: Plane) -> tuple[int, ...]:
    """Return the two axes that a plane spans.

    Examples
    --------
    >>> spanned((7, None, None))
    (1, 2)
    """
    return tuple(axis for axis, at in enumerate(plane) if at is None)
