"""Batches of masks from propagation, automatic mode or refinement, each as one undo step."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from napari_sam.masks import CroppedMask, PlaneMask, enclosing
from napari_sam.planes import Plane
from napari_sam.session.adopt import labels_under
from napari_sam.session.changes import Edit, Kind, SectionEdit, TraitsEdit
from napari_sam.session.draft import Draft
from napari_sam.session.edit.curation import discarded
from napari_sam.session.objects import Origin, Section, Source, Status, Traits
from napari_sam.session.overlap import Claim, Others, Rule, Tally, claim, take_away, thinned
from napari_sam.session.records import Grown
from napari_sam.session.session import Session

__all__ = ["Batch", "NewMask"]


AUTOMATIC = Origin(Source.AUTOMATIC)


@dataclass(frozen=True, eq=False)
class NewMask:
    """Mask of one object in one plane, to be added by a batch.

    Parameters
    ----------
    mask : (H, W) bool or CroppedMask, optional
        The mask; None if nothing was found, which is kept only where somebody should look.
    object_id : int, optional
        Whose; None for a new object.
    score : float, optional
        Predicted IoU.
    origin : Origin
        How it came about, for instance ``Origin(Source.PROPAGATED, plane)``.
    status : Status
        PROPOSED, UNCLEAR if somebody should look at it, ACCEPTED if somebody did.
    prompts : Draft, optional
        What it was asked for with.
    class_id : int, optional
        Class of a new object; None for that of new objects.
    """

    mask: PlaneMask | CroppedMask | None
    object_id: int | None = None
    score: float | None = None
    origin: Origin = AUTOMATIC
    status: Status = Status.PROPOSED
    prompts: Draft | None = None
    class_id: int | None = None


class Batch:
    """Undo step to which masks from a model are added plane by plane, until `end`.

    One undo takes all of it back, also while it still grows; what comes later is not taken then.
    Nothing is written over a locked object, over what was accepted of the same object (in the plane
    or in one across it), over what the batch itself has brought, or, under `Rule.KEEP`, over any
    other object. A mask of which these leave under half is not taken.

    Parameters
    ----------
    session : Session
        Takes the masks.
    kind : Kind
        PROPAGATED, AUTOMATIC or REFINED.
    rule : Rule
        Who keeps the pixels of objects that are there already.
    classes : mapping of int to str, optional
        How classes are called from this step on.

    Attributes
    ----------
    tally : Tally
        What was not taken because of overlaps.

    Examples
    --------
    >>> session = Session()
    >>> with Batch(session, Kind.AUTOMATIC) as batch:
    ...     ids = batch.add((None, None), [NewMask(np.ones((2, 3), bool), score=0.8)])
    >>> ids, session.objects[1].pixels
    ([1], 6)
    >>> session.undo()
    >>> len(session.objects)
    0
    """

    def __init__(
        self,
        session: Session,
        kind: Kind,
        rule: Rule = Rule.KEEP,
        classes: Mapping[int, str] | None = None,
    ) -> None:
        self.tally = Tally()
        self._session = session
        self._kind = kind
        self._rule = rule
        self._classes = classes
        self._number: int | None = None
        self._ids: set[int] = set()
        self._ended = False

    def __enter__(self) -> Batch:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    @property
    def is_open(self) -> bool:
        """False once the step has ended or was undone."""
        taken_back = self._number is not None and self._session.history.find(self._number) is None
        return not (self._ended or taken_back)

    @property
    def number(self) -> int:
        """Number of the undo step; 0 before the first edit."""
        return self._number or 0

    def end(self) -> None:
        """End the step; later calls of `add` and `discard` change nothing."""
        self._ended = True

    def add(self, plane: Plane, offered: Sequence[NewMask]) -> list[int | None]:
        """Add masks of one plane, one per object; where two overlap, the first keeps the pixels.

        What others leave of a mask is not taken if it is under half of it; see `tally`.

        Returns
        -------
        list of int or None
            The object of each; None where nothing was taken.

        Raises
        ------
        InputError
            If an id does not fit the labels.
        """
        if not self.is_open:
            return [None] * len(offered)
        masks = [_packed(new.mask) for new in offered]
        renewed = {
            new.object_id
            for new, mask in zip(offered, masks, strict=True)
            if new.object_id is not None and mask is not None and self._may_change(plane, new)
        }
        found = self._share_out(plane, offered, masks, renewed)
        while found.stay:  # the pixels of their old masks are not free then
            renewed -= found.stay
            found = self._share_out(plane, offered, masks, renewed)
        if found.edits:
            self._take(found.edits)
            self._ids.update(number for number in found.ids if number is not None)
        self.tally.add(found.tally)
        return found.ids

    def discard(self, plane: Plane, ids: Iterable[int]) -> None:
        """Delete the sections of these objects in a plane that nobody has accepted, in this step.

        Raises
        ------
        InputError
            If one is unknown or locked.
        """
        edits = [edit for number in ids for edit in discarded(self._session.objects, number, plane)]
        if edits and self.is_open:
            self._take(edits)

    def withdraw(self, object_id: int, planes: Iterable[Plane]) -> None:
        """Delete an object's sections in these planes that nobody has accepted, in this step.

        Of an object that is locked, or not there any more, nothing is deleted.
        """
        held = self._session.objects.get(object_id)
        if held is None or held.locked or not self.is_open:
            return
        found = ((plane, held.sections.get(plane)) for plane in planes)
        edits: list[Edit] = [
            SectionEdit(object_id, plane, section, None)
            for plane, section in found
            if section is not None and section.status is not Status.ACCEPTED
        ]
        if edits and len(edits) == len(held.sections):
            edits.append(TraitsEdit(object_id, held.traits, None))
        if edits:
            self._take(edits)

    def _take(self, edits: Sequence[Edit]) -> None:
        session = self._session
        if self._number is not None:
            session.commit(Grown(self._number, tuple(edits)))
            return
        wanted = replace(session.scheme, classes=dict(self._classes or session.classes))
        schemes = None if wanted == session.scheme else (session.scheme, wanted)
        self._number = session.do(self._kind, edits, schemes=schemes).number

    def _share_out(
        self,
        plane: Plane,
        offered: Sequence[NewMask],
        masks: Sequence[CroppedMask | None],
        renewed: Collection[int],
    ) -> _Shares:
        """Work out what each mask gets if these objects give up the pixels that they have."""
        session, objects = self._session, self._session.objects
        new_id = session.labels.new_id(plane, *(new.object_id or 0 for new in offered))
        boxes = [mask.box for mask in masks if mask is not None]
        window = enclosing(*boxes) if boxes else (0, 0, 0, 0)
        taken = np.zeros((window[2] - window[0], window[3] - window[1]), np.int64)
        own: list[Edit] = []
        shares = _Shares()
        for new, mask in zip(offered, masks, strict=True):
            number = new.object_id
            before = objects.section(number, plane)
            twice = number is not None and number in shares.ids
            if twice or not self._may_change(plane, new):
                shares.ids.append(None)
                continue
            got = mask
            if mask is not None:
                labels = labels_under(session, plane, mask, self._rule)
                spared = self._ids - set(renewed) - {number}
                others = Others(spared, renewed, taken, window)
                got = shares.take(claim(objects, labels, plane, mask, self._rule, number, others))
            refused = got is None and mask is not None
            if refused and before is not None and before.mask is not None:
                shares.stay |= {one for one in renewed if one == number}
                shares.ids.append(None)
                continue
            if got is None and (number is None or new.status is not Status.UNCLEAR):
                shares.ids.append(None)
                continue
            if number is None:
                number, new_id = new_id, new_id + 1
            if got is not None:
                got.mark(taken, window, number)
            if number not in objects:
                own.append(TraitsEdit(number, None, Traits(new.class_id or session.new_class)))
            known = None if before is None else before.prompts
            score = None if new.score is None else float(new.score)
            after = Section(got, score, new.origin, new.status, new.prompts or known)
            own.append(SectionEdit(number, plane, before, after))
            shares.ids.append(number)
        shares.losers -= {number for number in shares.ids if number is not None}
        pixels = taken != 0
        losing = take_away(objects, plane, pixels, window, shares.losers, slivers=True)
        shares.tally.thin += thinned(losing, plane, pixels, window)
        shares.edits = losing + own
        return shares

    def _may_change(self, plane: Plane, new: NewMask) -> bool:
        held = None if new.object_id is None else self._session.objects.get(new.object_id)
        if held is None:
            return True
        before = held.sections.get(plane)
        accepted = before is not None and before.status is Status.ACCEPTED
        return not held.locked and (new.status is Status.ACCEPTED or not accepted)


class _Shares:
    """What the masks of one plane get."""

    def __init__(self) -> None:
        self.ids: list[int | None] = []  # the object of each mask
        self.edits: list[Edit] = []
        self.losers: set[int] = set()
        self.stay: set[int] = set()  # objects that should get a new mask, and keep the old one
        self.tally = Tally()

    def take(self, claim: Claim) -> CroppedMask | None:
        """Return what a mask gets; None if that is under half of it."""
        self.tally.add(Tally.of(claim))
        if claim.is_remainder:
            return None
        self.losers |= claim.losers
        return claim.mask


def _packed(mask: PlaneMask | CroppedMask | None) -> CroppedMask | None:
    return mask if mask is None or isinstance(mask, CroppedMask) else CroppedMask.of(mask)
