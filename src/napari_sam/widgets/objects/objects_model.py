"""Qt table model of the session's objects: one row per object, updated incrementally."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from itertools import groupby

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QObject, QSortFilterProxyModel, Qt
from qtpy.QtGui import QColor, QIcon, QPixmap

from napari_sam.planes import Plane
from napari_sam.session.objects import AnnotatedObject, Status
from napari_sam.session.review import weakest_plane
from napari_sam.session.session import Session
from napari_sam.widgets.jobs.thumbnails import ObjectThumbnails, icon

__all__ = [
    "STATUS",
    "Colour",
    "Column",
    "ObjectRow",
    "ObjectsModel",
    "SortedObjects",
    "row_of",
    "span",
]

Colour = Callable[[int], Sequence[float] | None]
"""Gives the RGBA of a label, or None."""

STATUS = {Status.UNCLEAR: "▲ unclear", Status.PROPOSED: "● proposed", Status.ACCEPTED: "✓ accepted"}
"""A sign and a word for each, the most doubtful first."""


class Column(IntEnum):
    """Columns of the table."""

    ID = 0
    THUMBNAIL = 1
    SLICES = 2
    SCORE = 3
    STATUS = 4
    CLASS = 5
    LOCK = 6


@dataclass(frozen=True)
class ObjectRow:
    """Displayed values of one object, computed once per change of the object.

    Parameters
    ----------
    held : AnnotatedObject
        The object.
    plane : Plane or None
        Where to look at it first.
    score : float or None
        The lowest of its planes.
    status : Status
        The most doubtful of its planes.
    slices : str
        In which slices it lies.
    keys : mapping of int to tuple
        What it is sorted by in each column, with its number where two are equal.
    """

    held: AnnotatedObject
    plane: Plane | None
    score: float | None
    status: Status
    slices: str
    keys: Mapping[int, tuple[float, int]]


def row_of(held: AnnotatedObject, word: str = "slice") -> ObjectRow:
    """Return the row of an object in a stack of slices, or of frames."""
    score, status = held.confidence, held.status
    rank = 2.0 if score is None else score  # without a score comes last
    by = {
        Column.ID: 0,
        Column.THUMBNAIL: 0,
        Column.SLICES: len(held.sections),
        Column.SCORE: rank,
        Column.STATUS: 10.0 * list(STATUS).index(status) + rank,  # the least sure first
        Column.CLASS: held.class_id + 0.9 * (1.0 if held.certainty is None else held.certainty),
        Column.LOCK: not held.locked,
    }
    keys = {int(column): (float(key), held.id) for column, key in by.items()}
    return ObjectRow(held, weakest_plane(held), score, status, span(held.planes, word), keys)


def span(planes: Sequence[Plane], word: str = "slice") -> str:
    """Return the slice range of an object as text.

    Examples
    --------
    >>> span([(4, None, None)])
    '4'
    >>> span([(4, None, None), (5, None, None), (6, None, None)])
    '4-6'
    >>> span([(0, 4, None, None), (0, 5, None, None), (0, 9, None, None)])
    '4-9 (3)'
    >>> span([(0, 4, None, None), (1, 5, None, None)])
    '2 slices'
    >>> span([(0, 4, None, None), (1, 5, None, None)], "frame")
    '2 frames'
    >>> span([(None, None)])
    '1'
    """
    at = [[index for index in plane if index is not None] for plane in planes]
    if len(at) < 2:
        return ", ".join(map(str, at[0])) or "1" if at else "0"
    moving = [values for values in zip(*at, strict=True) if len(set(values)) > 1]
    if len(moving) != 1:
        return f"{len(at)} {word}s"
    first, last = min(moving[0]), max(moving[0])
    gaps = f" ({len(at)})" if last - first + 1 > len(at) else ""
    return f"{first}-{last}{gaps}"


def _runs(marked: Iterable[bool]) -> list[tuple[int, int]]:
    """Return the first and the last place of each run of marks.

    Examples
    --------
    >>> _runs([True, True, False, True])
    [(0, 1), (3, 3)]
    """
    grouped = groupby(enumerate(marked), key=lambda pair: pair[1])
    places = [[place for place, _ in group] for mark, group in grouped if mark]
    return [(run[0], run[-1]) for run in places]


Role = Qt.ItemDataRole
SWATCH = 12


HEADS = {
    Column.ID: ("Id", "Number and colour in the labels"),
    Column.THUMBNAIL: ("Look", "The {} to look at first"),
    Column.SLICES: ("{}s", "First and last {}; how many if some between are missing"),
    Column.SCORE: ("Quality", "The lowest of all its {}s, 0 to 1 (predicted IoU)"),
    Column.STATUS: ("Status", "Unclear if one {} is, else proposed if one is, else accepted"),
    Column.CLASS: ("Class", "What kind of object it is; with how certain that is, if suggested"),
    Column.LOCK: ("Lock", "A locked object cannot be changed"),
}


class ObjectsModel(QAbstractTableModel):
    """Table model of all objects of a session, in order of creation.

    Parameters
    ----------
    thumbnails : ObjectThumbnails
        Draws the small pictures.
    """

    def __init__(self, thumbnails: ObjectThumbnails, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thumbnails = thumbnails
        self._session: Session | None = None
        self._colour: Colour | None = None
        self._word = "slice"
        self._ids: list[int] = []
        self._rows: dict[int, ObjectRow] = {}
        thumbnails.drawn.connect(self._show_thumbnail)

    def show_session(self, session: Session | None, colour: Colour | None) -> None:
        """Show the objects of a session."""
        self.beginResetModel()
        self._session, self._colour = session, colour
        objects = {} if session is None else session.objects
        self._ids = list(objects)
        self._rows = {number: row_of(objects[number], self._word) for number in self._ids}
        self.endResetModel()

    def refresh(self, ids: Iterable[int]) -> None:
        """Update the rows of these objects, which are new, changed or deleted."""
        if self._session is None:
            return
        objects = self._session.objects
        changed = set(ids)
        gone = {n for n in changed if n in self._rows and n not in objects}
        for first, last in reversed(_runs(n in gone for n in self._ids)):
            self.beginRemoveRows(QModelIndex(), first, last)
            for number in self._ids[first : last + 1]:
                del self._rows[number]
            del self._ids[first : last + 1]
            self.endRemoveRows()
        new = sorted(n for n in changed if n in objects and n not in self._rows)
        known = sorted(n for n in changed if n in self._rows)
        self._rows |= {number: row_of(objects[number], self._word) for number in known}
        if known:
            rows = [row for row, number in enumerate(self._ids) if number in changed]
            self._tell(rows[0], rows[-1])
        if new:
            first = len(self._ids)
            self.beginInsertRows(QModelIndex(), first, first + len(new) - 1)
            self._ids += new
            self._rows |= {number: row_of(objects[number], self._word) for number in new}
            self.endInsertRows()

    def call_planes(self, word: str) -> None:
        """Call a step of the stack "slice" or "frame"."""
        if word != self._word:
            self._word = word
            self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(Column) - 1)
            self.refresh(self._rows)

    def refresh_words(self) -> None:
        """Update class names and colours."""
        if self._ids:
            self._tell(0, len(self._ids) - 1)

    @property
    def rows(self) -> list[ObjectRow]:
        """All rows, in order of creation."""
        return [self._rows[number] for number in self._ids]

    def row(self, at: int) -> ObjectRow:
        """Return the values of row `at`."""
        return self._rows[self._ids[at]]

    def find(self, object_id: int) -> int | None:
        """Return the row index of an object."""
        return self._ids.index(object_id) if object_id in self._rows else None

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Return the number of objects."""
        return 0 if parent is not None and parent.isValid() else len(self._ids)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        """Return the number of columns."""
        return 0 if parent is not None and parent.isValid() else len(Column)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Role.DisplayRole
    ) -> str | None:
        """Return the name or tooltip of a column."""
        if orientation == Qt.Orientation.Horizontal:
            if role == Role.DisplayRole:
                return HEADS[Column(section)][0].format(self._word.capitalize())
            if role == Role.ToolTipRole:
                return HEADS[Column(section)][1].format(self._word)
        return None

    def data(self, index: QModelIndex, role: int = Role.DisplayRole) -> object:
        """Return the data of a cell for a Qt role."""
        row, column = self._rows[self._ids[index.row()]], Column(index.column())
        if role == Role.DisplayRole:
            return self._text(row, column)
        if role == Role.DecorationRole:
            return self._drawing(row, column)
        if role in (Role.ToolTipRole, Role.AccessibleTextRole):
            return self._words(row, column)
        if role == Role.TextAlignmentRole and column is Column.SCORE:
            return Qt.AlignmentFlag.AlignCenter
        return None

    def _text(self, row: ObjectRow, column: Column) -> str | None:
        match column:
            case Column.ID:
                return str(row.held.id)
            case Column.SLICES:
                return row.slices
            case Column.SCORE:
                return "-" if row.score is None else f"{row.score:.2f}"
            case Column.STATUS:
                return STATUS[row.status]
            case Column.CLASS:
                return self._class_name(row)
            case Column.LOCK:
                return "locked" if row.held.locked else ""
        return None

    def _words(self, row: ObjectRow, column: Column) -> str:
        match column:
            case Column.THUMBNAIL:
                return f"Object {row.held.id}: {row.held.pixels:,} pixels"
            case Column.LOCK:
                return "Locked" if row.held.locked else "Not locked"
            case Column.SCORE:
                return "Not scored by a model" if row.score is None else f"{row.score:.3f}"
        return self._text(row, column) or ""

    def _drawing(self, row: ObjectRow, column: Column) -> QIcon | None:
        if column is Column.THUMBNAIL and row.plane is not None:
            mask = row.held.sections[row.plane].mask
            return None if mask is None else self._thumbnails.of(row.held.id, row.plane, mask)
        if column is Column.ID and self._colour is not None and self._session is not None:
            label = row.held.class_id if self._session.semantic else row.held.id
            rgba = self._colour(label)
            return None if rgba is None else _swatch(tuple(map(float, rgba)))
        return None

    def _class_name(self, row: ObjectRow) -> str:
        classes = {} if self._session is None else self._session.classes
        name = classes.get(row.held.class_id, str(row.held.class_id))
        return f"{name} {row.held.certainty:.0%}" if row.held.is_suggested else name

    def _tell(self, first: int, last: int) -> None:
        self.dataChanged.emit(self.index(first, 0), self.index(last, len(Column) - 1))

    def _show_thumbnail(self, object_id: int) -> None:
        row = self.find(object_id)
        if row is not None:
            cell = self.index(row, Column.THUMBNAIL)
            self.dataChanged.emit(cell, cell, [Role.DecorationRole])


@lru_cache(maxsize=1024)
def _swatch(rgba: tuple[float, ...]) -> QIcon:
    square = QPixmap(SWATCH, SWATCH)
    square.fill(QColor.fromRgbF(*rgba))
    return icon(square)


class SortedObjects(QSortFilterProxyModel):
    """Proxy model that sorts the objects and filters them by status.

    Parameters
    ----------
    model : ObjectsModel
        All of them.
    """

    def __init__(self, model: ObjectsModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._only: Status | None = None
        self.setSourceModel(model)
        self.setDynamicSortFilter(True)

    def show_only(self, status: Status | None) -> None:
        """Filter by this status, or show all."""
        self._only = status
        self.invalidateFilter()

    def lessThan(self, left: QModelIndex, right: QModelIndex) -> bool:
        """Compare two cells of a column."""
        column = left.column()
        keys = (self._model.row(index.row()).keys[column] for index in (left, right))
        return next(keys) < next(keys)

    def filterAcceptsRow(self, row: int, parent: QModelIndex) -> bool:
        """Return whether a row passes the filter."""
        return self._only in (None, self._model.row(row).status)
