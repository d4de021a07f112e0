"""Validation of values that were read from a file: type and bounds.

All raise a ValueError if it is not.
"""

from __future__ import annotations

import math
from typing import Any, TypeVar

from napari_sam.planes import Plane

__all__ = ["JsonValue", "finite", "of", "plane", "whole"]

T = TypeVar("T")
JsonValue = Any
"""Something that was read from a file, or goes into one: nothing is known of it so far."""


def of(kind: type[T], value: object) -> T:
    """Return the value if it is of exactly this type."""
    if type(value) is not kind:
        raise ValueError(f"{kind.__name__} was expected, not {type(value).__name__}")
    return value


def whole(value: object, least: int = 0) -> int:
    """Return the value if it is an integer, at least `least` and below 2**63.

    Examples
    --------
    >>> whole(3, least=1)
    3
    >>> whole(True)
    Traceback (most recent call last):
        ...
    ValueError: int was expected, not bool
    """
    number = of(int, value)
    if not least <= number < 2**63:
        raise ValueError(f"{number} is out of bounds")
    return number


def finite(value: object) -> float:
    """Return the value as a float if it is a finite number."""
    number = float(whole(value, -(2**53))) if type(value) is int else of(float, value)
    if not math.isfinite(number):
        raise ValueError(f"{number} is not finite")
    return number


def plane(value: object) -> Plane:
    """Return a list as a plane: an index for each axis, and None for the two that it spans.

    Examples
    --------
    >>> plane([7, None, None])
    (7, None, None)
    """
    at = tuple(None if one is None else whole(one) for one in of(list, value))
    if at.count(None) != 2:
        raise ValueError(f"{at} does not span two axes")
    return at
