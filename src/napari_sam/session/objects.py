"""The annotated objects: one frozen record each, one section per plane, and who owns a pixel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sam.errors import InputError
from napari_sam.masks import Box, CroppedMask
from napari_sam.planes import Plane, in_order, spanned
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

LARGEST = 2**63 - 1  # the largest id of an object


class Status(Enum):
    """What a person said about a mask."""

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    UNCLEAR = "unclear"


WORST_FIRST = Status.UNCLEAR, Status.PROPOSED, Status.ACCEPTED
"""In the order in which somebody should look."""


class Source(Enum):
    """How a mask came about."""

    PROMPTED = "prompted"
    PROPAGATED = "propagated"
    AUTOMATIC = "automatic"
    PAINTED = "painted"
    IMPORTED = "imported"  # it was in the Labels layer already


@dataclass(frozen=True)
class Origin:
    """How a mask came about, and for a propagated one from which plane."""

    source: Source
    plane: Plane | None = None


@dataclass(frozen=True)
class Section:
    """One object in one plane.

    Parameters
    ----------
    mask : CroppedMask or None
        Its pixels; None marks a plane to look at on which nothing was found.
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


@dataclass(frozen=True)
class Traits:
    """What holds for an object in all planes: its class, and whether it is locked."""

    class_id: int = 1
    locked: bool = False


@dataclass(frozen=True)
class AnnotatedObject:
    """One object.

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
        """Number of its class."""
        return self.traits.class_id

    @property
    def locked(self) -> bool:
        """True if it must not change."""
        return self.traits.locked

    @property
    def status(self) -> Status:
        """Unclear if one plane is, else proposed if one plane is, else accepted."""
        held = {section.status for section in self.sections.values()}
        return next((s for s in WORST_FIRST if s in held), Status.ACCEPTED)

    @property
    def confidence(self) -> float | None:
        """The lowest score of its planes; None if no model gave one."""
        scores = (section.score for section in self.sections.values())
        return min((score for score in scores if score is not None), default=None)

    @property
    def planes(self) -> list[Plane]:
        """Its planes in order."""
        return sorted(self.sections, key=in_order)

    @property
    def pixels(self) -> int:
        """Its size over all planes."""
        return sum(s.mask.area for s in self.sections.values() if s.mask is not None)


class Objects(Mapping[int, AnnotatedObject]):
    """All objects of a session by id; no pixel of a plane belongs to two of them.

    Only `set_traits` and `set_section` change it; they are the session's.
    """

    def __init__(self) -> None:
        self._objects: dict[int, AnnotatedObject] = {}
        self._on_plane: dict[Plane, set[int]] = {}

    def __getitem__(self, object_id: int) -> AnnotatedObject:
        return self._objects[object_id]

    def __iter__(self) -> Iterator[int]:
        return iter(self._objects)

    def __len__(self) -> int:
        return len(self._objects)

    def unlocked(self, object_id: int) -> AnnotatedObject:
        """Return an object that may change.

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
        """Return an object's section of a plane, None if there is none."""
        held = None if object_id is None else self._objects.get(object_id)
        return None if held is None else held.sections.get(plane)

    def on(self, plane: Plane) -> Iterator[tuple[int, CroppedMask]]:
        """Give the id and the mask of every object that has pixels in a plane."""
        for object_id in sorted(self._on_plane.get(plane, ())):
            mask = self._objects[object_id].sections[plane].mask
            if mask is not None:
                yield object_id, mask

    def owners(self, plane: Plane, window: Box) -> NDArray[np.int64]:
        """Return who owns each pixel of a window of a plane, zero for nobody."""
        owners = np.zeros((window[2] - window[0], window[3] - window[1]), np.int64)
        for object_id, mask in self.on(plane):
            if mask.meets(window):
                mask.mark(owners, window, object_id)
        return owners

    def locked(self) -> list[int]:
        """Return the ids of all locked objects."""
        return [number for number, held in self._objects.items() if held.locked]

    def axes(self) -> tuple[int, ...] | None:
        """Return the two axes that every plane spans; None while there is no section."""
        for plane in self._on_plane:
            return spanned(plane)
        return None

    def set_traits(self, object_id: int, traits: Traits | None) -> None:
        """Make an object or change what holds for it; None takes it away."""
        if traits is None:
            for plane in self._objects.pop(object_id).sections:
                self._leave(object_id, plane)
        elif object_id in self._objects:
            self._objects[object_id] = replace(self._objects[object_id], traits=traits)
        else:
            self._objects[object_id] = AnnotatedObject(object_id, traits)

    def set_section(self, object_id: int, plane: Plane, section: Section | None) -> None:
        """Set or take away an object's section of a plane."""
        before = self._objects[object_id]
        sections = dict(before.sections)
        if section is not None:
            sections[plane] = section
            self._on_plane.setdefault(plane, set()).add(object_id)
        elif sections.pop(plane, None) is not None:
            self._leave(object_id, plane)
        self._objects[object_id] = replace(before, sections=MappingProxyType(sections))

    def _leave(self, object_id: int, plane: Plane) -> None:
        self._on_plane[plane].discard(object_id)
        if not self._on_plane[plane]:
            del self._on_plane[plane]


def free_id(*taken: Iterable[int]) -> int:
    """Return the number behind the largest of all these.

    Examples
    --------
    >>> free_id([3, 5], [4])
    6
    """
    return max((number for numbers in taken for number in numbers), default=0) + 1
