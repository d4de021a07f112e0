"""Tracks: which objects of the frames of a time series are the same one, and what divided."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from napari_sam.errors import InputError
from napari_sam.tracking.detections import Detections

__all__ = ["Link", "Tracks", "called_as_objects", "tracks_of_links"]

Link = tuple[int, int]
"""Two rows of `Detections`: of an object and of the one that it goes on as, or divides into."""


@dataclass(frozen=True)
class Tracks:
    """Tracks of a time series and their parents.

    Parameters
    ----------
    members : mapping of int to mapping of int to int
        By track, from 1, and frame: the object's label on that frame. Frames in between may be
        missing.
    parents : mapping of int to int
        By track the one whose division it comes from; tracks that begin otherwise are left out.

    Raises
    ------
    InputError
        If an object is in two tracks, a track is empty or has a number below 1, or a parent is
        unknown or does not end before its daughters begin.

    Examples
    --------
    >>> tracks = Tracks({1: {0: 7, 1: 7}, 2: {2: 4}, 3: {2: 5}}, {2: 1, 3: 1})
    >>> tracks.daughters
    {1: (2, 3)}
    >>> tracks.of[1, 7], tracks.root(3)
    (1, 1)
    """

    members: Mapping[int, Mapping[int, int]]
    parents: Mapping[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for number, frames in self.members.items():
            if number < 1 or not frames:
                raise InputError(f"track {number} must have a number from 1 on, and objects")
        if len(self.of) < sum(map(len, self.members.values())):
            raise InputError("an object can be in one track only")
        for number, parent in self.parents.items():
            if not {number, parent} <= set(self.members):
                raise InputError(f"track {number} cannot come from {parent}: one is not there")
            if self.last(parent) >= self.first(number):
                raise InputError(
                    f"track {parent} ends at frame {self.last(parent)} and cannot divide into "
                    f"track {number}, which begins at frame {self.first(number)}"
                )

    @cached_property
    def of(self) -> Mapping[tuple[int, int], int]:
        """Track of each (frame, label)."""
        return {
            place: number for number, frames in self.members.items() for place in frames.items()
        }

    @cached_property
    def daughters(self) -> Mapping[int, tuple[int, ...]]:
        """Tracks that come from each one, in ascending order; those without are left out."""
        found: dict[int, list[int]] = defaultdict(list)
        for number in sorted(self.parents):
            found[self.parents[number]].append(number)
        return {parent: tuple(some) for parent, some in found.items()}

    def first(self, number: int) -> int:
        """Return the first frame of a track."""
        return min(self.members[number])

    def last(self, number: int) -> int:
        """Return the last frame of a track."""
        return max(self.members[number])

    def root(self, number: int) -> int:
        """Return the track with which the lineage of a track begins."""
        while number in self.parents:
            number = self.parents[number]
        return number

    def generation(self, number: int) -> int:
        """Return how many divisions lie between a track and its root."""
        count = 0
        while number in self.parents:
            number, count = self.parents[number], count + 1
        return count

    def known(self, number: int) -> Mapping[int, int]:
        """Return the objects of a track by frame.

        Raises
        ------
        InputError
            If there is no such track.
        """
        if number not in self.members:
            raise InputError(f"there is no track {number}; choose one from the list")
        return self.members[number]


def tracks_of_links(found: Detections, links: Iterable[Link]) -> Tracks:
    """Return the tracks that links make, numbered from 1 in the order in which they begin.

    An object with one link goes on in its track; with two or more it divides, and its track ends.

    Parameters
    ----------
    found : Detections
        The objects.
    links : iterable of (int, int)
        Rows of the earlier and of the later object; each object comes from at most one.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_sam.tracking.detections import detect
    >>> found = detect(np.array([[[1, 1, 1]], [[2, 0, 3]]]))
    >>> tracks_of_links(found, [(0, 1), (0, 2)])
    Tracks(members={1: {0: 1}, 2: {1: 2}, 3: {1: 3}}, parents={2: 1, 3: 1})
    """
    after: dict[int, list[int]] = defaultdict(list)
    before: dict[int, int] = {}
    for row, later in links:
        if later in before:
            raise InputError("an object can come from one other only; two were linked to the same")
        before[later] = row
        after[row].append(later)
    members: dict[int, dict[int, int]] = {}
    parents: dict[int, int] = {}
    number_of: dict[int, int] = {}
    places = zip(found.frames.tolist(), found.labels.tolist(), strict=True)
    for row, (frame, label) in enumerate(places):
        origin = before.get(row)
        goes_on = origin is not None and len(after[origin]) == 1
        number = number_of[origin] if origin is not None and goes_on else len(members) + 1
        if origin is not None and not goes_on:
            parents[number] = number_of[origin]
        number_of[row] = number
        members.setdefault(number, {})[frame] = label
    return Tracks(members, parents)


def called_as_objects(tracks: Tracks) -> Tracks:
    """Return the tracks with the numbers of their objects, where labels last over frames.

    Each takes the label that most of its objects have, unless another track has more of them; what
    is left gets numbers that no object has.

    Examples
    --------
    >>> called_as_objects(Tracks({1: {0: 7, 1: 7, 2: 4}, 2: {2: 7}})).members
    {7: {0: 7, 1: 7, 2: 4}, 8: {2: 7}}
    """
    counts = Counter(
        (number, label) for number, some in tracks.members.items() for label in some.values()
    )
    new: dict[int, int] = {}
    taken: set[int] = set()
    for (number, label), _ in counts.most_common():
        if number not in new and label not in taken:
            new[number] = label
            taken.add(label)
    free = max((label for _, label in counts), default=0)
    for number in tracks.members:
        if number not in new:
            new[number] = free = free + 1
    return Tracks(
        {new[number]: some for number, some in tracks.members.items()},
        {new[number]: new[parent] for number, parent in tracks.parents.items()},
    )
