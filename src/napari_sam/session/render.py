"""Objects as labels: which pixels of the target have to change when objects do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_sam.masks import CroppedMask, enclosing, slices
from napari_sam.planes import Plane
from napari_sam.session.objects import LabelArray

__all__ = ["ReadableLabels", "Repaint", "WritableLabels", "blank", "shown", "write"]


class ReadableLabels(Protocol):
    """A labels array that can be read plane by plane."""

    def read(self, plane: Plane) -> LabelArray:
        """Return the (H, W) labels of one plane."""


class WritableLabels(ReadableLabels, Protocol):
    """One that can be written as well."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Integer type of the labels."""

    def write(
        self,
        plane: Plane,
        rows: NDArray[np.intp],
        columns: NDArray[np.intp],
        values: LabelArray,
    ) -> None:
        """Set the pixels (rows[i], columns[i]) of one plane to values[i]."""


@dataclass(frozen=True)
class Repaint:
    """One object's pixels and their label value in one plane, before and after."""

    plane: Plane
    before: CroppedMask | None
    value_before: int
    after: CroppedMask | None
    value_after: int


def write(target: WritableLabels, repaints: Iterable[Repaint], only_expected: bool) -> None:
    """Write what changes, plane by plane; no other pixel is touched.

    Parameters
    ----------
    target : WritableLabels
        The labels.
    repaints : iterable of Repaint
        What becomes of each object.
    only_expected : bool
        Leave all pixels alone that do not hold what they should have held before, because somebody
        has changed them since; else only those that would become background.
    """
    planes: dict[Plane, list[Repaint]] = {}
    for repaint in repaints:
        planes.setdefault(repaint.plane, []).append(repaint)
    for plane, changes in planes.items():
        masks = [m for c in changes for m in (c.before, c.after) if m is not None]
        if not masks:
            continue
        window = enclosing(*(mask.box for mask in masks))
        now = target.read(plane)[slices(window)]
        old, new = (np.zeros(now.shape, now.dtype) for _ in range(2))
        for change in changes:
            if change.before is not None:
                change.before.mark(old, window, change.value_before)
            if change.after is not None:
                change.after.mark(new, window, change.value_after)
        expected = now == old
        allowed = expected if only_expected else expected | (new != 0)
        different = (old != new) & (now != new) & allowed
        rows, columns = np.nonzero(different)
        if len(rows):
            target.write(plane, rows + window[0], columns + window[1], new[rows, columns])


def shown(target: ReadableLabels, repaints: Iterable[Repaint]) -> bool:
    """Tell whether all pixels that would be written hold their value already."""
    return all((now == value).all() for now, value in _pixels(target, repaints))


def blank(target: ReadableLabels, repaints: Iterable[Repaint]) -> bool:
    """Tell whether all pixels that would be written are background."""
    return not any(now.any() for now, _ in _pixels(target, repaints))


def _pixels(
    target: ReadableLabels, repaints: Iterable[Repaint]
) -> Iterator[tuple[LabelArray, int]]:
    """Give the labels where each repaint writes, and the value that it writes."""
    for repaint in repaints:
        if repaint.after is not None:
            now = target.read(repaint.plane)[slices(repaint.after.box)]
            yield now[repaint.after.crop()], repaint.value_after
