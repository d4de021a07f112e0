"""The list of all saved work: open it again, or delete it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

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
from napari_sam.session.saved import Saved, all_saved, delete_saved, sessions_folder
from napari_sam.widgets.forms import new_label

__all__ = ["SavedWork"]

COLUMNS = "Picture", "Last change", "Objects", "Size"
NOTHING = "Nothing is saved yet: whatever you draw and accept will be, as you go."

Row = tuple[Saved, str, int]
"""A saved session, how many objects it has, and its size in bytes."""


class SavedWork(QDialog):
    """Shows what is saved; it is read in a thread of its own."""

    chosen = Signal(object)  # Saved
    _came = Signal(object)  # Future

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Saved work")
        self.resize(640, 360)
        self._closed = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="napari-sam saved work")
        self.text = new_label("Saved work")
        self.list = QTreeWidget()
        self.list.setHeaderLabels(COLUMNS)
        self.list.setRootIsDecorated(False)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setAccessibleName("Saved work")
        self.go_on = QPushButton("Continue")
        self.go_on.setToolTip("Open the picture, if it is where it was, and go on")
        self.delete = QPushButton("Delete…")
        self.delete.setToolTip("Delete the chosen work for good; label layers and files stay")
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
        self._came.connect(self._show)
        self.list.itemSelectionChanged.connect(self._follow)
        self.list.itemDoubleClicked.connect(self._choose)
        self.go_on.clicked.connect(self._choose)
        self.delete.clicked.connect(self._delete)
        close.clicked.connect(self.close)

    @property
    def selected(self) -> list[Saved]:
        """What is chosen in the list."""
        return [item.data(0, Qt.ItemDataRole.UserRole) for item in self.list.selectedItems()]

    def refresh(self) -> None:
        """Read what there is."""
        self.text.setText("Reading…")
        self._do(lambda: (_rows(), ""))

    def stop(self) -> None:
        """Read no more."""
        self._closed = True
        self._thread.shutdown(wait=False, cancel_futures=True)
        self.close()

    def _do(self, work: Callable[[], Any]) -> None:
        if not self._closed:
            self._thread.submit(work).add_done_callback(self._tell)

    def _tell(self, future: Future[Any]) -> None:  # in the thread
        if not self._closed and not future.cancelled():
            self._came.emit(future)

    def _show(self, future: Future[tuple[list[Row], str]]) -> None:
        self.list.clear()
        if error := future.exception():
            self.text.setText(f"⚠ {error}")
            return
        rows, problem = future.result()
        total = sum(size for _, _, size in rows) / 1e6
        there = f"{len(rows)} saved, {total:.1f} MB in {sessions_folder()}" if rows else NOTHING
        self.text.setText(problem or there)
        for saved, objects, size in rows:
            changed = f"{saved.changed:%Y-%m-%d %H:%M}"
            cells = saved.manifest.name, changed, objects, f"{size / 1e6:.1f} MB"
            item = QTreeWidgetItem(list(cells))
            item.setData(0, Qt.ItemDataRole.UserRole, saved)
            item.setToolTip(0, saved.manifest.source or "The picture was not opened from a file")
            self.list.addTopLevelItem(item)
        for index in range(len(COLUMNS)):
            self.list.resizeColumnToContents(index)
        self._follow()

    def _follow(self) -> None:
        self.go_on.setEnabled(len(self.selected) == 1)
        self.delete.setEnabled(bool(self.selected))

    def _choose(self) -> None:
        if len(self.selected) == 1:
            self.chosen.emit(self.selected[0])
            self.close()

    def _delete(self) -> None:
        doomed = self.selected
        names = ", ".join(saved.manifest.name for saved in doomed[:5])
        more = f" and {len(doomed) - 5} more" if len(doomed) > 5 else ""
        answer = QMessageBox.question(
            self,
            "Delete saved work",
            f"Delete the saved work on {names}{more} for good? It cannot be undone. "
            "Label layers, and files that you saved yourself, stay.",
        )
        if answer == QMessageBox.StandardButton.Yes:

            def work() -> tuple[list[Row], str]:
                problem = ""
                for saved in doomed:
                    try:
                        delete_saved(saved)
                    except SessionError as error:
                        problem = f"⚠ {error}"
                return _rows(), problem

            self._do(work)


def _rows() -> list[Row]:
    """Return what is saved, latest first."""
    rows = []
    for saved in all_saved(sessions_folder()):
        try:
            objects = "open now" if saved.is_open else str(saved.count())
        except SessionError:
            objects = "cannot be read"
        rows.append((saved, objects, saved.size))
    return rows
