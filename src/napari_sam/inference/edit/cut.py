"""Cuts of one object: pieces from strokes or clicks, through slices, and with a model's help.

Pieces are numbers 1 to n in an array of the plane, zero outside of the object; each of its pixels
belongs to exactly one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage
from skimage.draw import line
from skimage.segmentation import watershed

from napari_sam.errors import InputError
from napari_sam.inference.masks import EIGHT, depth
from napari_sam.masks import bounding_box, slices
from napari_sam.prompts import Prompts

__all__ = [
    "cut_by_clicks",
    "cut_by_strokes",
    "cut_like",
    "cut_prompts",
    "cut_stack",
    "follow_model",
]

MIN_PIECE = 9  # pixels of a piece; less is a burr of the stroke
END = 5.0  # pixels at the end of a stroke that say where it is going
FOLLOWS = 0.5  # IoU of each piece of the model's with that of the stroke, or the stroke holds
REACH = 0.1  # of the smallest piece's diameter: as deep in a mask a pixel is its own
STROKE = 0.5  # weight of the strokes' pieces beside the model's masks
CLICKS = 3  # places in each piece that are told to the model

Pieces = NDArray[np.int32]
Mask = NDArray[np.bool_]
Place = tuple[int, ...]


def cut_by_strokes(mask: Mask, strokes: Sequence[ArrayLike]) -> Pieces:
    """Cut a mask along strokes; those that end inside of it go on straight to its border.

    Parts of the mask that no stroke touches stay with the nearest piece.

    Parameters
    ----------
    mask : (H, W) bool
        The object.
    strokes : sequence of (N, 2) float
        (row, column) along each stroke, in pixels.

    Returns
    -------
    (H, W) int32
        1 is the largest piece.

    Raises
    ------
    InputError
        If the strokes do not divide the mask.

    Examples
    --------
    >>> mask = np.ones((6, 12), bool)
    >>> pieces = cut_by_strokes(mask, [[(2, 7), (4, 7)]])
    >>> pieces[0].tolist()
    [1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2]
    """
    box = bounding_box(mask)
    paths = [np.asarray(stroke, float).reshape(-1, 2) for stroke in strokes]
    found = np.zeros(mask.shape, np.int32)
    if box is not None:
        corner = np.array(box[:2])
        found[slices(box)] = _divided(mask[slices(box)], [path - corner for path in paths])
    if found.max() < 2:
        raise InputError(
            "the stroke does not divide the object; draw it across, from border to border"
        )
    return found


def cut_by_clicks(mask: Mask, clicks: ArrayLike) -> Pieces:
    """Cut a mask between clicks, a piece for each, where it is narrow.

    Parameters
    ----------
    mask : (H, W) bool
        The object.
    clicks : (N, 2) float
        (row, column) of at least two different pixels; those beside the mask do not count.

    Returns
    -------
    (H, W) int32
        1 is the largest piece.

    Raises
    ------
    InputError
        If fewer than two clicks lie on the mask.

    Examples
    --------
    >>> mask = np.ones((3, 7), bool)
    >>> mask[::2, 3] = False
    >>> cut_by_clicks(mask, [(1, 1), (1, 5)])[0].tolist()
    [1, 1, 1, 0, 2, 2, 2]
    """
    at = np.unique(np.round(np.asarray(clicks, float).reshape(-1, 2)).astype(int), axis=0)
    at = at[((at >= 0) & (at < mask.shape)).all(axis=1)]
    at = at[mask[tuple(at.T)]]
    if len(at) < 2:
        raise InputError(f"click once in each part of the object; {len(at)} of them was clicked on")
    markers = np.zeros(mask.shape, np.int32)
    markers[tuple(at.T)] = np.arange(1, len(at) + 1)
    # Without necks nothing but nearness tells them apart.
    gap = np.hypot(*(at[:, None] - at[None]).transpose(2, 0, 1))
    nearest = gap[gap > 0].min()
    deep = depth(mask)
    flooded = watershed(-deep / deep.max(), markers, mask=mask, compactness=1 / nearest)
    return _by_size(_filled(flooded, mask))


def cut_like(mask: Mask, pieces: Pieces) -> Pieces:
    """Cut a mask as the one of a neighbouring plane was: each pixel goes to the nearest piece.

    Parameters
    ----------
    mask : (H, W) bool
        The object on this plane.
    pieces : (H, W) int32
        Of the plane beside it, of which there is at least one.

    Examples
    --------
    >>> cut_like(np.array([[1, 1, 1, 1, 1]], bool), np.array([[0, 2, 1, 0, 0]], np.int32))
    array([[2, 2, 1, 1, 1]], dtype=int32)
    """
    return np.where(mask, _nearest(pieces), 0).astype(np.int32)


def cut_stack(
    masks: Mapping[Place, Mask],
    start: Place,
    strokes: Sequence[ArrayLike] = (),
    clicks: ArrayLike = (),
) -> Iterator[tuple[Place, Pieces]]:
    """Cut an object slice by slice, from the one that was drawn on outwards.

    The strokes cut each slice, and what they cut off is the piece that it lies on in the nearest
    slice that is cut. Where they do not reach it, or with clicks, each pixel goes to the nearest
    piece there.

    Parameters
    ----------
    masks : mapping of tuple of int to (H, W) bool
        By where the slice lies on the axes that are not shown.
    start : tuple of int
        The slice with the strokes or clicks.
    strokes, clicks :
        As in `cut_by_strokes`, `cut_by_clicks`; the clicks count where there is no stroke.

    Yields
    ------
    slice, (H, W) int32
        A piece has the same number on all of them.

    Raises
    ------
    InputError
        If the first slice is not divided.
    """
    first = (
        cut_by_strokes(masks[start], strokes) if strokes else cut_by_clicks(masks[start], clicks)
    )
    yield start, first
    found = {start: first}
    for at in sorted((one for one in masks if one != start), key=lambda one: _steps(one, start)):
        nearest = min(found, key=lambda one: _steps(one, at))
        found[at] = _cut_beside(masks[at], found[nearest], strokes)
        yield at, found[at]


def cut_prompts(pieces: Pieces) -> list[Prompts]:
    """Return what a model is asked for each piece: its box and clicks; those of others exclude.

    Examples
    --------
    >>> one, other = cut_prompts(np.repeat([[1, 1, 1, 2, 2, 2]], 3, axis=0).astype(np.int32))
    >>> one.points[one.labels == 1].tolist(), one.points[one.labels == 0].tolist()
    ([[1.0, 1.0]], [[1.0, 4.0]])
    >>> one.box.tolist()
    [-0.5, -0.5, 2.5, 2.5]
    """
    parts = [pieces == number for number in _numbers(pieces)]
    places, prompts = [_places(part) for part in parts], []
    for own, inside in enumerate(places):
        beside = [place for other, some in enumerate(places) if other != own for place in some[:1]]
        labels = [1] * len(inside) + [0] * len(beside)
        box = bounding_box(parts[own])
        prompts.append(Prompts([*inside, *beside], labels, box and np.subtract(box, 0.5)))
    return prompts


def follow_model(pieces: Pieces, masks: Sequence[Mask]) -> tuple[Pieces, bool]:
    """Let a model's masks of the pieces move the border between them, where they fit.

    Each pixel of the object goes to the mask in which it lies deepest, up to a tenth of the
    smallest piece's diameter; the strokes decide where several masks, or none, hold it. What is cut
    off from the rest of its piece goes to the one around it. If the pieces are others then, the
    model does not follow, and the strokes hold everywhere.

    Parameters
    ----------
    pieces : (H, W) int32
        By strokes or clicks.
    masks : sequence of (H, W) bool
        The model's mask of each piece that is there, in order.

    Returns
    -------
    pieces : (H, W) int32
        Moved, or as they were.
    followed : bool
        Whether they are the model's.

    Examples
    --------
    >>> pieces = np.array([[1, 1, 1, 2, 2, 2, 2]], np.int32)
    >>> one = np.array([[1, 1, 1, 1, 0, 0, 0]], bool)
    >>> follow_model(pieces, [one, ~one])
    (array([[1, 1, 1, 1, 2, 2, 2]], dtype=int32), True)
    """
    box = bounding_box(pieces > 0)
    if box is None or not all(mask.any() for mask in masks):
        return pieces, False
    inside = slices(box)
    before, whole = pieces[inside], pieces[inside] > 0
    numbers = _numbers(before)
    smallest = min(np.count_nonzero(before == number) for number in numbers)
    reach = REACH * 2 * np.sqrt(smallest / np.pi)
    levels = [
        _depth(mask[inside], reach) + STROKE * _depth(before == number, reach)
        for number, mask in zip(numbers, masks, strict=True)
    ]
    wanted = np.where(whole, numbers[np.argmax(levels, axis=0)], 0).astype(np.int32)
    wanted = _filled(_main_parts(wanted, before), whole)
    for number in numbers:
        one, other = wanted == number, before == number
        if np.count_nonzero(one & other) < FOLLOWS * np.count_nonzero(one | other):
            return pieces, False
    moved = np.zeros_like(pieces)
    moved[inside] = wanted
    return moved, True


def _divided(mask: Mask, paths: list[NDArray[np.float64]]) -> Pieces:
    """Return the pieces of a mask, in the size of its box."""
    drawn = np.zeros(mask.shape, bool)
    for path in paths:
        own = _drawn(path, mask.shape)
        if _count(mask, own) < 2:
            own = _drawn(_prolonged(path, float(np.hypot(*mask.shape))), mask.shape, mask)
        drawn |= own
    parts, count = ndimage.label(mask & ~drawn)
    beside = np.unique(parts[ndimage.binary_dilation(drawn & mask, EIGHT) & mask])
    sizes = np.bincount(parts.ravel(), minlength=count + 1)
    kept = np.zeros(count + 1, bool)
    kept[beside] = True
    kept &= sizes >= min(MIN_PIECE, int(np.count_nonzero(mask)) // 4)
    kept[0] = False
    if not kept.any():
        return mask.astype(np.int32)
    return _by_size(_filled(np.where(kept[parts], parts, 0).astype(np.int32), mask))


def _count(mask: Mask, drawn: Mask) -> int:
    """Return into how many pieces a line cuts a mask, of those that it touches."""
    parts, count = ndimage.label(mask & ~drawn)
    sizes = np.bincount(parts.ravel(), minlength=count + 1)
    beside = np.unique(parts[ndimage.binary_dilation(drawn & mask, EIGHT) & mask])
    return int(np.count_nonzero((beside > 0) & (sizes[beside] >= MIN_PIECE)))


def _drawn(path: NDArray[np.float64], shape: tuple[int, ...], within: Mask | None = None) -> Mask:
    """Return the pixels of a path. The first and the last step end where the mask ends."""
    drawn = np.zeros(shape, bool)
    pixels = np.round(path).astype(int)
    last = len(pixels) - 2
    for number, (start, end) in enumerate(pairwise(pixels)):
        rows, columns = line(*start, *end)
        there = (rows >= 0) & (rows < shape[0]) & (columns >= 0) & (columns < shape[1])
        if within is not None and number in (0, last):
            there = _until_outside(rows, columns, there, within, backwards=number == 0)
        drawn[rows[there], columns[there]] = True
    return drawn


def _until_outside(
    rows: NDArray[np.int_],
    columns: NDArray[np.int_],
    there: Mask,
    within: Mask,
    backwards: bool,
) -> Mask:
    """Return which pixels of a line lie before it leaves the mask for the first time."""
    inside = np.zeros(len(rows), bool)
    inside[there] = within[rows[there], columns[there]]
    if backwards:
        inside = inside[::-1]
    stays = np.logical_and.accumulate(inside | (np.arange(len(inside)) == 0))
    return there & (stays[::-1] if backwards else stays)


def _prolonged(path: NDArray[np.float64], by: float) -> NDArray[np.float64]:
    """Return a path with a straight step at each end."""
    if len(path) < 2:
        return path
    ends = [path[0] + by * _direction(path[::-1]), path[-1] + by * _direction(path)]
    return np.vstack([ends[0], path, ends[1]])


def _direction(path: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return where the end of a path is going, of length 1; 0 if it has no length."""
    away = np.hypot(*(path - path[-1]).T)
    behind = path[np.flatnonzero(away >= min(END, away.max()))[-1]]
    step = path[-1] - behind
    return np.asarray(step / max(float(np.hypot(*step)), 1e-9))


