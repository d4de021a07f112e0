"""Prompts of one object: points, a box, a mask, words. Row-column order, numpy."""

from __future__ import annotations

import reprlib
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_sam.arrays import ODD, plain
from napari_sam.errors import InputError
from napari_sam.masks import WindowMask

__all__ = ["ABSENT", "MIN_SIDE", "Absent", "Prompts"]

MIN_SIDE = 0.01  # pixels of a box
EMPTY = "the mask prompt is empty; mark at least one pixel"
MAX_LOGIT = 1e6  # of logits


class Absent(Enum):
    """Type of `ABSENT`, the seed that marks an object as absent from a slice.

    Examples
    --------
    >>> {1: {0: Prompts(points=[(3, 4)], labels=[1]), 5: ABSENT}}[1][5]
    ABSENT
    """

    ABSENT = "absent"

    def __repr__(self) -> str:
        return self.name


ABSENT: Final = Absent.ABSENT
"""Said of an object on a slice of a stack: it is not there."""


@dataclass(frozen=True, eq=False, init=False)
class Prompts:
    """Prompts for one object in one two-dimensional image.

    What is None or empty is not given.

    Parameters
    ----------
    points : array-like of shape (N, 2), float
        Clicked positions as (row, column) in pixels. Pixel (r, c) is the square from r - 0.5 to
        r + 0.5.
    labels : array-like of shape (N,), int
        1 for a foreground click, 0 for a background click.
    box : array-like of shape (4,), float, optional
        y0, x0, y1, x1 in the same frame; corners may come in any order. Also of shape (1, 4).
    mask : array-like, optional
        Either a boolean (H, W) mask of the picture, or floating low-resolution logits with the
        shape of `Prediction.logits[0]`. Also of shape (1, H, W). Of a large picture it may be a
        `WindowMask`.
    text : array-like of shape (D,), float, optional
        A vector of the joint image-text space, for models that understand words.

    Raises
    ------
    InputError
        For wrong shapes, values that are masked or not finite, labels other than 0 and 1, a box
        without area, a text of zeros or no prompt at all.

    Examples
    --------
    >>> prompts = Prompts(points=[(3, 4)], labels=[1])
    >>> prompts.points.shape
    (1, 2)
    >>> prompts.is_lone_point
    True
    """

    points: NDArray[np.float64]
    labels: NDArray[np.int64]
    box: NDArray[np.float64] | None
    mask: Any
    text: NDArray[np.float64] | None

    def __init__(
        self,
        points: ArrayLike | None = None,
        labels: ArrayLike | None = None,
        box: ArrayLike | None = None,
        mask: ArrayLike | WindowMask | None = None,
        text: ArrayLike | None = None,
    ) -> None:
        places = _points(points)
        given = {
            "points": places,
            "labels": _labels(labels, len(places)),
            "box": _box(box),
            "mask": _mask(mask),
            "text": _text(text),
        }
        if all(value is None or value.shape[0] == 0 for value in given.values()):
            raise InputError("no prompt given; add a point, a box or a mask")
        for name, value in given.items():
            object.__setattr__(self, name, value)

    @property
    def is_lone_point(self) -> bool:
        """Whether the only prompt is a single point: the ambiguous case (paper, section 3)."""
        others = (self.box, self.mask, self.text)
        return len(self.points) == 1 and all(other is None for other in others)

    @property
    def is_text_alone(self) -> bool:
        """Whether there is only a text vector; it stands for everything that matches it."""
        return self.text is not None and not (
            len(self.points) or self.box is not None or self.mask is not None
        )


def _floats(values: ArrayLike | None, name: str) -> NDArray[np.float64]:
    array = plain(() if values is None else values, name)
    try:
        if array.dtype.kind not in "biufO":  # words and dates would become numbers
            raise TypeError
        with np.errstate(over="ignore"):
            array = array.astype(np.float64)
    except ODD as error:
        raise InputError(f"{name} must be numbers; got {reprlib.repr(values)}") from error
    if not np.isfinite(array).all():
        raise InputError(f"{name} must be finite; got {reprlib.repr(array.tolist())}")
    return array


def _points(values: ArrayLike | None) -> NDArray[np.float64]:
    points = _floats(values, "points")
    points = points.reshape(0, 2) if points.size == 0 else points
    if points.ndim != 2 or points.shape[1] != 2:
        raise InputError(f"points must have shape (N, 2) as (row, column); got {points.shape}")
    return points


def _labels(values: ArrayLike | None, count: int) -> NDArray[np.int64]:
    labels = _floats(values, "point labels")
    labels = labels.reshape(0) if labels.size == 0 else labels
    if labels.shape != (count,):
        raise InputError(
            f"labels must hold one value per point: {count} points, labels of shape {labels.shape}"
        )
    if not np.isin(labels, (0, 1)).all():
        raise InputError(
            "point labels must be 0 (background) or 1 (foreground); "
            f"got [{', '.join(f'{label:g}' for label in labels[:6])}]"
        )
    return labels.astype(np.int64)


def _box(values: ArrayLike | None) -> NDArray[np.float64] | None:
    box = _floats(values, "box")
    if box.size == 0:
        return None
    if box.shape not in ((4,), (1, 4)):  # SAM's own transforms give the second
        raise InputError(f"a box must be y0, x0, y1, x1; got shape {box.shape}")
    corners = np.sort(box.reshape(2, 2), axis=0)
    if (np.ptp(corners, axis=0).round(9) < MIN_SIDE).any():
        raise InputError(
            f"a box must have an area, with sides of {MIN_SIDE} pixels at least; "
            f"got y0, x0, y1, x1 = {box.ravel().tolist()}"
        )
    return corners.ravel()


def _mask(values: ArrayLike | WindowMask | None) -> NDArray[Any] | WindowMask | None:
    if isinstance(values, WindowMask):
        if not values.any():
            raise InputError(EMPTY)
        return values
    mask = plain(() if values is None else values, "the mask prompt")
    if mask.size == 0:
        return None
    if mask.ndim == 3 and len(mask) == 1:  # as SAM returns logits
        mask = mask[0]
    if mask.ndim != 2 or mask.dtype.kind not in "bf":
        raise InputError(
            "a mask must be a boolean (H, W) array or floating low-resolution logits; "
            f"got {mask.dtype} of shape {mask.shape}"
        )
    if mask.dtype == bool:
        if not mask.any():
            raise InputError(EMPTY)
        return np.ascontiguousarray(mask)
    with np.errstate(over="ignore"):
        mask = mask.astype(np.float32, copy=False)
    if not np.isfinite(mask).all():
        raise InputError("the mask prompt holds values that are not finite")
    if np.abs(mask).max() > MAX_LOGIT:
        raise InputError(
            f"mask logits must lie within -{MAX_LOGIT:.0f} and {MAX_LOGIT:.0f}; "
            f"got {mask.min():.3g} to {mask.max():.3g}"
        )
    return np.ascontiguousarray(mask)


def _text(values: ArrayLike | None) -> NDArray[np.float64] | None:
    text = _floats(values, "text")
    if text.size == 0:
        return None
    if text.ndim != 1:
        raise InputError(f"a text prompt must be one vector of shape (D,); got {text.shape}")
    if not text.any():
        raise InputError("a text prompt must not be zero everywhere: it has no direction")
    return text
