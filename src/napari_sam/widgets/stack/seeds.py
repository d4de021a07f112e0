"""Input of a propagation: the slices along an axis, and the seed masks on them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_sam.errors import InputError
from napari_sam.inference.propagation.settings import PropagateSettings
from napari_sam.masks import CroppedMask
from napari_sam.planes import Plane, spanned
from napari_sam.prompts import ABSENT, Absent, Prompts
from napari_sam.session.changes import Kind, SectionEdit
from napari_sam.session.directions.prompts import prompts_across, widths_across
from napari_sam.session.objects import AnnotatedObject, Status
from napari_sam.session.overlap import Rule
from napari_sam.session.session import Session

__all__ = [
    "ObjectMasks",
    "StackAxis",
    "StackSlices",
    "accepted_here",
    "accepted_last",
    "corrected",
    "seed_masks",
]


@dataclass(frozen=True)
class StackAxis:
    """The planes along one axis of an image, through a given plane.

    Parameters
    ----------
    plane : Plane
        Any of them.
    axis : int
        The axis.
    """

    plane: Plane
    axis: int

    def at(self, index: int) -> Plane:
        """Return the plane at an index of the axis."""
        return (*self.plane[: self.axis], index, *self.plane[self.axis + 1 :])

    def line(self, length: int) -> list[Plane]:
        """Return the first planes along the axis, in order."""
        return [self.at(index) for index in range(length)]

    def index(self, plane: Plane) -> int | None:
        """Return the index of a plane on the axis; None if it is not on it."""
        index, axis, own = plane[self.axis], self.axis, self.plane
        same = plane[:axis] == own[:axis] and plane[axis + 1 :] == own[axis + 1 :]
        return index if same else None


class ObjectMasks(Mapping[int, NDArray[np.bool_] | Prompts | Absent]):
    """What is known of an object by slice index: masks, unpacked on access, prompts or `ABSENT`."""

    def __init__(self, packed: Mapping[int, CroppedMask | Prompts | None]) -> None:
        self._packed = packed

    @property
    def shown(self) -> list[int]:
        """The slices on which it has a mask or prompts, in order."""
        return sorted(index for index, mask in self._packed.items() if mask is not None)

    @property
    def masked(self) -> list[int]:
        """The slices on which it has a mask, in order."""
        return sorted(i for i, mask in self._packed.items() if isinstance(mask, CroppedMask))

    def __getitem__(self, index: int) -> NDArray[np.bool_] | Prompts | Absent:
        mask = self._packed[index]
        if isinstance(mask, Prompts):
            return mask
        return ABSENT if mask is None else mask.full()

    def __iter__(self) -> Iterator[int]:
        return iter(self._packed)

    def __len__(self) -> int:
        return len(self._packed)


class StackSlices:
    """Slices as the sequence that `propagate` takes, read on access.

    Parameters
    ----------
    read : callable
        Returns the slice of an index, (H, W) or (H, W, colours).
    length : int
        How many there are.
    first : int
        A slice that tells shape and type.
    """

    def __init__(self, read: Callable[[int], np.ndarray], length: int, first: int) -> None:
        self._read, known = read, read(first)
        self.shape, self.dtype = (length, *known.shape), known.dtype

    def __getitem__(self, index: int) -> np.ndarray:
        return self._read(index)


def accepted_here(session: Session, plane: Plane) -> list[int]:
    """Return the objects that are accepted on a plane, or on planes across it."""
    objects = session.objects
    accepted = [
        number
        for number, _ in objects.on(plane)
        if objects[number].sections[plane].status is Status.ACCEPTED
    ]
    if set(objects.directions) <= {spanned(plane)}:
        return accepted
    across = [n for n, held in objects.items() if widths_across(held, plane)]
    return accepted + [n for n in across if objects.section(n, plane) is None]


def accepted_last(session: Session) -> list[int]:
    """Return the last accepted object as a list; empty if it no longer exists."""
    for change in reversed(session.history.done):
        if change.kind is Kind.ACCEPTED:
            plane = change.before.plane  # the last on it; others, across it, give way
            own = [e for e in change.edits if isinstance(e, SectionEdit) and e.plane == plane][-1:]
            return [edit.object_id for edit in own if edit.object_id in session.objects]
    return []


def corrected(session: Session, plane: Plane, selected: Collection[int]) -> list[int]:
    """Return the objects to follow again after a correction.

    That is the one accepted in the last step; else those selected that are accepted on a plane, or
    the one accepted last.
    """
    done = session.history.done
    if done and done[-1].kind is Kind.ACCEPTED:
        return accepted_last(session)
    here = [number for number in accepted_here(session, plane) if number in selected]
    return here or accepted_last(session)


def seed_masks(
    session: Session,
    along: StackAxis,
    followed: Collection[int],
    rule: Rule,
    settings: PropagateSettings,
    shape: tuple[int, ...],
    scale: Sequence[float],
    start: Plane | None = None,
) -> tuple[dict[int, ObjectMasks], PropagateSettings]:
    """Return the seed masks of a propagation, and its settings with the objects to track.

    An object starts from its accepted masks, and from that on the plane `start`, if one is given;
    where it was accepted that an object is absent, it is not looked for. One that has none along
    the axis starts from where its accepted masks on slices across it are widest. Of the others
    those take part that must keep their pixels: all of them, or the locked ones where the rule is
    to replace.

    Parameters
    ----------
    session : Session
        Whose objects.
    along : StackAxis
        The slices.
    followed : collection of int
        The objects to follow.
    rule : Rule
        Who keeps the pixels of other objects.
    settings : PropagateSettings
        Direction and limits.
    shape : tuple of int
        Of the stack.
    scale : sequence of float
        Size of a pixel along each axis.
    start : Plane, optional
        From where, whether it was accepted there or not.

    Raises
    ------
    InputError
        If no object that is to be followed has an accepted mask between the limits, or all are
        locked.
    """
    first, last = settings.limits(shape[along.axis])
    seeds: dict[int, ObjectMasks] = {}
    for number, held in session.objects.items():
        follows = number in followed and not held.locked
        if not (follows or held.locked or rule is Rule.KEEP):
            continue
        masks = {
            index: section.mask
            for plane, section in held.sections.items()
            for index in [along.index(plane)]
            if index is not None and first <= index <= last
            if (section.mask is not None and not follows)
            or (follows and (section.status is Status.ACCEPTED or plane == start))
        }
        known: dict[int, CroppedMask | Prompts | None] = {**masks}
        if follows and not any(mask is not None for mask in masks.values()):
            known |= _from_across(held, along, range(first, last + 1), shape, scale)
        if any(mask is not None for mask in known.values()):
            seeds[number] = ObjectMasks(known)
    only = tuple(number for number in followed if _starts(session, number, seeds))
    if not only:
        raise InputError(_why_none(session, followed))
    return seeds, replace(settings, only=only)


def _from_across(
    held: AnnotatedObject,
    along: StackAxis,
    indices: range,
    shape: tuple[int, ...],
    scale: Sequence[float],
) -> dict[int, Prompts]:
    """Return prompts on the slice that accepted masks of slices across it meet in most pixels."""
    if all(spanned(plane) == spanned(along.plane) for plane in held.sections):
        return {}
    best = max(indices, key=lambda index: widths_across(held, along.at(index)))
    plane = along.at(best)
    (rows, columns), sizes = spanned(plane), [abs(size) or 1.0 for size in scale]
    size, pixel = (shape[rows], shape[columns]), (sizes[rows], sizes[columns])
    prompts = prompts_across(held, plane, size, pixel)
    return {} if prompts is None else {best: prompts}


def _starts(session: Session, number: int, seeds: Mapping[int, ObjectMasks]) -> bool:
    return number in seeds and not session.objects[number].locked


def _why_none(session: Session, followed: Iterable[int]) -> str:
    names = ", ".join(map(str, followed))
    if not names:
        return "there is no accepted object to follow; accept one on this slice first"
    if all(session.objects[number].locked for number in followed):
        return f"object {names} is locked; unlock it to follow it"
    return f"object {names} has no accepted mask between these limits; widen them or accept one"
