"""Cut of one object in pieces, on one plane or on all, as one undo step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_sam.errors import InputError
from napari_sam.inference.edit.cut import Pieces, cut_prompts, cut_stack, follow_model
from napari_sam.masks import Box, CroppedMask, enclosing, slices
from napari_sam.planes import Plane, spanned
from napari_sam.prompts import Prompts
from napari_sam.results import Prediction
from napari_sam.session.changes import Edit, Kind, SectionEdit, TraitsEdit
from napari_sam.session.objects import Objects
from napari_sam.session.session import Session

__all__ = ["CutTask", "cut"]

Point = tuple[float, float]


@dataclass(frozen=True, eq=False)
class CutTask:
    """Object that is to be cut, and what was drawn on it. Made by `CutTask.of`.

    Its arrays of pieces hold the window of the object only.

    Parameters
    ----------
    object_id : int
        Which.
    plane : Plane
        Where it was drawn on.
    masks : mapping of Plane to CroppedMask
        The pixels that are cut.
    strokes : tuple of tuple of (row, column)
        Strokes across the object, in pixels.
    clicks : tuple of (row, column)
        A click in each part; they count if there is no stroke.
    """

    object_id: int
    plane: Plane
    masks: Mapping[Plane, CroppedMask]
    strokes: tuple[tuple[Point, ...], ...] = ()
    clicks: tuple[Point, ...] = ()

    @classmethod
    def of(
        cls,
        objects: Objects,
        object_id: int,
        plane: Plane,
        strokes: Sequence[Sequence[Point]] = (),
        clicks: Sequence[Point] = (),
        through: bool = False,
    ) -> CutTask:
        """Return the task for one plane, or with `through` for all of the object of its direction.

        Raises
        ------
        InputError
            If the object is unknown or locked, or has no pixels in this plane.
        """
        held = objects.unlocked(object_id)
        masks = {at: s.mask for at, s in held.sections.items() if s.mask is not None}
        if plane not in masks:
            raise InputError(f"object {object_id} has no pixels on this slice")
        alike = {at: mask for at, mask in masks.items() if spanned(at) == spanned(plane)}
        kept = alike if through else {plane: masks[plane]}
        return cls(object_id, plane, kept, tuple(map(tuple, strokes)), tuple(clicks))

    @property
    def window(self) -> Box:
        """Box around the object on all planes that are cut."""
        return enclosing(*(mask.box for mask in self.masks.values()))

    def pieces(self) -> Iterator[tuple[Plane, Pieces]]:
        """Yield the pieces of each plane, first those of the one that was drawn on.

        Raises
        ------
        InputError
            If that is not divided.
        """
        window, planes = self.window, {_place(plane): plane for plane in self.masks}
        masks = {place: self.masks[plane].within(window) for place, plane in planes.items()}
        strokes = [np.subtract(stroke, window[:2]) for stroke in self.strokes]
        clicks = np.reshape(self.clicks, (-1, 2)) - window[:2]
        for place, pieces in cut_stack(masks, _place(self.plane), strokes, clicks):
            yield planes[place], pieces

    def prompts(self, pieces: Pieces) -> list[Prompts]:
        """Return what a model is asked for each piece of a plane."""
        corner = self.window[:2]
        return [
            Prompts(one.points + corner, one.labels, one.box + np.tile(corner, 2))
            for one in cut_prompts(pieces)
            if one.box is not None
        ]

    def moved(self, pieces: Pieces, answers: Sequence[Prediction]) -> tuple[Pieces, bool]:
        """Return the pieces of a plane with the model's border, and whether it was followed."""
        inside = slices(self.window)
        return follow_model(pieces, [answer.masks[0][inside] for answer in answers])

    def shown(self, pieces: Pieces) -> NDArray[np.uint8]:
        """Return pieces in an array of the whole plane (H, W), for display."""
        canvas = np.zeros(self.masks[self.plane].shape, np.uint8)
        canvas[slices(self.window)] = pieces
        return canvas


def cut(session: Session, task: CutTask, pieces: Mapping[Plane, Pieces]) -> list[int]:
    """Write the pieces: the first keeps the object's id, the others are new objects of its class.

    Parameters
    ----------
    session : Session
        Whose object it is.
    task : CutTask
        What was cut.
    pieces : mapping of Plane to (h, w) int32
        From `CutTask.pieces`, or moved.

    Returns
    -------
    list of int
        The new objects.

    Raises
    ------
    InputError
        If the object is unknown or locked, or is not what it was when the task was made.
    """
    held = session.objects.unlocked(task.object_id)
    for plane, mask in task.masks.items():
        section = held.sections.get(plane)
        if section is None or section.mask != mask:
            raise InputError(f"object {task.object_id} has changed since; draw the stroke again")
    first_new = max(session.labels.new_id(plane) for plane in pieces)
    count = max(int(some.max()) for some in pieces.values())
    new = list(range(first_new, first_new + count - 1))
    edits: list[Edit] = [TraitsEdit(number, None, held.traits) for number in new]
    for plane, some in pieces.items():
        before = held.sections[plane]
        shape = task.masks[plane].shape
        parts = {
            number: CroppedMask.of(some == piece, task.window[:2], shape)
            for piece, number in enumerate([task.object_id, *new], 1)
        }
        for number, part in parts.items():
            old = before if number == task.object_id else None
            after = None if part is None else replace(before, mask=part, prompts=None)
            if not (old is None and after is None):
                edits.append(SectionEdit(number, plane, old, after))
    session.edit(Kind.SPLIT, edits)
    return new


def _place(plane: Plane) -> tuple[int, ...]:
    return tuple(at for at in plane if at is not None)
