"""Instance masks: one binary mask per object and plane, which may overlap."""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_sam.arrays import LazyArray, is_held
from napari_sam.errors import DISTRIBUTION, InputError
from napari_sam.io.label_stores.objects import object_windows
from napari_sam.masks import cropped_masks
from napari_sam.numbering import check_numbers, smallest_type

__all__ = [
    "PLANES",
    "Instances",
    "ObjectRecord",
    "Piece",
    "check_labels_size",
    "check_mask_size",
    "check_slice",
    "cut_out",
    "formats_extra",
    "gather",
    "paint",
]

PLANES = "tcz"
# A file that asks for more is damaged, or means harm.
MAX_MASK_PIXELS, MAX_LABEL_PIXELS = 2**28, 2**34

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Piece:
    """Mask of one object in one plane.

    Parameters
    ----------
    id : int
        The object's number, from 1; its pieces in other planes have the same.
    plane : tuple of int
        Index of the plane along all axes but the last two.
    corner : tuple of int
        Row and column of the mask's first pixel.
    mask : (h, w) bool
        Its pixels.
    name : str, optional
        Of its class.
    """

    id: int
    plane: tuple[int, ...]
    corner: tuple[int, int]
    mask: NDArray[np.bool_]
    name: str | None = None


@dataclass(frozen=True)
class Instances:
    """All objects of an image, as masks.

    Parameters
    ----------
    shape : tuple of int
        Of the picture, rows and columns last.
    axes : str
        A letter of "tczyx" for each.
    pieces : tuple of Piece
        In their order; where they overlap the earlier one stays when they become labels.
    """

    shape: tuple[int, ...]
    axes: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class ObjectRecord:
    """Object mask read from a file, before image shape and axes are known."""

    id: int | None
    at: Mapping[str, int]
    corner: tuple[int, int]
    mask: NDArray[np.bool_]
    name: str | None = None


