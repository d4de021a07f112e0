"""What a person says about one object: points, a box, a mask, words. Row-column order, numpy."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_sam.errors import InputError

__all__ = ["ABSENT", "Absent", "Prompts"]


class Absent(Enum):
    """The type of `ABSENT`, the seed that says: the object is not on this slice.

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
    """The prompts for one object in one two-dimensional picture.

    Parameters
    ----------
    points : array-like of shape (N, 2), float
        Clicked positions as (row, column) in pixels. Pixel (r, c) is the square from r - 0.5 to
        r + 0.5.
    labels : array-like of shape (N,), int
        1 for a foreground click, 0 for a background click.
    box : array-like of shape (4,), float, optional
        y0, x0, y1, x1 in the same frame; corners may come in any order.
    mask : ndarray, optional
        Either a boolean (H, W) mask of the picture, or floating low-resolution logits with the
        shape of `Prediction.logits[0]`.
    text : array-like of shape (D,), float, optional
        A vector of the joint image-text space, for models that understand words.

    Raises
    ------
    InputError
        For wrong shapes, coordinates that are not finite, labels other than 0 and 1, a box
        without area or no prompt at all.

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
    mask: NDArray[Any] | None
    text: NDArray[np.float64] | None

    def __init__(
        self,
        points: ArrayLike = (),
        labels: ArrayLike = (),
        box: ArrayLike | None = None,
        mask: NDArray[Any] | None = None,
        text: ArrayLike | None = None,
    ) -> None:
        points = _floats(points, "points")
        points = points.reshape(0, 2) if points.size == 0 else points
        if points.ndim != 2 or points.shape[1] != 2:
            raise InputError(f"points must have shape (N, 2) as (row, column); got {points.shape}")
        labels = np.asarray(labels)
        if labels.shape != (len(points),):
            raise InputError(
                f"labels must hold one value per point: {len(points)} points, "
                f"labels of shape {labels.shape}"
            )
        if not np.isin(labels, (0, 1)).all():
            raise InputError(
                f"point labels must be 0 (background) or 1 (foreground); got {labels.tolist()}"
            )
        if box is not None:
            box = _floats(box, "box")
            if box.shape != (4,):
                raise InputError(f"a box must be y0, x0, y1, x1; got shape {box.shape}")
            corners = np.sort(box.reshape(2, 2), axis=0)
            if (corners[1] <= corners[0]).any():
                raise InputError(f"a box must have an area; got y0, x0, y1, x1 = {box.tolist()}")
            box = corners.ravel()
        mask = None if mask is None else np.asarray(mask)
        if mask is not None:
            if mask.ndim != 2 or not (mask.dtype == bool or np.issubdtype(mask.dtype, np.floating)):
                raise InputError(
                    "a mask must be a boolean (H, W) array or floating low-resolution logits; "
                    f"got {mask.dtype} of shape {mask.shape}"
                )
            if not np.isfinite(mask).all():
                raise InputError("the mask prompt holds values that are not finite")
            if mask.dtype == bool and not mask.any():
                raise InputError("the mask prompt is empty; mark at least one pixel")
        text = None if text is None else _floats(text, "text")
        if text is not None and text.ndim != 1:
            raise InputError(f"a text prompt must be one vector of shape (D,); got {text.shape}")
        if len(points) == 0 and box is None and mask is None and text is None:
            raise InputError("no prompt given; add a point, a box or a mask")
        object.__setattr__(self, "points", points)
        object.__setattr__(self, "labels", labels.astype(np.int64))
        object.__setattr__(self, "box", box)
        object.__setattr__(self, "mask", mask)
        object.__setattr__(self, "text", text)

    @property
    def is_lone_point(self) -> bool:
        """True for exactly one point and nothing else: the ambiguous prompt (paper, section 3)."""
        others = (self.box, self.mask, self.text)
        return len(self.points) == 1 and all(other is None for other in others)

    @property
    def is_text_alone(self) -> bool:
        """True for words and nothing else: everything that they fit is meant."""
        return self.text is not None and not (
            len(self.points) or self.box is not None or self.mask is not None
        )


def _floats(values: ArrayLike, name: str) -> NDArray[np.float64]:
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} must be numbers; got {values!r}") from error
    if not np.isfinite(array).all():
        raise InputError(f"{name} must be finite; got {array.tolist()}")
    return array
