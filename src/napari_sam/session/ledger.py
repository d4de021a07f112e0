"""All that the records of a session add up to; who logs, shows and follows it is the session."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from napari_sam.session.changes import Change, Edit, LabelScheme, apply, backwards, still_fitting
from napari_sam.session.draft import Draft
from napari_sam.session.history import History
from napari_sam.session.objects import Objects
from napari_sam.session.records import (
    Adopted,
    Configured,
    Done,
    Grown,
    Record,
    Redone,
    Undone,
    Viewed,
)

__all__ = ["HISTORY_BYTES", "Ledger"]

HISTORY_BYTES = 256 * 2**20


class Ledger:
    """Objects, the draft and the history, as the records say that were taken so far.

    Parameters
    ----------
    history_bytes : int
        Bound of the history; its oldest steps are dropped beyond it.

    Attributes
    ----------
    objects : Objects
        All objects by id.
    draft : Draft
        The object that is being drawn.
    scheme : LabelScheme
        What the labels hold, and what classes there are.
    view : mapping
        How the panel stood when it last said so.
    history : History
        What can be undone and made again.
    number : int
        Number of the latest step, whether it was taken back or not.
    """

    def __init__(self, history_bytes: int = HISTORY_BYTES) -> None:
        self.objects = Objects()
        self.draft = Draft()
        self.scheme = LabelScheme()
        self.view: Mapping[str, object] = {}
        self.history = History(history_bytes)
        self.number = 0

    def edits_of(self, record: Record) -> Sequence[Edit]:
        """Return what a record is about to do to the objects."""
        match record:
            case Done(change):
                return change.edits
            case Undone():
                return still_fitting(backwards(self.history.done[-1].edits), self.objects)
            case Redone():
                return still_fitting(self.history.undone[-1].edits, self.objects)
            case Grown(_, edits) | Adopted(edits):
                return edits
        return ()

    def scheme_after(self, record: Record) -> LabelScheme:
        """Return the scheme that holds after a record.

        A class that got its name in between, with labels that were there already, keeps it.
        """
        match record:
            case Configured(scheme):
                return scheme
            case Done(change):
                wanted = change.schemes and change.schemes[1]
            case Undone():
                wanted = (pair := self.history.done[-1].schemes) and pair[0]
            case Redone():
                wanted = (pair := self.history.undone[-1].schemes) and pair[1]
            case _:
                wanted = None
        if wanted is None:
            return self.scheme
        known = self.scheme.classes
        used = {held.class_id for held in self.objects.values()} & set(known)
        return replace(wanted, classes={**{n: known[n] for n in used}, **wanted.classes})

    def take(self, record: Record) -> None:
        """Do what a record says."""
        self.carry_out(record, self.edits_of(record))

    def carry_out(self, record: Record, edits: Sequence[Edit]) -> None:
        """Do what a record says, whose edits are known."""
        apply(edits, self.objects)
        self.scheme = self.scheme_after(record)  # now, for a class in use keeps its name
        match record:
            case Done(change):
                self.number = max(self.number, change.number)
                self.history.do(change)
                self.draft = change.after
            case Undone():
                self.draft = self.history.undo().before
            case Redone():
                self.draft = self.history.redo().after
            case Grown(number, new):
                self.history.grow(number, new)
            case Viewed(view):
                self.view = view

    def resume(
        self, draft: Draft, done: Sequence[Change], undone: Sequence[Change], number: int
    ) -> None:
        """Go on with a history and a draft that were saved, over objects that are there already.

        `number` is that of the latest step.
        """
        self.history.load(done, undone)
        self.number = number
        self.draft = draft
