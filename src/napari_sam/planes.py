"""Two-dimensional planes of an image of any number of axes."""

from __future__ import annotations

__all__ = ["Plane", "crossing", "in_order", "spanned"]

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


def crossing(plane: Plane, other: Plane) -> tuple[Plane, Plane] | None:
    """Return where two planes of different directions cross; None if they do not.

    Returns
    -------
    here, there : (row, column)
        The place in the one and in the other; None for the axis along which the line runs.

    Examples
    --------
    >>> crossing((5, None, None), (None, None, 9))
    ((None, 9), (5, None))
    """
    axes, others = spanned(plane), spanned(other)
    if len(plane) != len(other):  # of a picture that has got other axes
        return None
    apart = any(
        a != b for a, b in zip(plane, other, strict=True) if a is not None and b is not None
    )
    if apart or axes == others:
        return None
    return tuple(other[axis] for axis in axes), tuple(plane[axis] for axis in others)