def _nearest(pieces: Pieces) -> Pieces:
    """Return the number of the nearest piece, everywhere."""
    at = ndimage.distance_transform_edt(pieces == 0, return_distances=False, return_indices=True)
    return np.asarray(pieces[tuple(at)], np.int32)


def _filled(pieces: Pieces, mask: Mask) -> Pieces:
    """Give what is left of a mask to the nearest piece."""
    if not (mask & (pieces == 0)).any():
        return pieces
    return np.where(mask, _nearest(pieces), 0).astype(np.int32)


def _by_size(pieces: Pieces) -> Pieces:
    """Give pieces the numbers from 1 on, the largest first."""
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    order = np.argsort(-sizes, kind="stable")[: np.count_nonzero(sizes)]
    numbers = np.zeros(len(sizes), np.int32)
    numbers[order] = np.arange(1, len(order) + 1)
    return numbers[pieces]


def _numbers(pieces: Pieces) -> Pieces:
    """Return the numbers of the pieces that are there, in order."""
    return np.unique(pieces[pieces > 0])


def _steps(one: Place, other: Place) -> int:
    return sum(abs(i - j) for i, j in zip(one, other, strict=True))


def _cut_beside(mask: Mask, before: Pieces, strokes: Sequence[ArrayLike]) -> Pieces:
    """Cut the mask of a slice whose neighbour is cut."""
    near = cut_like(mask, before)
    try:
        parts = cut_by_strokes(mask, strokes) if strokes else None
    except InputError:  # they do not reach it
        parts = None
    if parts is None:
        return near
    counts = [np.bincount(near[parts == part]) for part in range(int(parts.max()) + 1)]
    numbers = np.array([0, *(count.argmax() for count in counts[1:])], np.int32)
    return numbers[parts]


