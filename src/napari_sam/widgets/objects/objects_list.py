"""View of the object list: table, selection and action buttons."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from qtpy.QtCore import QItemSelectionModel, QSignalBlocker, QSize, Qt, Signal
from qtpy.QtGui import QAction, QCursor, QKeySequence, QShowEvent
from qtpy.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFrame,
    QHeaderView,
    QLineEdit,
    QMenu,
    QPushButton,
    QScrollArea,
    QShortcut,
    QSizePolicy,
    QStackedLayout,
    QTableView,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_sam.session.objects import Status
from napari_sam.session.session import Session
from napari_sam.widgets.common.forms import (
    add_row,
    in_a_row,
    new_button,
    new_form,
    new_label,
)
from napari_sam.widgets.common.keys import set_keyed_text
from napari_sam.widgets.common.style import COMPACT
from napari_sam.widgets.common.timers import new_timer
from napari_sam.widgets.jobs.thumbnails import SIDE, ObjectThumbnails
from napari_sam.widgets.objects.objects_model import (
    STATUS,
    Colour,
    Column,
    ObjectsModel,
    SortedObjects,
)

__all__ = ["ClassOptions", "ObjectsList"]

WIDTHS = {
    Column.ID: 42,
    Column.THUMBNAIL: SIDE + 6,
    Column.SLICES: 46,
    Column.SCORE: 48,
    Column.STATUS: 76,
    Column.CLASS: 60,
    Column.LOCK: 32,
}
BUTTONS = {
    "next_unsure": ("Next unsure", "Go to the next slice that nobody has accepted"),
    "accept_slice": ("Accept slice", "Accept the selected objects on this slice, and go on"),
    "open": ("Correct", "Open the object again, with its prompts on this slice, to change it"),
    "delete": ("Delete", "Take the selected objects away; Undo brings them back"),
}
MENU = {  # below the class's menu, which comes first
    "alike": (
        "Find more like these",
        "Search the slice for objects like the selected ones, which are examples",
    ),
    "suggest": (
        "Suggest classes by example",
        "Name a few objects of each class; the others get a suggestion, and how certain it is",
    ),
    "unclear": ("Unclear", "Mark the selected objects on this slice as unclear, and go on"),
    "continue": ("Continue here", "Draw the object's next mask, on whatever slice you like"),
    "accept_object": ("Accept on all slices", "Accept the selected objects as a whole"),
    "pick": ("Select what is below the mouse", "Select the object that the mouse points to"),
    "merge": ("Merge", "Make the selected objects one; the lowest number stays"),
    "split": ("Split into its parts", "Make every part but the largest an object of its own"),
    "cut": ("Cut by a stroke", "Draw across an object, or click in each of its parts"),
    "join": ("Join by a stroke", "Draw from one object into another one"),
    "clean": ("Clean…", "Fill holes, drop specks, smooth, grow or shrink; seen before it is done"),
    "lock": ("Lock or unlock", "Keep the selected objects from being changed, or allow it"),
    "look": (
        "Labels filled, outlined, hidden",
        "Show all labels filled, as outlines, or not at all",
    ),
}
EMPTY = "Accepted masks are listed here."
FILTER = 120  # pixels
ROWS = 3  # that are in sight in the lowest window


class ObjectsList(QWidget):
    """Table of all objects with its action buttons; an empty page while there are none.

    Attributes
    ----------
    classes : ClassOptions
        What can be chosen for all objects; it is shown elsewhere.
    heading : QLabel
        How many objects there are.
    frame, empty : QWidget
        Shown while there are objects, and while there are none.
    hint : QLabel
        The first steps, on the empty page.
    wanted : Signal(str)
        Emitted with the name of an action, see `BUTTONS` and `MENU`.
    class_wanted : Signal(int)
        Emitted with the class that the selected objects should have.
    chosen : Signal(int)
        Emitted with the one object that the user has selected.
    selection_changed : Signal()
        Emitted when other objects are selected, whoever did it.
    """

    wanted = Signal(str)
    class_wanted = Signal(int)
    chosen = Signal(int)
    selection_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.thumbnails = ObjectThumbnails(self)
        self.classes = ClassOptions()
        self.model = ObjectsModel(self.thumbnails, self)
        self.sorted = SortedObjects(self.model, self)
        self._classes: Mapping[int, str] | None = None
        self._by_user = True
        self.heading = new_label("Number of objects")
        self.hint = new_label("First steps")
        self.show_only = QComboBox()
        self.show_only.addItem("All", None)
        for status, text in STATUS.items():
            self.show_only.addItem(text, status)
        self.show_only.setAccessibleName("Show only objects that are")
        self.show_only.setFixedWidth(FILTER)  # its style comes when it is shown only
        self.show_only.currentIndexChanged.connect(self._filter)
        self._selection = QItemSelectionModel(self.sorted, self)
        self._selection.selectionChanged.connect(lambda *_: self._select())
        self.table = self._table()
        self.buttons = {name: self._button(name, *words) for name, words in BUTTONS.items()}
        self.menu = self._menu()
        self.look = self._look()
        self._styled = new_timer(0, self._measure, self)
        self._lay_out()
        self.show_session(None)

    @property
    def selected(self) -> list[int]:
        """Ids of the selected objects, in order."""
        rows = self._selection.selectedRows()
        return sorted(self.model.row(self.sorted.mapToSource(row).row()).held.id for row in rows)

    def showEvent(self, event: QShowEvent | None) -> None:
        """Measure anew: what is hidden was measured before it had the window's style."""
        super().showEvent(event)
        self._styled.start()

    def _measure(self) -> None:
        layout = self.layout()
        assert layout is not None
        layout.invalidate()
        self.updateGeometry()

    def show_session(self, session: Session | None, colour: Colour | None = None) -> None:
        """Show the objects of a session."""
        with self._on_our_own():
            self.model.show_session(session, colour)
        self.show_classes({} if session is None else session.classes)
        self.count()

    def refresh(self, ids: Iterable[int]) -> None:
        """Update the rows of these objects."""
        with self._on_our_own():
            self.model.refresh(ids)
        self.count()

    def show_classes(self, classes: Mapping[int, str]) -> None:
        """Update the class names."""
        if classes != self._classes:
            self._classes = dict(classes)
            self.model.refresh_words()
            self.table.setColumnHidden(Column.CLASS, len(classes) < 2)

    def select(self, object_id: int) -> None:
        """Select one object; clear the status filter if it hides the object."""
        row = self.model.find(object_id)
        if row is None:
            return
        index = self.sorted.mapFromSource(self.model.index(row, 0))
        if not index.isValid():
            self.show_only.setCurrentIndex(0)
            index = self.sorted.mapFromSource(self.model.index(row, 0))
        flags = QItemSelectionModel.SelectionFlag
        with self._on_our_own():
            self._selection.setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)
        self.table.scrollTo(index)

    def count(self) -> None:
        """Show the number of objects, and of unsure ones."""
        count = self.model.rowCount()
        rows = (self.model.row(at) for at in range(count))
        unsure = sum(row.status is not Status.ACCEPTED for row in rows)
        text = f"Objects ({count}, {unsure} unsure)" if unsure else f"Objects ({count})"
        self.heading.setText(text)
        self._pages.setCurrentWidget(self.frame if count else self.empty)
        policy = QSizePolicy.Policy  # what nobody sees needs no room
        self.frame.setSizePolicy(policy.Preferred if count else policy.Ignored, policy.Preferred)
        for one in (self.show_only, self.look):
            one.setVisible(count > 0)

    @contextmanager
    def _on_our_own(self) -> Iterator[None]:
        """Suppress the signal `chosen` while the selection is changed by code."""
        self._by_user = False
        try:
            yield
        finally:
            self._by_user = True

    def _filter(self) -> None:
        with self._on_our_own():
            self.sorted.show_only(self.show_only.currentData())

    def _select(self) -> None:
        self.selection_changed.emit()
        selected = self.selected
        if self._by_user and len(selected) == 1:
            self.chosen.emit(selected[0])

    def _table(self) -> QTableView:
        table = QTableView()
        table.setModel(self.sorted)
        table.setSelectionModel(self._selection)
        table.setAccessibleName("Objects")
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        table.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        table.setTabKeyNavigation(False)
        table.setShowGrid(False)
        table.setWordWrap(False)
        table.setIconSize(QSize(SIDE, SIDE))
        rows, head = (QHeaderView(way, table) for way in reversed(Qt.Orientation))
        table.setVerticalHeader(rows)
        table.setHorizontalHeader(head)
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(SIDE + 2)
        head.setSectionsClickable(True)
        table.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        table.setMinimumHeight(ROWS * (SIDE + 2) + head.sizeHint().height())
        for column, width in WIDTHS.items():
            table.setColumnWidth(column, width)
        head.setSectionResizeMode(Column.STATUS, QHeaderView.ResizeMode.Stretch)
        table.setSortingEnabled(True)
        table.sortByColumn(Column.STATUS, Qt.SortOrder.AscendingOrder)
        table.doubleClicked.connect(lambda _: self.wanted.emit("open"))
        table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        table.customContextMenuRequested.connect(lambda _: self.menu.popup(QCursor.pos()))
        delete = QShortcut(QKeySequence(QKeySequence.StandardKey.Delete), table)
        delete.setContext(Qt.ShortcutContext.WidgetShortcut)
        delete.activated.connect(lambda: self.wanted.emit("delete"))
        return table

    def _button(self, name: str, text: str, tip: str) -> QPushButton:
        button = new_button("", tip)
        set_keyed_text(button, text, name)
        button.setStyleSheet(COMPACT)
        button.setAccessibleName(text)
        button.clicked.connect(lambda: self.wanted.emit(name))
        return button

    def _menu(self) -> QMenu:
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        self.class_menu = QMenu("Class", menu)
        self.class_menu.aboutToShow.connect(self._offer_classes)
        menu.addMenu(self.class_menu)
        for name, (text, tip) in (MENU | BUTTONS).items():
            if name in BUTTONS and name != "delete":
                continue
            action = QAction(menu)
            set_keyed_text(action, text, name)
            action.setToolTip(tip)
            action.triggered.connect(lambda _, name=name: self.wanted.emit(name))
            menu.addAction(action)
        return menu

    def _offer_classes(self) -> None:
        self.class_menu.clear()
        for number, name in (self._classes or {}).items():
            action = QAction(name, self.class_menu)
            action.triggered.connect(lambda _, number=number: self.class_wanted.emit(number))
            self.class_menu.addAction(action)

    def _look(self) -> QToolButton:
        text, tip = MENU["look"]
        button = QToolButton()
        button.setText("◐")
        button.setAccessibleName(text)
        button.setToolTip(f"{tip}; its key stands under More")
        button.clicked.connect(lambda: self.wanted.emit("look"))
        return button

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(top := in_a_row(self.heading, self.look, self.show_only))
        for one in (self.look, self.show_only):  # they come with the first object
            steady = one.sizePolicy()
            steady.setRetainSizeWhenHidden(True)
            one.setSizePolicy(steady)
        top.setStretch(0, 1)
        self.frame = QFrame()
        column = QVBoxLayout(self.frame)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        more = new_button(
            "More", "Class, unclear, continue, merge, split, cut, clean, lock, and others"
        )
        more.setMenu(self.menu)
        b = self.buttons
        rows = (b["next_unsure"], b["accept_slice"], more), (b["open"], b["delete"])
        for widgets in rows:
            column.addLayout(row := in_a_row(*widgets))
            for place in range(row.count()):
                row.setStretch(place, 1)
        column.addWidget(self.table, 1)
        steps = QWidget()
        self._pages = QStackedLayout()
        self._pages.addWidget(self.frame)
        self.empty = QScrollArea()  # a low window need not hold all of it
        self.empty.setWidget(steps)
        self.empty.setWidgetResizable(True)
        self.empty.setFrameShape(QFrame.Shape.NoFrame)
        self.empty.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        self._pages.addWidget(self.empty)
        layout.addLayout(self._pages, 1)
        below = QVBoxLayout(steps)
        below.setContentsMargins(0, 4, 0, 0)
        listed = new_label("No objects")
        listed.setText(EMPTY)
        below.addWidget(self.hint)
        below.addWidget(listed)
        below.addStretch()


