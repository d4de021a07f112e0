"""Dialog of all saved sessions, to open or delete them."""

from __future__ import annotations

import os
from concurrent.futures import Future
from typing import NamedTuple

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QMessageBox,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_sam.errors import SessionError
from napari_sam.session.disk.library import (
    Saved,
    Unreadable,
    all_saved,
    all_unreadable,
    delete_saved,
    sessions_folder,
)
from napari_sam.widgets.common.forms import new_button, new_label
from napari_sam.widgets.jobs.background import Background

__all__ = ["SavedWork"]

COLUMNS = "Picture", "Last change", "Objects", "Size"
UNREADABLE = "cannot be read"
NOTHING = "Nothing is saved yet: whatever you draw and accept will be, as you go."


class SavedRow(NamedTuple):
    """Row of the list; `reason` says why the session cannot be opened."""

    saved: Saved | Unreadable
    objects: str
    reason: str
    size: int  # bytes

    @property
    def name(self) -> str:
        """Name of the image; the folder's name if it is unknown."""
        manifest = self.saved.manifest
        return self.saved.path.name if manifest is None else manifest.name


class SavedWork(QDialog):
    """Dialog of saved sessions, which are read in a background thread."""

    chosen = Signal(object)  # Saved

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Saved work")
        self.resize(640, 360)
        self._summary = ""
        self._background = Background("saved work", self)
        self.text = new_label("Saved work")
        self.list = QTreeWidget()
        self.list.setHeaderLabels(COLUMNS)
        self.list.setRootIsDecorated(False)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setAccessibleName("Saved work")
        self.go_on = new_button("Continue", "Open the picture, if it is where it was, and go on")
        self.delete = new_button(
            "Delete…", "Delete the chosen work for good; label layers and files stay"
        )
        close = QPushButton("Close")
        column = QVBoxLayout(self)
        column.addWidget(self.text)
        column.addWidget(self.list, 1)
        row = QHBoxLayout()
        row.addWidget(self.go_on)
        row.addWidget(self.delete)
        row.addStretch()
        row.addWidget(close)
        column.addLayout(row)
        self.list.itemSelectionChanged.connect(self._follow)
        self.list.itemDoubleClicked.connect(self._choose)
        self.go_on.clicked.connect(self._choose)
        self.delete.clicked.connect(self._delete)
        close.clicked.connect(self.close)

    @property
    def selected(self) -> list[SavedRow]:
        """The selected session."""
        return [item.data(0, Qt.ItemDataRole.UserRole) for item in self.list.selectedItems()]

    def refresh(self) -> None:
        """Read the saved sessions again."""
        self.text.setText("Reading…")
        self._background.submit(lambda: (_rows(), ""), self._show)

    def stop(self) -> None:
        """Stop reading."""
        self._background.close()
        self.close()

    def _show(self, future: Future[tuple[list[SavedRow], str]]) -> None:
        self.list.clear()
        if error := future.exception():
            self._summary = f"⚠ {error}"
            self._follow()
            return
        rows, problem = future.result()
        total = sum(row.size for row in rows) / 1e6
        there = f"{len(rows)} saved, {total:.1f} MB in {sessions_folder()}" if rows else NOTHING
        self._summary = problem or there
        for row in rows:
            saved = row.saved
            changed = f"{saved.changed:%Y-%m-%d %H:%M}" if isinstance(saved, Saved) else ""
            item = QTreeWidgetItem([row.name, changed, row.objects, f"{row.size / 1e6:.1f} MB"])
            item.setData(0, Qt.ItemDataRole.UserRole, row)
            source = saved.manifest.source if saved.manifest is not None else str(saved.path)
            item.setToolTip(0, row.reason or source or "The picture was not opened from a file")
            item.setToolTip(2, row.reason)
            self.list.addTopLevelItem(item)
        for index in range(len(COLUMNS)):
            self.list.resizeColumnToContents(index)
        self._follow()

    def _follow(self) -> None:
        chosen = self.selected
        self.go_on.setEnabled(len(chosen) == 1 and isinstance(chosen[0].saved, Saved))
        self.delete.setEnabled(bool(chosen))
        reason = chosen[0].reason if len(chosen) == 1 else ""
        self.text.setText(f"⚠ {reason}." if reason else self._summary)

    def _choose(self) -> None:
        if self.go_on.isEnabled():
            self.chosen.emit(self.selected[0].saved)
            self.close()

    def _delete(self) -> None:
        doomed = self.selected
        names = ", ".join(row.name for row in doomed[:5])
        more = f" and {len(doomed) - 5} more" if len(doomed) > 5 else ""
        answer = QMessageBox.question(
            self,
            "Delete saved work",
            f"Delete the saved work on {names}{more} for good? It cannot be undone. "
            "Label layers, and files that you saved yourself, stay.",
        )
        if answer == QMessageBox.StandardButton.Yes:

            def work() -> tuple[list[SavedRow], str]:
                problem = ""
                for row in doomed:
                    try:
                        delete_saved(row.saved)
                    except SessionError as error:
                        problem = f"⚠ {error}"
                return _rows(), problem

            self._background.submit(work, self._show)


def _rows() -> list[SavedRow]:
    """Return what is saved, latest first, then what cannot be opened."""
    folder = sessions_folder()
    odd = [SavedRow(one, UNREADABLE, one.reason, one.size) for one in all_unreadable(folder)]
    return [*(_row(saved) for saved in all_saved(folder)), *odd]


def _row(saved: Saved) -> SavedRow:
    if problem := saved.obstacle:
        state = "open now" if os.access(saved.path, os.W_OK) else "read only"
        return SavedRow(saved, state, problem, saved.size)
    try:
        return SavedRow(saved, str(saved.count()), "", saved.size)
    except SessionError as error:
        return SavedRow(saved, UNREADABLE, str(error), saved.size)
