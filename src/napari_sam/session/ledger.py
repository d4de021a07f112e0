"""State of a session from the records applied so far: objects, draft, classes and history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from napari_sam.session.changes import (
    Change,
    Edit,
    LabelScheme,
    apply,
    backwards,
    memory_of,
    still_fitting,
)
from napari_sam.session.draft import Draft
from napari_sam.session.effort.tally import Tally
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

__all__ = ["HISTORY_BYTES", "History", "Ledger"]

HISTORY_BYTES = 256 * 2**20
KEEP_SEEDS = 20  # latest changes that an undo brings back exactly; logits are large


class History:
    """Undo and redo stacks with a memory limit; beyond it the oldest changes are dropped.

    Parameters
    ----------
    limit : int
        Bytes.

    Attributes
    ----------
    done, undone : list of Change
        The latest last.
    dropped : bool
        True once a change was dropped.
    nbytes : int
        How much memory all changes hold.
    """

    def __init__(self, limit: int) -> None:
        self.done: list[Change] = []
        self.undone: list[Change] = []
        self.dropped = False
        self.nbytes = 0
        self._limit = limit

    @property
    def known(self) -> list[Change]:
        """All changes on the undo and redo stacks."""
        return [*self.done, *self.undone]

    def load(self, done: Sequence[Change], undone: Sequence[Change]) -> None:
        """Replace both stacks by saved ones."""
        self.done, self.undone = list(done), list(undone)
        self.nbytes = sum(change.nbytes for change in (*done, *undone))
        self._trim()

    def do(self, change: Change) -> None:
        """Push a new change on the undo stack, and clear the redo stack."""
        self.nbytes -= sum(undone.nbytes for undone in self.undone)
        self.undone.clear()
        self.done.append(change)
        self.nbytes += change.nbytes
        if len(self.done) > KEEP_SEEDS:
            self.done[-1 - KEEP_SEEDS] = self.done[-1 - KEEP_SEEDS].without_seeds()
        self._trim()

    def find(self, number: int) -> Change | None:
        """Return the change of that number on the undo stack, or None."""
        return next((change for change in reversed(self.done) if change.number == number), None)

    def grow(self, number: int, edits: tuple[Edit, ...]) -> None:
        """Add edits to a change on the undo stack."""
        at = next(i for i, change in enumerate(self.done) if change.number == number)
        self.done[at] = replace(self.done[at], edits=self.done[at].edits + edits)
        self.nbytes += memory_of(edits)  # not of all anew: a step may grow thousands of times
        self._trim()

    def undo(self) -> Change:
        """Move the last change from the undo to the redo stack, and return it."""
        self.undone.append(self.done.pop())
        return self.undone[-1]

    def redo(self) -> Change:
        """Move the last change from the redo to the undo stack, and return it."""
        self.done.append(self.undone.pop())
        return self.done[-1]

    def forget_seeds(self) -> None:
        """Drop the seeds (mask logits to refine) of all drafts."""
        self.done = [change.without_seeds() for change in self.done]
        self.undone = [change.without_seeds() for change in self.undone]

    def _trim(self) -> None:
        count = 0
        while self.nbytes > self._limit and count < len(self.done) - 1:
            self.nbytes -= self.done[count].nbytes
            count += 1
        if count:
            del self.done[:count]
            self.dropped = True


class Ledger:
    """Objects, draft, label scheme and history after the records applied so far.

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
    tally : Tally
        What the work has cost so far.
    """

    def __init__(self, history_bytes: int = HISTORY_BYTES) -> None:
        self.objects = Objects()
        self.draft = Draft()
        self.scheme = LabelScheme()
        self.view: Mapping[str, object] = {}
        self.history = History(history_bytes)
        self.number = 0
        self.tally = Tally()

    def edits_of(self, record: Record) -> Sequence[Edit]:
        """Return the edits of objects that a record would make, without applying them."""
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

    def paints(self, record: Record) -> bool:
        """Return whether a record changes pixels of the labels, and not only what owns them."""
        match record:
            case Adopted():
                return False
            case Done(change):
                return change.kind.paints
            case Undone():
                return self.history.done[-1].kind.paints
            case Redone():
                return self.history.undone[-1].kind.paints
            case Grown(number, _):
                grown = self.history.find(number)
                return grown is None or grown.kind.paints
        return True

    def scheme_after(self, record: Record) -> LabelScheme:
        """Return the label scheme that holds after a record.

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
        """Apply a record."""
        self.carry_out(record, self.edits_of(record))

    def carry_out(self, record: Record, edits: Sequence[Edit]) -> None:
        """Apply a record whose edits are known."""
        apply(edits, self.objects)
        self.scheme = self.scheme_after(record)  # now, for a class in use keeps its name
        match record:
            case Done(change):
                self.number = max(self.number, change.number)
                self.history.do(change)
                self.draft = change.after
                self.tally.do(change)
            case Undone():
                undone = self.history.undo()
                self.draft = undone.before
                self.tally.undo(undone)
            case Redone():
                redone = self.history.redo()
                self.draft = redone.after
                self.tally.redo(redone)
            case Grown(number, new):
                self.history.grow(number, new)
            case Viewed(view):
                self.view = view
                self.tally.view(view)

    def resume(
        self,
        draft: Draft,
        done: Sequence[Change],
        undone: Sequence[Change],
        number: int,
        tally: Tally | None = None,
    ) -> None:
        """Load a saved history, draft and tally; the objects must be there already.

        `number` is that of the latest step. Without a tally the history is counted.
        """
        if tally is None:
            tally = Tally(untimed=len(done) + len(undone), models=self.tally.models)
            for change in done:
                tally.do(change)
        self.tally = tally
        self.history.load(done, undone)
        self.number = number
        self.draft = draft
