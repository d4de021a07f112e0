"""What the list says about one object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from napari_sam.session.objects import AnnotatedObject, Status
from napari_sam.session.review import weakest_plane
from napari_sam.session.target import Plane

__all__ = ["STATUS", "Column", "Row", "row_of", "span"]

STATUS = {Status.UNCLEAR: "▲ unclear", Status.PROPOSED: "● proposed", Status.ACCEPTED: "✓ accepted"}
"""A sign and a word for each, the most doubtful first."""


class Column(IntEnum):
    """What the columns show."""

    ID = 0
    LOOK = 1
    SLICES = 2
    SCORE = 3
    STATUS = 4
    CLASS = 5
    LOCK = 6


@dataclass(frozen=True)
class Row:
    """One object as the list shows it, worked out once per change of the object.

    Parameters
    ----------
    held : AnnotatedObject
        The object.
    plane : Plane or None
        Where to look at it first.
    score : float or None
        The lowest of its planes.
    status : Status
        The most doubtful of its planes.
    slices : str
        In which slices it lies.
    keys : mapping of int to tuple
        What it is sorted by in each column, with its number where two are equal.
    """

    held: AnnotatedObject
    plane: Plane | None
    score: float | None
    status: Status
    slices: str
    keys: Mapping[int, tuple[float, int]]


def row_of(held: AnnotatedObject) -> Row:
    """Work out what to show of an object."""
    score, status = held.confidence, held.status
    rank = 2.0 if score is None else score  # without a score comes last
    by = {
        Column.ID: 0,
        Column.LOOK: 0,
        Column.SLICES: len(held.sections),
        Column.SCORE: rank,
        Column.STATUS: 10.0 * list(STATUS).index(status) + rank,  # the least sure first
        Column.CLASS: held.class_id,
        Column.LOCK: not held.locked,
    }
    keys = {int(column): (float(key), held.id) for column, key in by.items()}
    return Row(held, weakest_plane(held), score, status, span(held.planes), keys)


def span(planes: Sequence[Plane]) -> str:
    """Say in which slices an object lies.

    Examples
    --------
    >>> span([(4, None, None)])
    '4'
    >>> span([(4, None, None), (5, None, None), (6, None, None)])
    '4-6'
    >>> span([(0, 4, None, None), (0, 5, None, None), (0, 9, None, None)])
    '4-9 (3)'
    >>> span([(0, 4, None, None), (1, 5, None, None)])
    '2 slices'
    >>> span([(None, None)])
    '1'
    """
    at = [[index for index in plane if index is not None] for plane in planes]
    if len(at) < 2:
        return ", ".join(map(str, at[0])) or "1" if at else "0"
    moving = [values for values in zip(*at, strict=True) if len(set(values)) > 1]
    if len(moving) != 1:
        return f"{len(at)} slices"
    first, last = min(moving[0]), max(moving[0])
    gaps = f" ({len(at)})" if last - first + 1 > len(at) else ""
    return f"{first}-{last}{gaps}"
