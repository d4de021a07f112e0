"""Prompts and the picture's border."""

from __future__ import annotations

__all__ = ["is_inside", "trim_box"]

Box = tuple[float, float, float, float]


def trim_box(box: Box, shape: tuple[int, int]) -> Box | None:
    """Cut a box to the picture.

    Parameters
    ----------
    box : (y0, x0, y1, x1)
        Corners in any order; pixel (r, c) is the square from r - 0.5 to r + 0.5.
    shape : (H, W)
        Of the picture.

    Returns
    -------
    (y0, x0, y1, x1) or None
        None if nothing of it lies in the picture.

    Examples
    --------
    >>> trim_box((8, 12, -5, 4), (10, 10))
    (-0.5, 4, 8, 9.5)
    >>> trim_box((20, 20, 30, 30), (10, 10)) is None
    True
    """
    y0, x0, y1, x1 = box
    top, bottom = max(min(y0, y1), -0.5), min(max(y0, y1), shape[0] - 0.5)
    left, right = max(min(x0, x1), -0.5), min(max(x0, x1), shape[1] - 0.5)
    return None if top >= bottom or left >= right else (top, left, bottom, right)


def is_inside(point: tuple[float, float], shape: tuple[int, int]) -> bool:
    """Tell whether a point (row, column) lies on a pixel of a picture of shape (H, W).

    Examples
    --------
    >>> is_inside((-0.4, 3), (10, 10)), is_inside((2, 9.6), (10, 10))
    (True, False)
    """
    return all(-0.5 <= at <= size - 0.5 for at, size in zip(point, shape, strict=True))
