"""Prompts for an object where its accepted sections cross a plane on which it has none."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_sam.planes import Plane, spanned
from napari_sam.prompts import Prompts
from napari_sam.session.directions.crossings import line
from napari_sam.session.objects import AnnotatedObject, Status

__all__ = ["points_across", "prompts_across", "widths_across"]

Point = tuple[float, float]
PLACES = 0.2, 0.5, 0.8  # of a line


class _Piece(NamedTuple):
    """The longest piece of a line in which an accepted section crosses a plane."""

    upright: bool
    across: int  # column of one that is upright, else row
    start: int
    stop: int  # behind the last pixel

    def point(self, share: float) -> Point:
        """Return the place (row, column) at a share of its length."""
        at = self.start + share * (self.stop - 1 - self.start)
        return (at, float(self.across)) if self.upright else (float(self.across), at)


def points_across(held: AnnotatedObject, plane: Plane) -> list[Point]:
    """Return points (row, column) on the lines in which accepted sections cross a plane.

    Three on the longest piece of each line.

    Examples
    --------
    >>> from napari_sam.masks import CroppedMask
    >>> from napari_sam.session.objects import Origin, Section, Source
    >>> upright = CroppedMask.of(np.ones((4, 11), bool), (0, 20), (4, 50))  # of y = 7
    >>> section = Section(upright, None, Origin(Source.PROMPTED), Status.ACCEPTED)
    >>> points_across(AnnotatedObject(3, sections={(None, 7, None): section}), (2, None, None))
    [(7.0, 22.0), (7.0, 25.0), (7.0, 28.0)]
    """
    pieces = _pieces(held, plane)
    return list(dict.fromkeys(piece.point(share) for piece in pieces for share in PLACES))


def prompts_across(
    held: AnnotatedObject,
    plane: Plane,
    shape: tuple[int, int],
    scale: tuple[float, float] = (1.0, 1.0),
) -> Prompts | None:
    """Return what to ask for an object on a plane that accepted sections cross; None if none does.

    Measured on the open volumes: a box where sections of both other directions tell its sides;
    else one as high as the longest line is long, with points on that.

    Parameters
    ----------
    held : AnnotatedObject
        The object.
    plane : Plane
        Where.
    shape : (H, W)
        Of the plane.
    scale : (float, float)
        Size of a pixel of the plane along its rows and its columns.

    Examples
    --------
    >>> from napari_sam.masks import CroppedMask
    >>> from napari_sam.session.objects import Origin, Section, Source
    >>> upright = CroppedMask.of(np.ones((4, 11), bool), (0, 20), (4, 50))  # of y = 7
    >>> section = Section(upright, None, Origin(Source.PROMPTED), Status.ACCEPTED)
    >>> held = AnnotatedObject(3, sections={(None, 7, None): section})
    >>> prompts_across(held, (2, None, None), (30, 50)).box
    array([ 1.5, 19.5, 12.5, 30.5])
    """
    pieces = sorted(_pieces(held, plane), key=lambda piece: piece.start - piece.stop)
    sides = {piece.upright: piece for piece in reversed(pieces)}  # the longest of each direction
    if not sides:
        return None
    if len(sides) == 2:
        rows, columns = sides[True], sides[False]
        corners = rows.start, columns.start, rows.stop, columns.stop
        return Prompts(box=np.array(corners, float) - 0.5)
    piece = pieces[0]
    row, column = piece.point(0.5)
    ratio = scale[1] / scale[0]
    half = (piece.stop - piece.start) / 2
    high, wide = (half, half / ratio) if piece.upright else (half * ratio, half)
    low = max(row - high, -0.5), max(column - wide, -0.5)
    top = min(row + high, shape[0] - 0.5), min(column + wide, shape[1] - 0.5)
    points = [piece.point(share) for share in PLACES]
    return Prompts(points, [1] * len(points), box=(*low, *top))


def widths_across(held: AnnotatedObject, plane: Plane) -> int:
    """Return in how many pixels accepted sections of an object cross a plane."""
    return sum(int(pixels.sum()) for *_, pixels in _lines(held, plane))


def _pieces(held: AnnotatedObject, plane: Plane) -> list[_Piece]:
    found = []
    for upright, (top, left), pixels in _lines(held, plane):
        start, stop = (at + (top if upright else left) for at in _longest(pixels.ravel()))
        found.append(_Piece(upright, left if upright else top, start, stop))
    return found


def _lines(
    held: AnnotatedObject, plane: Plane
) -> list[tuple[bool, tuple[int, int], NDArray[np.bool_]]]:
    """Return the lines in which accepted sections cross a plane.

    Of each whether it is upright, the corner, and its pixels (h, w).
    """
    axes = spanned(plane)
    found = []
    for other, section in held.sections.items():
        mask = section.mask
        if mask is None or section.status is not Status.ACCEPTED or spanned(other) == axes:
            continue
        one = line(other, mask.box, plane)
        if one is not None and (pixels := one.sent(mask)).any():
            found.append((axes[0] in spanned(other), one.there[:2], pixels))
    return found


def _longest(pixels: NDArray[np.bool_]) -> tuple[int, int]:
    """Return where the longest run of pixels (N,) begins, and the place behind its end."""
    ends = np.flatnonzero(np.diff(np.concatenate([[0], pixels.astype(np.int8), [0]])))
    runs = list(zip(ends[::2].tolist(), ends[1::2].tolist(), strict=True))
    return max(runs, key=lambda run: run[1] - run[0])
