"""Manual painting in the labels: update of the objects from the changed pixels."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_sam.errors import InputError
from napari_sam.masks import Box, CroppedMask, slices
from napari_sam.planes import Plane
from napari_sam.session.adopt import adopt
from napari_sam.session.changes import Edit, Kind, SectionEdit, TraitsEdit
from napari_sam.session.objects import LabelArray, Objects, Origin, Section, Source, Status, Traits
from napari_sam.session.overlap import take_away
from napari_sam.session.session import Session
from napari_sam.session.surroundings import surroundings

__all__ = ["absorb", "paint"]


@dataclass(frozen=True, eq=False)
class Stroke:
    """Painted pixels of one plane, with the labels before and after.

    Parameters
    ----------
    plane : Plane
        Where.
    shape : (H, W)
        Of the plane.
    window : (r0, c0, r1, c1)
        What part of the plane the arrays hold.
    painted : (h, w) bool
        The painted pixels.
    before, after : (h, w) int64
        The labels before and after.
    """

    plane: Plane
    shape: tuple[int, int]
    window: Box
    painted: NDArray[np.bool_]
    before: NDArray[np.int64]
    after: NDArray[np.int64]


def paint(
    session: Session,
    plane: Plane,
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    before: LabelArray,
    after: LabelArray,
) -> None:
    """Update the objects from pixels that were painted into the labels by hand.

    In instance mode a value is an object's id. In semantic mode it is a class: the pixels join the
    object of that class that they touch most, or become a new one. Pixels of a locked object are
    put back.

    Parameters
    ----------
    plane : Plane
        Where.
    rows, columns : (N,) int
        The pixels, each once.
    before, after : (N,) int
        Their labels before and afterwards; they may be in the target already or not.

    Raises
    ------
    InputError
        If there is no target.
    """
    labels = session.labels.read(plane)
    if labels is None:
        raise InputError("there is no Labels layer that could have been painted")
    height, width = labels.shape
    changed = before != after
    if not changed.any():
        return
    rows, columns, before, after = (a[changed] for a in (rows, columns, before, after))
    met = np.unique(np.concatenate([before, after]))
    window = (  # one pixel wider, to see whom the stroke touches
        max(int(rows.min()) - 1, 0),
        max(int(columns.min()) - 1, 0),
        min(int(rows.max()) + 2, height),
        min(int(columns.max()) + 2, width),
    )
    values = met[met != 0].tolist()
    part = surroundings(labels, values, window)
    was, now = part.pixels.copy(), part.pixels.copy()
    inside = rows - part.box[0], columns - part.box[1]
    was[inside] = before
    now[inside] = after
    adopt(session, plane, values, found=replace(part, pixels=was))
    painted = np.zeros((window[2] - window[0], window[3] - window[1]), bool)
    painted[rows - window[0], columns - window[1]] = True
    index = slices(window, part.box)
    both = was[index].astype(np.int64), now[index].astype(np.int64)
    stroke = _put_back_locked(session, Stroke(plane, part.shape, window, painted, *both))
    if stroke.painted.any():
        first = session.labels.new_id(plane, *met.tolist())
        session.edit(Kind.PAINTED, _edits(session.objects, stroke, session.semantic, first))


def absorb(session: Session, plane: Plane, window: Box | None = None) -> None:
    """Compare the labels of a plane with its objects, and treat differences as painted.

    Parameters
    ----------
    plane : Plane
        Where.
    window : Box, optional
        The part of it that is compared; None: all, but nothing of labels on disk.

    Raises
    ------
    InputError
        As `paint`.
    """
    labels, objects = session.labels.read(plane), session.objects
    if labels is None:
        raise InputError("there is no Labels layer to compare with")
    if window is None and not isinstance(labels, np.ndarray):
        return
    height, width = labels.shape
    whole = window or (0, 0, height, width)
    now = np.asarray(labels[slices(whole)]).astype(np.int64)
    owners = objects.owners(plane, whole)
    expected = np.where(owners == 0, now, owners)
    if session.semantic:
        for number in np.unique(owners[owners != 0]).tolist():
            expected[owners == number] = objects[number].class_id
    else:
        loose = (owners == 0) & (now != 0)
        loose[loose] = np.isin(now[loose], list(objects))
        expected[loose] = 0
    rows, columns = np.nonzero(expected != now)
    if len(rows):
        at = rows + whole[0], columns + whole[1]
        paint(session, plane, *at, expected[rows, columns], now[rows, columns])


def _put_back_locked(session: Session, stroke: Stroke) -> Stroke:
    """Undo in the labels what was painted on locked objects; return the rest."""
    target, locked = session.labels.target, session.objects.locked()
    owners = session.objects.owners(stroke.plane, stroke.window)
    barred = stroke.painted & np.isin(owners, locked)
    if not session.semantic:
        barred |= stroke.painted & np.isin(stroke.after, locked)
    if target is None or not barred.any():
        return stroke
    rows, columns = np.nonzero(barred)
    values = stroke.before[rows, columns].astype(target.dtype)
    at = rows + stroke.window[0], columns + stroke.window[1]
    target.write(stroke.plane, *at, values)
    session.remarked.emit("A locked object was painted on: its pixels are as they were.")
    return replace(stroke, painted=stroke.painted & ~barred)


def _edits(objects: Objects, stroke: Stroke, semantic: bool, first_new: int) -> list[Edit]:
    """Return the edits of objects that a stroke makes; what it painted over is adopted already."""
    edits: list[Edit] = []
    plane, window = stroke.plane, stroke.window
    owners = objects.owners(plane, window)
    gainers: dict[int, tuple[int, NDArray[np.bool_]]] = {}
    for value in np.unique(stroke.after[stroke.painted]).tolist():
        if value:
            pixels = stroke.painted & (stroke.after == value)
            number = value
            if semantic:
                number = _touched(objects, owners, pixels, value) or first_new + len(gainers)
            gainers[number] = value, pixels
    given = stroke.painted & (owners != 0)
    erased = set(np.unique(owners[given & (stroke.after == 0)]).tolist())
    losers = set(np.unique(owners[given]).tolist()) - set(gainers)
    for edit in take_away(objects, plane, given, window, losers):
        if isinstance(edit, SectionEdit) and edit.after is not None and edit.object_id in erased:
            by_hand = replace(edit.after, score=None, origin=Origin(Source.PAINTED))
            edits.append(replace(edit, after=by_hand))
        else:  # gone, or only painted over by another object
            edits.append(edit)
    for number, (value, pixels) in gainers.items():
        gained = CroppedMask.of(pixels, window[:2], stroke.shape)
        assert gained is not None
        held = objects.section(number, plane)
        known = objects[number].known(plane, stroke.shape) if number in objects else None
        mask: CroppedMask | None = gained
        if known is not None:
            lost = given & (owners == number) & ~pixels
            left = known.without(lost, window)
            mask = gained if left is None else left.joined(gained)
            if mask == known:
                continue
        if number not in objects:
            edits.append(TraitsEdit(number, None, Traits(value) if semantic else Traits()))
        prompts = None if held is None else held.prompts
        section = Section(mask, None, Origin(Source.PAINTED), Status.ACCEPTED, prompts)
        edits.append(SectionEdit(number, plane, held, section))
    return edits


def _touched(
    objects: Objects, owners: NDArray[np.int64], pixels: NDArray[np.bool_], class_id: int
) -> int:
    """Return the object of a class that touches the pixels most, or zero."""
    near = owners[ndimage.binary_dilation(pixels, np.ones((3, 3)))]
    ids, counts = np.unique(near[near != 0], return_counts=True)
    alike = [
        (count, number)
        for number, count in zip(ids.tolist(), counts.tolist(), strict=True)
        if objects[number].class_id == class_id and not objects[number].locked
    ]
    return max(alike)[1] if alike else 0
