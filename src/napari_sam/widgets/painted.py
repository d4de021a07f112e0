"""What napari's brush, fill and polygon tools changed in a Labels layer, plane by plane."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_sam.session.target import Plane

__all__ = ["Painted", "painted_planes"]


class Painted(NamedTuple):
    """The pixels of one plane that were painted, each once, with their labels before and now."""

    plane: Plane
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    before: NDArray[Any]
    after: NDArray[Any]


def painted_planes(
    shape: tuple[int, ...], strokes: Sequence[Any], axes: tuple[int, ...]
) -> Iterator[Painted]:
    """Sort the value of a layer's `paint` event by planes.

    Parameters
    ----------
    shape : tuple of int
        Of the layer's data.
    strokes : sequence
        Of the event: each has a ``slice_key``, a ``mask`` in it or None, ``old_values`` and a
        ``new_value``, or is a tuple of indices, values before and values after.
    axes : tuple of int
        The two axes that a plane spans.
    """
    parts = [_pixels(shape, stroke) for stroke in strokes]
    pixels, old, new = (np.concatenate(part) for part in zip(*parts, strict=True))
    flat, first = np.unique(pixels, return_index=True)
    before = old[first]
    _, last = np.unique(pixels[::-1], return_index=True)
    after = new[::-1][last]
    at = np.stack(np.unravel_index(flat, shape))
    others = [axis for axis in range(len(shape)) if axis not in axes]
    planes, which = np.unique(at[others], axis=1, return_inverse=True)
    for number, position in enumerate(planes.T.tolist() if others else [[]]):
        here = which.ravel() == number if others else slice(None)
        plane: list[int | None] = [None] * len(shape)
        for axis, i in zip(others, position, strict=True):
            plane[axis] = i
        rows, columns = at[axes[0]][here], at[axes[1]][here]
        yield Painted(tuple(plane), rows, columns, before[here], after[here])


def _pixels(shape: tuple[int, ...], stroke: Any) -> tuple[NDArray[Any], ...]:
    """Return flat indices, values before and values after, all of shape (N,)."""
    if hasattr(stroke, "slice_key"):
        spans = (range(*part.indices(n)) for part, n in zip(stroke.slice_key, shape, strict=True))
        grid = np.meshgrid(*(np.asarray(span) for span in spans), indexing="ij")
        chosen = slice(None) if stroke.mask is None else np.ravel(stroke.mask)
        index = [axis.ravel()[chosen] for axis in grid]
        before, after = stroke.old_values, stroke.new_value
    else:
        index = [np.ravel(axis) for axis in stroke[0]]
        before, after = stroke[1:]
    flat = np.ravel_multi_index(index, shape)
    return flat, *(np.broadcast_to(np.ravel(values), len(flat)) for values in (before, after))
