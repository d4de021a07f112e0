"""Lines in which planes of different directions cross, and the pixels of masks along them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_sam.masks import Box, CroppedMask, enclosing, slices
from napari_sam.planes import Plane, crossing, in_order, spanned

__all__ = ["Crossing", "joined_lines", "line", "size", "voxels", "with_line"]


class Crossing(NamedTuple):
    """Line of a window of a plane in which another plane crosses it.

    Parameters
    ----------
    plane : Plane
        The other one.
    here, there : Box
        The pixels of the line in the window and in the other plane, both one pixel wide.
    """

    plane: Plane
    here: Box
    there: Box

    def seen(self, mask: CroppedMask) -> NDArray[np.bool_]:
        """Return the pixels of a mask of the other plane as they lie in this one, (h, w)."""
        return mask.within(self.there).reshape(size(self.here))

    def sent(self, mask: CroppedMask) -> NDArray[np.bool_]:
        """Return the pixels of a mask of this plane as they lie in the other one, (h, w)."""
        return self.turned(mask.within(self.here))

    def turned(self, pixels: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return pixels of the line in this plane as they lie in the other one, (h, w)."""
        return pixels.reshape(size(self.there))


def line(plane: Plane, window: Box, other: Plane) -> Crossing | None:
    """Return where another plane crosses a window of a plane; None if it does not.

    Examples
    --------
    >>> line((5, None, None), (0, 0, 4, 6), (None, 2, None))
    Crossing(plane=(None, 2, None), here=(2, 0, 3, 6), there=(5, 0, 6, 6))
    """
    met = crossing(plane, other)
    if met is None:
        return None
    here, there = met
    along = (0, 1)  # of a point, where four axes leave no line
    spans = []
    for i, at in enumerate(here):
        if at is None:
            along = window[i], window[i + 2]
            spans.append(along)
        elif window[i] <= at < window[i + 2]:
            spans.append((at, at + 1))
        else:
            return None
    others = [along if at is None else (at, at + 1) for at in there]
    return Crossing(other, _box(spans), _box(others))


def joined_lines(
    plane: Plane, shape: tuple[int, int], masks: Iterable[tuple[Plane, CroppedMask | None]]
) -> CroppedMask | None:
    """Return the pixels of a plane (H, W) that lie in masks of planes across it, or None.

    Examples
    --------
    >>> upright = CroppedMask.of(np.ones((2, 3), bool), (1, 0), (8, 5))
    >>> known = joined_lines((2, None, None), (9, 5), [((None, 4, None), upright)])
    >>> known.box, known.area
    ((4, 0, 5, 3), 3)
    """
    lines = [
        (met.there, met.sent(mask))
        for other, mask in masks
        if mask is not None and (met := line(other, mask.box, plane)) is not None
    ]
    if not lines:
        return None
    window = enclosing(*(box for box, _ in lines))
    found = np.zeros(size(window), bool)
    for box, pixels in lines:
        found[slices(box, window)] |= pixels
    return CroppedMask.of(found, window[:2], shape)


def with_line(mask: CroppedMask, box: Box, pixels: NDArray[np.bool_]) -> CroppedMask | None:
    """Return a mask that has just these pixels (h, w) within a box; None if it is empty then."""
    left = mask.without(~pixels, box)
    added = CroppedMask.of(pixels, box[:2], mask.shape)
    if left is None or added is None:
        return left or added
    return left.joined(added)


def voxels(masks: Mapping[Plane, CroppedMask]) -> int:
    """Return how many pixels of an image masks of planes of any directions hold together.

    Examples
    --------
    >>> mask = CroppedMask.of(np.ones((3, 3), bool))
    >>> voxels({(0, None, None): mask, (None, 0, None): mask, (1, None, None): mask})
    21
    """
    if len({spanned(plane) for plane in masks}) < 2:
        return sum(mask.area for mask in masks.values())
    total = 0
    before: dict[Plane, CroppedMask] = {}
    for plane in sorted(masks, key=in_order):
        mask = masks[plane]
        again = joined_lines(plane, mask.shape, before.items())
        total += mask.area - (0 if again is None else mask.common(again))
        before[plane] = mask
    return total


def _box(spans: list[tuple[int, int]]) -> Box:
    (top, bottom), (left, right) = spans
    return top, left, bottom, right


def size(box: Box) -> tuple[int, int]:
    """Return height and width of a box."""
    return box[2] - box[0], box[3] - box[1]
