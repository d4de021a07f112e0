"""Annotated objects as frozen records, with one section per plane and one owner per pixel."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from itertools import product
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sam.errors import InputError
from napari_sam.masks import Box, CroppedMask, slices
from napari_sam.planes import Plane, in_order, spanned
from napari_sam.session.directions.crossings import Crossing, joined_lines, line, voxels
from napari_sam.session.draft import Draft

__all__ = [
    "LARGEST",
    "WORST_FIRST",
    "AnnotatedObject",
    "LabelArray",
    "Objects",
    "Origin",
    "Section",
    "Source",
    "Status",
    "Traits",
    "free_id",
]


LabelArray = NDArray[np.integer[Any]]
"""Ids of objects, or numbers of classes; zero for background."""

CELL = 1024  # pixels of a side of the squares by which objects are found
LARGEST = 2**63 - 1  # the largest id of an object


class Status(Enum):
    """Review status of a mask."""

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    UNCLEAR = "unclear"


WORST_FIRST = Status.UNCLEAR, Status.PROPOSED, Status.ACCEPTED
"""In the order in which somebody should look."""


class Source(Enum):
    """Method by which a mask was made."""

    PROMPTED = "prompted"
    PROPAGATED = "propagated"
    AUTOMATIC = "automatic"
    PAINTED = "painted"
    IMPORTED = "imported"  # it was in the Labels layer already
    COPIED = "copied"  # from a neighbouring plane
    INTERPOLATED = "interpolated"  # between two planes


@dataclass(frozen=True)
class Origin:
    """Method by which a mask was made; for a propagated or copied one the plane it comes from."""

    source: Source
    plane: Plane | None = None


@dataclass(frozen=True)
class Section:
    """Mask of one object in one plane, with score, origin, review status and prompts.

    Parameters
    ----------
    mask : CroppedMask or None
        Its pixels; None marks a plane on which nothing was found: one to look at, or, where that
        is accepted, one on which the object is not.
    score : float or None
        Predicted IoU, if a model said so.
    origin : Origin
        How the mask came about.
    status : Status
        What a person said about it.
    prompts : Draft or None
        What it was asked for with.
    """

    mask: CroppedMask | None
    score: float | None
    origin: Origin
    status: Status
    prompts: Draft | None = None

    @property
    def is_absent(self) -> bool:
        """True if somebody said that the object is not on this plane."""
        return self.mask is None and self.status is Status.ACCEPTED


@dataclass(frozen=True)
class Traits:
    """Properties of an object in all planes: its class, and whether it is locked.

    Parameters
    ----------
    class_id : int
        Number of the class.
    locked : bool
        Whether it must not be changed.
    parent : int or None
        In a time series the object whose division it comes from; see `session.edit.tracks`.
    certainty : float or None
        Of the class: 1 where somebody has named it, less where it was suggested by examples; None
        where nobody said so, as of a new object.
    """

    class_id: int = 1
    locked: bool = False
    parent: int | None = None
    certainty: float | None = None


@dataclass(frozen=True, slots=True)
class AnnotatedObject:
    """Annotated object: its class and lock, and one section per plane.

    Parameters
    ----------
    id : int
        Its number, from 1.
    traits : Traits
        Class and lock.
    sections : mapping of Plane to Section
        The planes it lies in. Read only.
    """

    id: int
    traits: Traits = Traits()
    sections: Mapping[Plane, Section] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def class_id(self) -> int:
        """Class number of the object."""
        return self.traits.class_id

    @property
    def certainty(self) -> float | None:
        """Certainty of the class, 1 if somebody has named it; None if nobody said so."""
        return self.traits.certainty

    @property
    def is_suggested(self) -> bool:
        """True if its class was suggested by examples and nobody has confirmed it."""
        return self.certainty is not None and self.certainty < 1

    @property
    def locked(self) -> bool:
        """True if the object must not be changed."""
        return self.traits.locked

    @property
    def status(self) -> Status:
        """Worst status of its planes: unclear if one plane is, else proposed, else accepted."""
        held = {section.status for section in self.sections.values()}
        return next((s for s in WORST_FIRST if s in held), Status.ACCEPTED)

    @property
    def confidence(self) -> float | None:
        """Lowest score (predicted IoU) of its planes; None if no model gave one."""
        scores = (section.score for section in self.sections.values())
        return min((score for score in scores if score is not None), default=None)

    @property
    def planes(self) -> list[Plane]:
        """Planes in which the object has a section, in order."""
        return sorted(self.sections, key=in_order)

    @property
    def pixels(self) -> int:
        """Number of pixels over all planes; those in which planes cross count once."""
        masks = {at: s.mask for at, s in self.sections.items() if s.mask is not None}
        return voxels(masks)

    def known(self, plane: Plane, shape: tuple[int, int]) -> CroppedMask | None:
        """Return what is known of the object on a plane (H, W); None if no pixel is.

        That is its section there; else the lines along which its other sections cross the plane.
        """
        section = self.sections.get(plane)
        if section is not None:
            return section.mask
        return joined_lines(plane, shape, ((at, s.mask) for at, s in self.sections.items()))


class Objects(Mapping[int, AnnotatedObject]):
    """Mapping from id to object; no two objects overlap, whatever the direction of their planes.

    Where planes of several directions cross, the sections of an object agree; see
    `napari_sam.session.directions.agreement`.
    Only `set_traits` and `set_section` change it; they are the session's.
    """

    def __init__(self) -> None:
        self._objects: dict[int, AnnotatedObject] = {}
        self._on_plane: dict[Plane, set[int]] = {}
        self._planes: dict[tuple[int, ...], set[Plane]] = {}  # by the axes that they span
        self._cells: dict[
            Plane, dict[tuple[int, int], set[int]]
        ] = {}  # whose boxes meet each square

    def __getitem__(self, object_id: int) -> AnnotatedObject:
        return self._objects[object_id]

    def __iter__(self) -> Iterator[int]:
        return iter(self._objects)

    def __len__(self) -> int:
        return len(self._objects)

    def unlocked(self, object_id: int) -> AnnotatedObject:
        """Return an object if it exists and is not locked.

        Raises
        ------
        InputError
            If there is none of that id, or it is locked.
        """
        if object_id not in self._objects:
            raise InputError(f"there is no object {object_id}; choose one from the list")
        if self._objects[object_id].locked:
            raise InputError(f"object {object_id} is locked; unlock it to change it")
        return self._objects[object_id]

    def section(self, object_id: int | None, plane: Plane) -> Section | None:
        """Return an object's section in a plane, or None."""
        held = None if object_id is None else self._objects.get(object_id)
        return None if held is None else held.sections.get(plane)

    def on(self, plane: Plane) -> Iterator[tuple[int, CroppedMask]]:
        """Yield the id and the mask of every object that has a section with pixels in a plane."""
        for held, section in self.held_on(plane):
            if section.mask is not None:
                yield held.id, section.mask

    def held_on(self, plane: Plane) -> Iterator[tuple[AnnotatedObject, Section]]:
        """Yield every object that has a section in a plane, and the section, by id."""
        for object_id in sorted(self._on_plane.get(plane, ())):
            held = self._objects[object_id]
            yield held, held.sections[plane]

    def owners(self, plane: Plane, window: Box) -> NDArray[np.int64]:
        """Return (h, w) ids of the objects that own the pixels of a window, zero for none."""
        owners = np.zeros((window[2] - window[0], window[3] - window[1]), np.int64)
        for object_id in sorted(self.near(plane, window)):
            mask = self._objects[object_id].sections[plane].mask
            if mask is not None and mask.meets(window):
                mask.mark(owners, window, object_id)
        for one in self.across(plane, window):
            for object_id in self.near(one.plane, one.there):
                mask = self._objects[object_id].sections[one.plane].mask
                if mask is not None and mask.meets(one.there):
                    owners[slices(one.here, window)][one.seen(mask)] = object_id
        return owners

    def across(self, plane: Plane, window: Box) -> Iterator[Crossing]:
        """Yield where planes of other directions that hold objects cross a window of a plane."""
        axes = spanned(plane)
        for span, planes in self._planes.items():
            if span == axes:
                continue
            ranges = {axis: range(window[i], window[i + 2]) for i, axis in enumerate(axes)}
            places = [
                [None] if axis in span else ranges.get(axis, [at]) for axis, at in enumerate(plane)
            ]
            few = math.prod(len(some) for some in places) < len(planes)
            found = (at for at in product(*places) if at in planes) if few else planes
            crossings = (line(plane, window, other) for other in found)
            yield from (one for one in crossings if one is not None)

    def near(self, plane: Plane, window: Box) -> Iterable[int]:
        """Return the objects that may have pixels in a window; there may be thousands elsewhere."""
        cells = self._cells.get(plane, {})
        here = (window[2] - window[0]) * (window[3] - window[1]) // CELL**2
        if here > len(cells):
            return self._on_plane.get(plane, ())
        return set().union(*(cells.get(cell, ()) for cell in _cells_of(window)))

    def locked(self) -> list[int]:
        """Return the ids of all locked objects."""
        return [number for number, held in self._objects.items() if held.locked]

    @property
    def directions(self) -> list[tuple[int, ...]]:
        """The pairs of axes that planes with sections span, that of most planes first."""
        return sorted(self._planes, key=lambda span: -len(self._planes[span]))

    def axes(self) -> tuple[int, ...] | None:
        """Return the two axes that most planes span; None while there is no section."""
        return next(iter(self.directions), None)

    def planes_of(self, span: tuple[int, ...]) -> Collection[Plane]:
        """Return the planes of a direction that hold a section."""
        return self._planes.get(span, ())

    def set_traits(self, object_id: int, traits: Traits | None) -> None:
        """Create an object or set its traits; None deletes it."""
        if traits is None:
            for plane, section in self._objects.pop(object_id).sections.items():
                self._leave(object_id, plane)
                self._move(object_id, plane, section.mask, None)
        elif object_id in self._objects:
            self._objects[object_id] = replace(self._objects[object_id], traits=traits)
        else:
            self._objects[object_id] = AnnotatedObject(object_id, traits)

    def set_section(self, object_id: int, plane: Plane, section: Section | None) -> None:
        """Set an object's section in a plane; None deletes it."""
        before = self._objects[object_id]
        sections = dict(before.sections)
        was = sections.get(plane)
        masks = [None if one is None else one.mask for one in (was, section)]
        self._move(object_id, plane, *masks)
        if section is not None:
            sections[plane] = section
            if plane not in self._on_plane:
                self._on_plane[plane] = set()
                self._planes.setdefault(spanned(plane), set()).add(plane)
            self._on_plane[plane].add(object_id)
        elif was is not None:
            del sections[plane]
            self._leave(object_id, plane)
        # Not `replace`, which takes three times as long: a step may change thousands.
        self._objects[object_id] = AnnotatedObject(
            object_id, before.traits, MappingProxyType(sections)
        )

    def _move(
        self, object_id: int, plane: Plane, before: CroppedMask | None, now: CroppedMask | None
    ) -> None:
        """Note in which squares of a plane an object's box lies."""
        if before is not None and now is not None and before.box == now.box:
            return
        cells = self._cells.setdefault(plane, {})
        for cell in () if before is None else _cells_of(before.box):
            here = cells[cell]
            here.discard(object_id)
            if not here:
                del cells[cell]
        for cell in () if now is None else _cells_of(now.box):
            cells.setdefault(cell, set()).add(object_id)
        if not cells:
            del self._cells[plane]

    def _leave(self, object_id: int, plane: Plane) -> None:
        self._on_plane[plane].discard(object_id)
        if not self._on_plane[plane]:
            del self._on_plane[plane]
            span = spanned(plane)
            self._planes[span].discard(plane)
            if not self._planes[span]:
                del self._planes[span]


def _cells_of(box: Box) -> Iterator[tuple[int, int]]:
    """Yield the squares that a box meets, by their row and column."""
    top, left, bottom, right = box
    return product(range(top // CELL, -(-bottom // CELL)), range(left // CELL, -(-right // CELL)))


def free_id(*taken: Iterable[int]) -> int:
    """Return the largest of all taken ids plus one.

    Examples
    --------
    >>> free_id([3, 5], [4])
    6
    """
    return max((number for numbers in taken for number in numbers), default=0) + 1