@contextmanager
def formats_extra() -> Iterator[None]:
    """Raise an error that names the extra to install if an optional import fails."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise InputError(
            f"this format needs the package {error.name}: pip install '{DISTRIBUTION}[formats]'"
        ) from error


def cut_out(labels: LazyArray, axes: str, classes: Mapping[int, str] | None = None) -> Instances:
    """Return the masks of all labels, plane by plane.

    Parameters
    ----------
    labels : (..., Y, X) array-like of int
        Read in windows.
    axes : str
        A letter for each axis.
    classes : mapping of int to str, optional
        Name of each object's class.

    Raises
    ------
    InputError
        If they are no whole numbers from 0 on, or no image.

    Examples
    --------
    >>> drawn = cut_out(np.array([[0, 7, 7], [0, 7, 2]]), "yx")
    >>> [(piece.id, piece.corner, int(piece.mask.sum())) for piece in drawn.pieces]
    [(2, (1, 2), 1), (7, (0, 1), 3)]
    """
    if is_held(labels):
        labels = check_numbers(np.asanyarray(labels))
    shape, names = tuple(labels.shape), classes or {}
    pieces = [
        Piece(
            id_,
            one.place,
            (one.corner[0] + mask.corner[0], one.corner[1] + mask.corner[1]),
            mask.crop(),
            names.get(id_),
        )
        for one in object_windows(labels, range(len(shape) - 2))
        for id_, mask in cropped_masks(one.pixels).items()
    ]
    return Instances(shape, axes, tuple(sorted(pieces, key=lambda piece: (piece.plane, piece.id))))


def paint(instances: Instances) -> tuple[NDArray[np.unsignedinteger], int]:
    """Return a label image, and the number of pixels lost where objects overlap.

    Examples
    --------
    >>> square = np.ones((2, 2), bool)
    >>> pieces = Piece(1, (), (0, 0), square), Piece(2, (), (0, 1), square)
    >>> labels, lost = paint(Instances((2, 3), "yx", pieces))
    >>> labels.tolist(), lost
    ([[1, 1, 2], [1, 1, 2]], 2)
    """
    largest = max((piece.id for piece in instances.pieces), default=0)
    check_labels_size(instances.shape)
    try:
        labels: NDArray[np.unsignedinteger] = np.zeros(
            instances.shape, np.promote_types(np.uint16, smallest_type(largest))
        )
    except MemoryError as error:
        raise InputError(
            f"labels of the picture's shape {instances.shape} need too much memory: {error}"
        ) from error
    lost = 0
    for piece in instances.pieces:
        end = [at + n for at, n in zip(piece.corner, piece.mask.shape, strict=True)]
        if min(piece.corner) < 0 or any(np.greater((*piece.plane, *end), instances.shape)):
            raise InputError(
                f"object {piece.id} reaches to {(*piece.plane, *end)}, beyond the picture's shape "
                f"{instances.shape}; do the objects belong to another picture?"
            )
        top, left = piece.corner
        window = labels[piece.plane][top : end[0], left : end[1]]
        taken = (window != 0) & (window != piece.id) & piece.mask
        window[piece.mask & ~taken] = piece.id
        lost += int(taken.sum())
    return labels, lost


def gather(
    found: Iterable[ObjectRecord], shape: tuple[int, ...] | None = None, axes: str | None = None
) -> Instances:
    """Build `Instances` from records; without a shape, of the smallest image that holds them.

    Outlines without a number get the next one that is free, in their order.
    """
    found = list(found)
    used = [letter for letter in PLANES if any(one.at.get(letter, 0) for one in found)]
    if shape is None or axes is None:
        axes = "".join(used) + "yx"
        ends = [np.add(one.corner, one.mask.shape) for one in found] or [np.ones(2, int)]
        most = [1 + max(one.at.get(letter, 0) for one in found) for letter in used]
        shape = (*most, *map(int, np.max(ends, axis=0)))
    elif missing := set(used) - set(axes):
        raise InputError(
            f"the objects lie on several places along {', '.join(sorted(missing))}, "
            f"an axis that the picture of shape {shape} ({axes}) does not have"
        )
    check_labels_size(shape)
    numbers = {one.id for one in found}
    free = (number for number in range(1, 2 * len(found) + 2) if number not in numbers)
    pieces = [
        Piece(
            next(free) if one.id is None else one.id,
            tuple(one.at.get(letter, 0) for letter in axes[:-2]),
            one.corner,
            one.mask,
            one.name,
        )
        for one in found
    ]
    _warn_of_twins(pieces)
    return Instances(shape, axes, tuple(pieces))


def check_mask_size(height: int, width: int) -> None:
    """Refuse an object whose mask would be too large for memory."""
    if height * width > MAX_MASK_PIXELS:
        raise InputError(
            f"it spans {height:,} x {width:,} pixels, more than {MAX_MASK_PIXELS:,} together"
        )


def check_slice(at: Mapping[str, int], shape: tuple[int, ...] | None, axes: str | None) -> None:
    """Refuse an object on a plane outside the image."""
    for letter, count in zip(axes or "", shape or (), strict=True):
        if at.get(letter, 0) >= count:
            raise InputError(f"it lies on a slice ({letter}) that the picture does not have")


def check_labels_size(shape: Iterable[int]) -> None:
    """Refuse a label image larger than any real image."""
    if math.prod(shape) > MAX_LABEL_PIXELS:
        size = " x ".join(f"{n:,}" for n in shape)
        raise InputError(
            f"a picture of {size} pixels is too large for labels, which may have "
            f"{MAX_LABEL_PIXELS:,}; is the size right, or do objects lie far off? Where the file "
            "does not know its picture, give it with --image"
        )


def _warn_of_twins(pieces: Iterable[Piece]) -> None:
    places = Counter((piece.id, piece.plane) for piece in pieces)
    if twins := sorted({number for (number, _), count in places.items() if count > 1}):
        logger.warning(
            "%d numbers stand for several outlines on one slice, which become one object each: %s",
            len(twins),
            ", ".join(map(str, twins[:5])) + (", ..." if len(twins) > 5 else ""),
        )
