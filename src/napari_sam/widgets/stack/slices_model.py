"""Qt list model of the objects of a stack: one row per object, updated incrementally."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from time import perf_counter

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QAbstractListModel, QModelIndex, QObject, Qt, Signal

from napari_sam.session.objects import AnnotatedObject, Objects
from napari_sam.widgets.common.timers import new_timer
from napari_sam.widgets.stack.report import ObjectReport, StackReport
from napari_sam.widgets.stack.rows import StackRow, State, row_of
from napari_sam.widgets.stack.seeds import StackAxis

__all__ = ["Colour", "SlicesModel"]

Role = Qt.ItemDataRole
Colour = Callable[[int], Sequence[float] | None]
"""Gives the RGBA of an object, or None."""
PART_S = 0.015  # how long objects are read at once: more would hold the window up


class SlicesModel(QAbstractListModel):
    """List model of the objects on the slices of a stack, in order of their numbers.

    Thousands of slices are read in parts, so that the window goes on; a few are there at once.

    Attributes
    ----------
    length : int
        How many slices there are.
    noun : str
        What a slice is called.
    colour : callable or None
        Gives the colour of an object in the labels.
    sure, look : int
        How many masks are sure and not accepted; how many slices are to be looked at. What is
        locked does not count.
    updated : Signal
        Emitted when a part was read.
    """

    updated = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.length, self.noun = 1, "slice"
        self.colour: Colour | None = None
        self.sure = self.look = 0
        self._objects: Objects | None = None
        self._along: StackAxis | None = None
        self._reports: dict[int, ObjectReport] = {}
        self._ids: list[int] = []
        self._rows: dict[int, StackRow] = {}
        self._unread: dict[int, None] = {}  # in order
        self._more = new_timer(0, self._read, self)

    @property
    def reading(self) -> bool:
        """Whether there are objects left to be read."""
        return bool(self._unread)

    def show_objects(
        self, objects: Objects | None, along: StackAxis | None, length: int, noun: str
    ) -> None:
        """Show all objects that lie on these slices."""
        self.beginResetModel()
        self.length, self.noun = length, noun
        self._objects, self._along = objects, along
        self._ids, self._rows, self._unread = [], {}, {}
        self.sure = self.look = 0
        self.endResetModel()
        self.refresh(sorted(objects or ()))

    def show_report(self, report: StackReport) -> None:
        """Use this report for the words of its objects; the others keep theirs."""
        self._reports |= report.objects
        self.tell()

    def forget_reports(self) -> None:
        """Use no report any more."""
        self._reports = {}
        self.tell()

    def refresh(self, ids: Iterable[int]) -> None:
        """Update the rows of these objects, which are new, changed or deleted."""
        if self._along is not None:
            self._unread |= dict.fromkeys(ids)
        self._read()

    def tell(self) -> None:
        """Have all rows drawn anew."""
        if self._ids:
            self.dataChanged.emit(self.index(0), self.index(len(self._ids) - 1))

    def row(self, at: int) -> StackRow:
        """Return row `at`."""
        return self._rows[self._ids[at]]

    def find(self, object_id: int | None) -> int | None:
        """Return the row index of an object."""
        if object_id is None or object_id not in self._rows:
            return None
        return bisect_left(self._ids, object_id)

    def report(self, object_id: int) -> ObjectReport | None:
        """Return what the latest propagation says of an object."""
        return self._reports.get(object_id)

    def states(self, at: int) -> NDArray[np.uint8]:
        """Return the state of every slice of row `at`."""
        return self.row(at).states(self.length)

    def places(self, state: State) -> list[tuple[int, int]]:
        """Return (object, slice) of all that have a state, in order; but for locked objects."""
        return [
            (number, index)
            for number in self._ids
            if not self._rows[number].held.locked
            for index in self._rows[number].places.get(state, ())
        ]

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Return the number of objects."""
        return 0 if parent is not None and parent.isValid() else len(self._ids)

    def data(self, index: QModelIndex, role: int = Role.DisplayRole) -> object:
        """Return the words of a row for a Qt role."""
        if role not in (Role.DisplayRole, Role.AccessibleTextRole) or not index.isValid():
            return None
        row = self.row(index.row())
        said = row.words if role == Role.DisplayRole else row.sentence
        return said(self.noun, self.report(row.held.id))

    def _read(self) -> None:
        """Read some of what has changed, then the rest a little later."""
        self._more.stop()
        objects, along = self._objects, self._along
        found: dict[int, StackRow | None] = {}
        end = perf_counter() + PART_S
        while self._unread and objects is not None and along is not None:
            number = next(iter(self._unread))
            del self._unread[number]
            found[number] = row_of(objects[number], along) if number in objects else None
            if perf_counter() > end:
                break
        self._put(found)
        if self._unread:
            self._more.start()
        self.updated.emit()

    def _put(self, found: Mapping[int, StackRow | None]) -> None:
        """Replace, add and remove rows; the selection stays at its object."""
        known = self._rows.keys()
        differ = any((row is not None) != (number in known) for number, row in found.items())
        if differ:
            self.layoutAboutToBeChanged.emit()
            held = [self._ids[index.row()] for index in self.persistentIndexList()]
        for number, row in found.items():
            self._count(self._rows.pop(number, None), -1)
            self._count(row, 1)
            if row is not None:
                self._rows[number] = row
        if differ:
            self._ids = sorted(self._rows)
            places = map(self.find, held)
            moved = [QModelIndex() if at is None else self.index(at) for at in places]
            self.changePersistentIndexList(self.persistentIndexList(), moved)
            self.layoutChanged.emit()
        elif found:
            self.tell()

    def _count(self, row: StackRow | None, times: int) -> None:
        if row is not None and not row.held.locked:
            self.sure += times * len(row.places.get(State.SURE, ()))
            self.look += times * len(row.places.get(State.LOOK, ()))

    def held(self, at: int) -> AnnotatedObject:
        """Return the object of row `at`."""
        return self.row(at).held
