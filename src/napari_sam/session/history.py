"""What was done and what was taken back, as much of it as memory allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from napari_sam.session.changes import Change, Edit

__all__ = ["History"]

KEEP_SEEDS = 20  # latest changes that an undo brings back exactly; logits are large


class History:
    """Two stacks of changes within a bound of bytes; beyond it the oldest are dropped.

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
        """All changes, done or undone."""
        return [*self.done, *self.undone]

    def load(self, done: Sequence[Change], undone: Sequence[Change]) -> None:
        """Take over two stacks."""
        self.done, self.undone = list(done), list(undone)
        self.nbytes = sum(change.nbytes for change in (*done, *undone))
        self._trim()

    def do(self, change: Change) -> None:
        """Take a new change; what was undone cannot be made again any more."""
        self.nbytes -= sum(undone.nbytes for undone in self.undone)
        self.undone.clear()
        self.done.append(change)
        self.nbytes += change.nbytes
        if len(self.done) > KEEP_SEEDS:
            self.done[-1 - KEEP_SEEDS] = self.done[-1 - KEEP_SEEDS].without_seeds()
        self._trim()

    def find(self, number: int) -> Change | None:
        """Return the change of that number if it is done and still known."""
        return next((change for change in reversed(self.done) if change.number == number), None)

    def grow(self, number: int, edits: tuple[Edit, ...]) -> None:
        """Add edits to a change that was done before."""
        at = next(i for i, change in enumerate(self.done) if change.number == number)
        grown = replace(self.done[at], edits=self.done[at].edits + edits)
        self.nbytes += grown.nbytes - self.done[at].nbytes
        self.done[at] = grown
        self._trim()

    def undo(self) -> Change:
        """Move the last change that was done to those that are undone."""
        self.undone.append(self.done.pop())
        return self.undone[-1]

    def redo(self) -> Change:
        """Move the last change that was undone to those that are done."""
        self.done.append(self.undone.pop())
        return self.done[-1]

    def forget_seeds(self) -> None:
        """Drop the logits of all drafts."""
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
