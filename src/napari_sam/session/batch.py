"""Batches of masks from propagation, automatic mode or refinement, each as one undo step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_sam.masks import CroppedMask, slices
from napari_sam.planes import Plane
from napari_sam.session.adopt import check_axes, labels_under
from napari_sam.session.changes import Edit, Kind, SectionEdit, TraitsEdit
from napari_sam.session.curation import discarded
from napari_sam.session.draft import Draft
from napari_sam.session.objects import Origin, Section, Source, Status, Traits
from napari_sam.session.overlap import Rule, claim, take_away
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

    mask: NDArray[np.bool_] | CroppedMask | None
    object_id: int | None = None
    score: float | None = None
    origin: Origin = AUTOMATIC
    status: Status = Status.PROPOSED
    prompts: Draft | None = None
    class_id: int | None = None


class Batch:
    """Undo step to which masks from a model are added plane by plane, until `end`.

    One undo takes all of it back, also while it still grows; what comes later is not taken then.
    Nothing is written over a locked object, over what was accepted of the same object, over what
    the batch itself has brought, or, under `Rule.KEEP`, over any other object.

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

        Returns
        -------
        list of int or None
            The object of each; None where nothing was taken.

        Raises
        ------
        InputError
            If an id does not fit the labels, or the plane lies across those of other objects.
        """
        if not self.is_open:
            return [None] * len(offered)
        check_axes(self._session, plane)
        edits, ids = self._edits(plane, offered)
        if edits:
            self._take(edits)
            self._ids.update(number for number in ids if number is not None)
        return ids

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

    def _edits(
        self, plane: Plane, offered: Sequence[NewMask]
    ) -> tuple[list[Edit], list[int | None]]:
        session, objects = self._session, self._session.objects
        new_id = session.labels.new_id(plane, *(p.object_id or 0 for p in offered))
        own: list[Edit] = []
        ids: list[int | None] = []
        masks = [_packed(p.mask) for p in offered]
        shape = next((p.mask.shape for p in offered if p.mask is not None), (0, 0))
        taken = np.zeros(shape, bool)
        losers: set[int] = set()
        renewed = {
            p.object_id
            for p, mask in zip(offered, masks, strict=True)
            if p.object_id is not None
            and mask is not None
            and self._may_change(p.object_id, objects.section(p.object_id, plane), p.status)
        }
        for new, got in zip(offered, masks, strict=True):
            number = new.object_id
            before = objects.section(number, plane)
            twice = number is not None and number in ids
            if twice or not self._may_change(number, before, new.status):
                ids.append(None)
                continue
            if got is not None:
                got = got.without(taken[slices(got.box)], got.box)
            if got is not None:
                labels = labels_under(session, plane, got, self._rule)
                spared = self._ids - renewed - {number}
                claimed = claim(objects, labels, plane, got, self._rule, number, spared, renewed)
                got, losers = claimed.mask, losers | claimed.losers
            if got is None and (number is None or new.status is not Status.UNCLEAR):
                ids.append(None)
                continue
            if got is not None:
                got.mark(taken, (0, 0, *shape), True)
            if number is None:
                number, new_id = new_id, new_id + 1
            if number not in objects:
                own.append(TraitsEdit(number, None, Traits(new.class_id or session.new_class)))
            known = None if before is None else before.prompts
            score = None if new.score is None else float(new.score)
            after = Section(got, score, new.origin, new.status, new.prompts or known)
            own.append(SectionEdit(number, plane, before, after))
            ids.append(number)
        losers -= {number for number in ids if number is not None}
        return take_away(objects, plane, taken, (0, 0, *shape), losers) + own, ids

    def _may_change(self, number: int | None, before: Section | None, status: Status) -> bool:
        held = None if number is None else self._session.objects.get(number)
        if held is not None and held.locked:
            return False
        accepted = before is not None and before.status is Status.ACCEPTED
        return status is Status.ACCEPTED or not accepted


def _packed(mask: NDArray[np.bool_] | CroppedMask | None) -> CroppedMask | None:
    return CroppedMask.of(mask) if isinstance(mask, np.ndarray) else mask
