"""What the list says about one object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from napari_sam.session.objects import AnnotatedObject, Status
from napari_sam.session.review import weakest_plane
from napari_sam.session.target import Plane

__all__ = ["STATUS", "Row", "row_of", "span"]

STATUS = {Status.UNCLEAR: "▲ unclear", Status.PROPOSED: "● proposed", Status.ACCEPTED: "✓ accepted"}
"""A sign and a word for each, the most doubtful first."""


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
    """

    held: AnnotatedObject
    plane: Plane | None
    score: float | None
    status: Status
    slices: str

    @property
    def doubt(self) -> float:
        """Sorts what is unsure first, and within it what has the lowest score."""
        return 10.0 * list(STATUS).index(self.status) + _last(self.score)

    @property
    def rank(self) -> float:
        """Sorts by score; without one comes last."""
        return _last(self.score)


def row_of(held: AnnotatedObject) -> Row:
    """Work out what to show of an object."""
    return Row(held, weakest_plane(held), held.confidence, held.status, span(held.planes))


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


def _last(score: float | None) -> float:
    return 2.0 if score is None else score
