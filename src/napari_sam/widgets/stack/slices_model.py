"""Qt list model of the objects of a stack: one row per object, updated incrementally."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QAbstractListModel, QModelIndex, QObject, Qt

from napari_sam.session.objects import AnnotatedObject, Objects
from napari_sam.widgets.stack.report import ObjectReport, StackReport
from napari_sam.widgets.stack.rows import StackRow, State, row_of
from napari_sam.widgets.stack.seeds import StackAxis

__all__ = ["Colour", "SlicesModel"]

Role = Qt.ItemDataRole
Colour = Callable[[int], Sequence[float] | None]
"""Gives the RGBA of an object, or None."""


class SlicesModel(QAbstractListModel):
    """List model of the objects on the slices of a stack, in order of their numbers.

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
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.length, self.noun = 1, "slice"
        self.colour: Colour | None = None
        self.sure = self.look = 0
        self._along: StackAxis | None = None
        self._reports: dict[int, ObjectReport] = {}
        self._ids: list[int] = []
        self._rows: dict[int, StackRow] = {}

    def show_objects(
        self, objects: Objects | None, along: StackAxis | None, length: int, noun: str
    ) -> None:
        """Show all objects that lie on these slices."""
        self.beginResetModel()
        self.length, self.noun, self._along = length, noun, along
        self._rows = {}
        if objects is not None and along is not None:
            rows = ((number, row_of(held, along)) for number, held in objects.items())
            self._rows = {number: row for number, row in rows if row is not None}
        self._ids = sorted(self._rows)
        self._count()
        self.endResetModel()

    def show_report(self, report: StackReport) -> None:
        """Use this report for the words of its objects; the others keep theirs."""
        self._reports |= report.objects
        self.tell()

    def forget_reports(self) -> None:
        """Use no report any more."""
        self._reports = {}
        self.tell()

    def refresh(self, objects: Objects, ids: Iterable[int]) -> None:
        """Update the rows of these objects, which are new, changed or deleted."""
        if self._along is None:
            return
        along, changed = self._along, set(ids)
        found = {n: row_of(objects[n], along) for n in changed if n in objects}
        rows = {number: row for number, row in found.items() if row is not None}
        come, gone = rows.keys() - self._rows.keys(), (changed & self._rows.keys()) - rows.keys()
        if come or gone:
            self.layoutAboutToBeChanged.emit()
            held = [self._ids[index.row()] for index in self.persistentIndexList()]
        self._rows = {n: row for n, row in self._rows.items() if n not in gone} | rows
        self._count()
        if come or gone:
            self._ids = sorted(self._rows)
            places = {number: self.index(row) for row, number in enumerate(self._ids)}
            moved = [places.get(number, QModelIndex()) for number in held]
            self.changePersistentIndexList(self.persistentIndexList(), moved)
            self.layoutChanged.emit()
        else:
            self.tell()

    def tell(self) -> None:
        """Have all rows drawn anew."""
        if self._ids:
            self.dataChanged.emit(self.index(0), self.index(len(self._ids) - 1))

    def row(self, at: int) -> StackRow:
        """Return row `at`."""
        return self._rows[self._ids[at]]

    def find(self, object_id: int | None) -> int | None:
        """Return the row index of an object."""
        return self._ids.index(object_id) if object_id in self._rows else None

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

    def _count(self) -> None:
        self.sure = self.look = 0
        for row in self._rows.values():
            if not row.held.locked:
                self.sure += len(row.places.get(State.SURE, ()))
                self.look += len(row.places.get(State.LOOK, ()))

    def held(self, at: int) -> AnnotatedObject:
        """Return the object of row `at`."""
        return self.row(at).held
