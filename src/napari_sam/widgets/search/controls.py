"""Widgets shared by the tabs that search a slice."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFrame, QProgressBar, QPushButton, QVBoxLayout, QWidget

from napari_sam.widgets.common.forms import in_a_row, in_place, new_button
from napari_sam.widgets.common.status_area import StatusArea
from napari_sam.widgets.common.style import primary

__all__ = ["SearchControls"]


class SearchControls(QWidget):
    """Base class of the views: search options, status, and actions on the proposals.

    Parameters
    ----------
    title, stops, proposes : str
        Text of the button that starts; tips of those that cancel and put into the list.

    Attributes
    ----------
    tuning : QFrame
        Shown as soon as something is found; the tab fills its `column`.
    show_wanted : Signal()
        Emitted when the tab should come to the front.
    """

    show_wanted = Signal()

    def __init__(self, title: str, stops: str, proposes: str) -> None:
        super().__init__()
        self.start = new_button(title, "On the slice in view; nothing is written yet")
        self.start.setStyleSheet(primary())
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(6)
        self.bar.setAccessibleName("How far the search is")
        self.cancel = new_button("Cancel", stops)
        self.area = StatusArea()
        self.status, self.remark = self.area.status, self.area.remark
        self.propose = new_button("Put into the list to review", proposes)
        self.propose.setStyleSheet(primary(4))
        self.accept = new_button(
            "Accept all", "Write all that is kept into the labels, as one step"
        )
        self.forget = new_button("Forget these", "Take the preview away; no label changes")
        self.undo = new_button("Take all of it back", "Undo this step, all objects at once")
        self.tuning = QFrame()
        self.column = QVBoxLayout(self.tuning)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(6, 6, 6, 6)
        self.body.setSpacing(8)

    def show_work(self, busy: bool) -> None:
        """Switch between the widgets of a running search and the idle ones."""
        self.bar.setVisible(busy)
        self.cancel.setVisible(busy)
        self.start.setVisible(not busy)

    def show_nothing(self, why: str) -> None:
        """Show that there is no image to search."""
        self.start.setEnabled(False)
        self.tuning.hide()
        self.undo.hide()
        self.status.setText(why)

    def show_remark(self, text: str) -> None:
        """Show the remark of a shortcut; hide it if empty."""
        self.area.show_remark(text)

    def show_start(self, text: str) -> None:
        """Show that work of unknown length begins."""
        self.show_work(True)
        self.show_progress(text, 0, 0)

    def show_progress(self, text: str, done: int, total: int) -> None:
        """Show the progress; a total of 0 means unknown."""
        self.bar.setRange(0, total)
        self.bar.setValue(done)
        self.status.setText(text)

    def add_search(self) -> None:
        """Add the search button, in its place the progress and Cancel, and what is said."""
        work = QWidget()
        in_a_row(self.bar, self.cancel, parent=work)
        self.body.addWidget(in_place(self.start, work))
        self.body.addWidget(self.area)

    def add_outcome(self, *more: QPushButton) -> None:
        """Add the widgets for the proposals, hidden at first, with these buttons below."""
        for widget in (self.tuning, self.undo, *more):
            self.body.addWidget(widget)
            widget.hide()
        self.body.addStretch()