def _places(piece: Mask) -> list[tuple[float, float]]:
    """Return places of a piece, deepest first, each as far from the others as it is deep."""
    box = bounding_box(piece)
    if box is None:
        return []
    deep = depth(piece[slices(box)])
    least, places = deep.max() / 2, list[tuple[float, float]]()
    rows, columns = np.ogrid[: deep.shape[0], : deep.shape[1]]
    while len(places) < CLICKS and deep.max() > least:
        row, column = np.unravel_index(deep.argmax(), deep.shape)
        places.append((float(row + box[0]), float(column + box[1])))
        deep = np.where(np.hypot(rows - row, columns - column) > 2 * least, deep, 0)
    return places


def _depth(mask: Mask, reach: float) -> NDArray[np.float64]:
    """Return how deep in a mask pixels lie, from -1 (outside) to 1, which a reach is enough for."""
    if mask.all() or not mask.any():
        return np.where(mask, 1.0, -1.0)
    inner, outer = (ndimage.distance_transform_edt(side) for side in (mask, ~mask))
    return np.clip((inner - outer) / reach, -1, 1)


def _main_parts(wanted: Pieces, before: Pieces) -> Pieces:
    """Keep of each piece the connected part that has most of what the piece was."""
    kept = np.zeros_like(wanted)
    for number in _numbers(before):
        parts, count = ndimage.label(wanted == number, EIGHT)
        met = np.bincount(parts[before == number], minlength=count + 1)
        met[0] = 0
        if met.any():
            kept[parts == met.argmax()] = number
    return kept
