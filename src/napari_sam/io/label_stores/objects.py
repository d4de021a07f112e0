"""All objects of labels of any size, a window at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_sam.arrays import Labels, LazyArray
from napari_sam.io.label_stores.chunks import SIDE, Block, filled
from napari_sam.numbering import ranked

__all__ = ["ObjectWindow", "object_windows"]

Place = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class ObjectWindow:
    """Whole objects in a window of labels; nothing else is in its pixels.

    Parameters
    ----------
    place : tuple of int
        Index along each of the axes outside.
    corner : tuple of int
        Where the window begins along each of the others.
    pixels : ndarray of int
        The labels in it.
    block : Block
        The window as an index of the labels.
    """

    place: Place
    corner: Place
    pixels: Labels
    block: Block


def object_windows(labels: LazyArray, outside: Collection[int] = ()) -> Iterator[ObjectWindow]:
    """Yield all objects of labels, each once and whole; what is held at once are neighbours.

    Blocks are read twice: to see where the objects are, and where objects are.

    Parameters
    ----------
    labels : array-like of int
        numpy, zarr, or anything that reads what is indexed.
    outside : collection of int
        Axes along which an object is another one at each index, such as time.

    Raises
    ------
    InputError
        If they are no whole numbers from 0 on.

    Examples
    --------
    >>> labels = np.zeros((2, 3000, 3000), int)
    >>> labels[0, 5, 5:9], labels[1, 2900, 2900] = 4, 4
    >>> [(one.place, one.corner, one.pixels.tolist()) for one in object_windows(labels, [0])]
    [((0,), (5, 5), [[4, 4, 4, 4]]), ((1,), (2900, 2900), [[4]])]
    """
    inside = [axis for axis in range(len(labels.shape)) if axis not in outside]
    groups: dict[tuple[Place, Place], list[tuple[int, NDArray[np.int64]]]] = defaultdict(list)
    for (place, number), box in _boxes(labels, sorted(outside), inside).items():
        groups[place, tuple((box[0] // SIDE).tolist())].append((number, box))
    for (place, _), members in sorted(groups.items()):
        low = np.min([box[0] for _, box in members], axis=0).tolist()
        high = np.max([box[1] for _, box in members], axis=0).tolist()
        block = _whole(place, sorted(outside), low, high, inside)
        pixels = np.asarray(labels[block])
        pixels = pixels.reshape([b - a for a, b in zip(low, high, strict=True)])
        numbers = np.array([number for number, _ in members], pixels.dtype)
        pixels = np.where(np.isin(pixels, numbers), pixels, 0)
        yield ObjectWindow(place, tuple(low), pixels, block)


def _boxes(
    labels: LazyArray, outside: Sequence[int], inside: Sequence[int]
) -> dict[tuple[Place, int], NDArray[np.int64]]:
    """Return where each object begins and ends along the axes inside, (2, n)."""
    found: dict[tuple[Place, int], NDArray[np.int64]] = {}
    for block in filled(labels):
        pixels = np.asarray(labels[block])
        if not pixels.any():
            continue
        start = np.array([block[axis].start for axis in inside])
        pixels = pixels.transpose([*outside, *inside])
        for index in np.ndindex(pixels.shape[: len(outside)]):
            place = tuple(block[axis].start + i for axis, i in zip(outside, index, strict=True))
            ids, ranks = ranked(pixels[index])
            for number, at in zip(ids.tolist(), ndimage.find_objects(ranks), strict=True):
                if at is not None:
                    here = start + np.array([[s.start for s in at], [s.stop for s in at]])
                    known = found.get((place, number))
                    if known is not None:
                        here = np.stack(
                            [np.minimum(known[0], here[0]), np.maximum(known[1], here[1])]
                        )
                    found[place, number] = here
    return found


def _whole(
    place: Place, outside: Sequence[int], low: Place, high: Place, inside: Sequence[int]
) -> Block:
    """Return the index of a window."""
    at = {axis: slice(i, i + 1) for axis, i in zip(outside, place, strict=True)}
    at |= {axis: slice(a, b) for axis, a, b in zip(inside, low, high, strict=True)}
    return tuple(at[axis] for axis in sorted(at))
