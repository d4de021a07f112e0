"""Overlap rules: which pixels a new mask gets, and which its neighbours lose.

Two rules hold besides who keeps the pixels. Of a mask that has under half of its pixels left
nothing is written unasked: it lies on an object that is there. And what an overlap cuts off is left
out where it is thinner than three pixels (`napari_sam.masks.without_slivers`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from napari_sam.arrays import LazyArray
from napari_sam.masks import Box, CroppedMask, is_remainder, slices, without_slivers
from napari_sam.planes import Plane
from napari_sam.session.changes import Edit, SectionEdit, TraitsEdit
from napari_sam.session.objects import LabelArray, Objects, Section

__all__ = [
    "Claim",
    "Others",
    "Rule",
    "Tally",
    "claim",
    "left_to",
    "overlapped",
    "take_away",
    "thinned",
]


class Rule(Enum):
    """Overlap rule: whether existing objects keep their pixels; locked objects always do."""

    KEEP = "keep"
    REPLACE = "replace"


@dataclass(frozen=True)
class Claim:
    """Pixels that a mask gets under the overlap rule, and the objects that keep some of it.

    Parameters
    ----------
    mask : CroppedMask or None
        The pixels that it gets; None if none is left.
    area : int
        How many it wanted.
    met : dict of int to int
        Label or id of what keeps pixels of it, and how many.
    losers : frozenset of int
        Objects that have to give pixels away.
    """

    mask: CroppedMask | None
    area: int
    met: dict[int, int]
    losers: frozenset[int]

    @property
    def pixels(self) -> int:
        """Number of pixels that the mask gets."""
        return 0 if self.mask is None else self.mask.area

    @property
    def thin(self) -> int:
        """Number of pixels left out because the overlap has left too thin a rest there."""
        return self.area - sum(self.met.values()) - self.pixels

    @property
    def is_remainder(self) -> bool:
        """True if under half of the mask is left, which is not written unasked."""
        return is_remainder(self.area, self.pixels)

    def said(self) -> str:
        """Return whose the pixels of the mask are, as text.

        Examples
        --------
        >>> Claim(None, 100, {4: 88}, frozenset()).said()
        '88 % of this mask belongs to object 4'
        >>> Claim(None, 100, {4: 30, 7: 60, 9: 10}, frozenset()).said()
        'All of this mask belongs to objects 7, 4 and 9'
        """
        ids = sorted(self.met, key=lambda number: (-self.met[number], number))
        share = 100 * sum(self.met.values()) / max(self.area, 1)
        much = "All" if share == 100 else f"{min(max(round(share), 1), 99)} %"
        return f"{much} of this mask belongs to {_named(ids)}"


@dataclass(frozen=True, eq=False)
class Others:
    """What belongs to the same step as a claim.

    Parameters
    ----------
    spared : collection of int
        Objects that keep their pixels under either rule, besides the locked ones.
    renewed : collection of int
        Objects that get new masks at the same time, so that the pixels of their old ones are free.
    taken : (h, w) int, optional
        What objects get at the same time, by id; they keep it under either rule.
    window : Box
        The part of the plane that `taken` holds, with all masks of the step.
    """

    spared: Collection[int] = ()
    renewed: Collection[int] = ()
    taken: LabelArray | None = None
    window: Box = (0, 0, 0, 0)


@dataclass
class Tally:
    """What overlap rules have done to the masks of a batch, to be said in a sentence.

    Parameters
    ----------
    offered : int
        How many masks were offered.
    left_out : int
        How many of them were not written, because others left under half of them.
    on : set of int
        The objects that those lay on.
    thin : int
        Pixels left out because they were too thin; see `Claim`.
    """

    offered: int = 0
    left_out: int = 0
    on: set[int] = field(default_factory=set)
    thin: int = 0

    @classmethod
    def of(cls, claim: Claim) -> Tally:
        """Return the tally of one mask."""
        if claim.is_remainder:
            return cls(1, 1, set(claim.met))
        return cls(1, thin=claim.thin)

    def add(self, other: Tally) -> None:
        """Count what another tally has counted."""
        self.offered += other.offered
        self.left_out += other.left_out
        self.on |= other.on
        self.thin += other.thin

    def said(self, what: str = "") -> str:
        """Return it as text; empty if the rules did nothing. `what`: how the masks are called.

        Examples
        --------
        >>> Tally(20, 3, {4, 9, 7}).said()
        '3 of 20 lay on other objects and were left out: objects 4, 7 and 9.'
        >>> Tally(20, thin=31).said()
        '31 pixels were left out: rests of overlaps, thinner than 3 pixels.'
        """
        said = []
        if self.left_out:
            were = "were" if self.left_out > 1 else "was"
            of = f"{self.left_out:,} of {self.offered:,} {what}".rstrip()
            said.append(
                f"{of} lay on other objects and {were} left out: {_named(sorted(self.on))}."
            )
        if self.thin:
            what = "pixels were" if self.thin > 1 else "pixel was"
            said.append(f"{self.thin:,} {what} left out: rests of overlaps, thinner than 3 pixels.")
        return " ".join(said)


def overlapped(existing: LabelArray, mask: NDArray[np.bool_]) -> dict[int, int]:
    """Count the pixels of each existing object that a new mask overlaps.

    Parameters
    ----------
    existing : (H, W) int
        Labels, zero for background.
    mask : (H, W) bool
        The new object.

    Returns
    -------
    dict of int to int
        Object id to number of shared pixels.

    Examples
    --------
    >>> overlapped(np.array([[0, 2], [2, 3]]), np.array([[True, True], [True, False]]))
    {2: 2}
    """
    met = existing[mask]
    ids, counts = np.unique(met[met != 0], return_counts=True)
    return dict(zip(ids.tolist(), counts.tolist(), strict=True))


def claim(
    objects: Objects,
    labels: LazyArray | None,
    plane: Plane,
    mask: CroppedMask,
    rule: Rule,
    own: int | None,
    others: Others | None = None,
) -> Claim:
    """Apply the overlap rule: determine which pixels of a mask its object gets.

    Parameters
    ----------
    objects : Objects
        All objects.
    labels : (H, W) array-like of int or None
        The labels of the plane, which may hold what no object owns; None if there are none.
    plane : Plane
        Where.
    mask : CroppedMask
        What is wanted.
    rule : Rule
        Who keeps the pixels of others.
    own : int or None
        The object itself, whose pixels are free.
    others : Others, optional
        What belongs to the same step.
    """
    others = others or Others()
    window, wanted = mask.box, mask.crop()
    owners, own = objects.owners(plane, window), own or -1
    there = None if labels is None else np.asarray(labels[slices(window)])
    taken = None if others.taken is None else others.taken[slices(window, others.window)]
    if not any(some is not None and some.any() for some in (owners, there, taken)):
        return Claim(mask, mask.area, {}, frozenset())
    if rule is Rule.KEEP:
        keeps = np.where(np.isin(owners, [own, *others.renewed]), 0, owners)
        if there is not None:  # where nobody owns a pixel, the labels say who is there
            keeps = np.where(owners == 0, there.astype(np.int64), keeps)
    else:
        keeps = np.where(np.isin(owners, [*objects.locked(), *others.spared]), owners, 0)
    if taken is not None:
        keeps = np.where(taken != 0, taken, keeps)
    free = wanted & (keeps == 0)
    free = without_slivers(free, wanted) | (free & (owners == own))  # what it has, it keeps
    losers = frozenset(np.unique(owners[free & (owners != 0)]).tolist()) - {own}
    got = CroppedMask.of(free, window[:2], mask.shape)
    return Claim(got, mask.area, overlapped(keeps, wanted), losers)


def take_away(
    objects: Objects,
    plane: Plane,
    pixels: NDArray[np.bool_],
    window: Box,
    losers: Collection[int],
    *,
    slivers: bool = False,
) -> list[Edit]:
    """Return the edits that remove pixels of a window from objects of a plane.

    An object that loses its last pixel is gone; with `slivers`, also one of which only slivers
    would be left. The pixels go from sections in planes across this one, too.
    """
    edits: list[Edit] = []
    across = list(objects.across(plane, window)) if losers else []
    for loser in sorted(losers):
        held, less = objects[loser], list[SectionEdit]()
        for one in across:
            before = held.sections.get(one.plane)
            if before is not None and before.mask is not None:
                taken = one.turned(pixels[slices(one.here, window)])
                left = before.mask.without(taken, one.there)
                less += _less(loser, one.plane, before, left)
        before = held.sections.get(plane)
        if before is not None:  # last, as it says more: slivers are gone from all
            less += _less(loser, plane, before, _left(before, pixels, window, slivers))
        edits += less
        if sum(edit.after is None for edit in less) == len(held.sections):
            edits.append(TraitsEdit(loser, held.traits, None))
    return edits


def _left(
    before: Section, pixels: NDArray[np.bool_], window: Box, slivers: bool
) -> CroppedMask | None:
    """Return what a section keeps without pixels of a window of its plane."""
    left = None if before.mask is None else before.mask.without(pixels, window)
    if slivers and left is not None and before.mask is not None:
        box = before.mask.box
        if not without_slivers(left.within(box), before.mask.crop()).any():
            return None
    return left


def _less(loser: int, plane: Plane, before: Section, left: CroppedMask | None) -> list[SectionEdit]:
    if left is before.mask and left is not None:
        return []
    after = None if left is None else replace(before, mask=left)
    return [SectionEdit(loser, plane, before, after)]


def left_to(edits: Sequence[Edit], plane: Plane) -> dict[int, int]:
    """Return how many pixels edits of `take_away` leave to each object in the plane."""
    return {
        edit.object_id: 0 if edit.after is None or edit.after.mask is None else edit.after.mask.area
        for edit in edits
        if isinstance(edit, SectionEdit) and edit.plane == plane
    }


def thinned(edits: Sequence[Edit], plane: Plane, pixels: NDArray[np.bool_], window: Box) -> int:
    """Return how many slivers edits of `take_away` take besides the pixels of the window."""
    left = sum(left_to(edits, plane).values())
    masks = [
        edit.before.mask
        for edit in edits
        if isinstance(edit, SectionEdit) and edit.before and edit.plane == plane
    ]
    rests = [mask.without(pixels, window) for mask in masks if mask is not None]
    return sum(rest.area for rest in rests if rest is not None) - left


def _named(ids: Sequence[int], most: int = 6) -> str:
    """Return objects by their numbers, as text."""
    if len(ids) == 1:
        return f"object {ids[0]}"
    names = [str(number) for number in ids[:most]]
    if len(ids) > most:
        names.append(f"{len(ids) - most} more")
    return f"objects {', '.join(names[:-1])} and {names[-1]}"