class ClassOptions(QWidget):
    """Class options of a session; `wanted` emits them as `Session.configure` takes them."""

    wanted = Signal(bool, object, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._numbers: list[int] = [1]
        self._shown: object = None
        self.holds = QComboBox()
        self.holds.addItem("A number per object", False)
        self.holds.addItem("A number per class", True)
        self.holds.setToolTip("What the Labels layer shows; the objects stay what they are")
        self.names = QLineEdit()
        self.names.setToolTip("Names separated by commas; the first is class 1")
        self.new = QComboBox()
        self.new.setToolTip("The class that the next new object gets")
        form = new_form(self)
        add_row(form, "&Labels hold", self.holds)
        add_row(form, "Cl&asses", self.names)
        add_row(form, "New o&bjects", self.new)
        self.holds.currentIndexChanged.connect(self._tell)
        self.names.editingFinished.connect(self._tell)
        self.new.currentIndexChanged.connect(self._tell)

    def show_session(self, session: Session | None, anew: bool = False) -> None:
        """Show the configuration of a session; if `anew`, even when it is unchanged."""
        self.setEnabled(session is not None)
        if session is None:
            return
        how = session, session.semantic, dict(session.classes), session.new_class
        if how == self._shown and not anew:
            return
        self._shown = how
        blockers = [QSignalBlocker(widget) for widget in (self.holds, self.names, self.new)]
        self.holds.setCurrentIndex(int(session.semantic))
        self._numbers = sorted(session.classes)
        self.names.setText(", ".join(session.classes[number] for number in self._numbers))
        self.new.clear()
        for number in self._numbers:
            self.new.addItem(session.classes[number], number)
        self.new.setCurrentIndex(self._numbers.index(session.new_class))
        for blocker in blockers:
            blocker.unblock()

    def _tell(self) -> None:
        self.wanted.emit(self.holds.currentData(), self._classes(), self.new.currentData())

    def _classes(self) -> Mapping[int, str]:
        """Keep the numbers of those that were there; a new name gets the next one."""
        names = [name.strip() for name in self.names.text().split(",") if name.strip()]
        more = range(max(self._numbers) + 1, max(self._numbers) + 1 + len(names))
        return dict(zip([*self._numbers, *more], names, strict=False))
