"""Strip above the tabs while a queue is open: which picture, and what is left."""

from __future__ import annotations

from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QAction
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_sam.session.queue.outlook import advice
from napari_sam.session.queue.queue import Queue, State
from napari_sam.widgets.common.forms import in_a_row, in_place, new_button
from napari_sam.widgets.common.keys import set_keyed_text
from napari_sam.widgets.common.style import COMPACT
from napari_sam.widgets.common.wording import duration

__all__ = ["QueueStrip", "counts_text"]

FINISHED = "All {} pictures are done."
ALIKE_TIP = "What is like the examples that Auto compares with now, at the similarity that is set"


class QueueStrip(QWidget):
    """Row with the place in the queue and its buttons, and a line with what is left.

    Attributes
    ----------
    previous, next, done : QPushButton
        Go to the picture before, to the next one, and on to what is not done.
    more : QPushButton
        Opens the menu of what is rarer.
    cancel : QPushButton
        Ends the search of the other pictures.
    actions_of : dict of str to QAction
        The menu: ``"name"``, ``"worst"``, ``"fill"``, ``"alike"``,
        ``"methods"``, ``"close"``.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = _Elided("Place in the queue")
        self.previous = _button("◀", "Previous picture")
        self.next = _button("▶", "Next picture")
        self.done = new_button("", "This picture is done; go on with the next that is not")
        self.done.setStyleSheet(COMPACT)
        self.done.setAccessibleName("Picture done")
        self.more = new_button("Queue", "Order, search in the rest, methods, end of the queue")
        self.more.setStyleSheet("QPushButton { padding: 3px 18px 3px 6px; }")  # and a menu's arrow
        self.line = _Elided("What is left of the queue")
        self.cancel = new_button("Cancel", "Stop the search; what was found so far is kept")
        self.cancel.setStyleSheet(COMPACT)
        menu = QMenu(self)
        texts = {
            "name": "Order by name",
            "worst": "Most corrections first (searches what is not known yet)",
            "fill": "Fill in the rest with Auto",
            "alike": "Find more like these in the rest",
            "methods": "Methods and effort…",
            "close": "Close the queue",
        }
        self.actions_of = {name: QAction(text, self) for name, text in texts.items()}
        for name in ("name", "worst"):
            self.actions_of[name].setCheckable(True)
        for name, action in self.actions_of.items():
            if name in ("fill", "close"):
                menu.addSeparator()
            menu.addAction(action)
        self.actions_of["alike"].setToolTip(ALIKE_TIP)
        menu.setToolTipsVisible(True)
        self.more.setMenu(menu)
        self._lay_out()
        self.show_work("")
        self.hide()

    def show_queue(self, queue: Queue) -> None:
        """Show the place of the open picture, and what is left."""
        entry, number = queue.current, queue.at + 1
        self.title.show_text(
            f"Picture {number} of {len(queue)}", f"{entry.path}\n{entry.state.value}"
        )
        self.previous.setEnabled(queue.at > 0)
        self.next.setEnabled(number < len(queue))
        is_done = entry.state is State.DONE
        set_keyed_text(self.done, "Not done" if is_done else "Done", "picture_done")
        counts = queue.counts()
        said, note = counts_text(counts, queue.seconds_left()), entry.note
        if (told := advice(queue.entries)) is not None:
            said, note = f"{counts[State.DONE]} done · {told[0]}", f"{said}\n{told[1]}\n{note}"
        self.line.show_text(said, note.strip())
        self.setVisible(True)

    def show_order(self, worst_first: bool) -> None:
        """Tick the order in the menu."""
        self.actions_of["name"].setChecked(not worst_first)
        self.actions_of["worst"].setChecked(worst_first)

    def show_work(self, text: str) -> None:
        """Show how far a search is, with a button to cancel it; empty text: there is none."""
        self._work.show_text(text, text)
        for widget in (self._work, self.cancel):
            widget.setVisible(bool(text))
        self.line.setVisible(not text)

    def say(self, text: str) -> None:
        """Show a sentence in place of the counts, until the next change."""
        self.line.show_text(text, text)

    def _lay_out(self) -> None:
        self._work = _Elided("Search of the queue")
        row = in_a_row(self.previous, self.title, self.next, self.done)
        row.setStretch(1, 1)
        work = QWidget()
        beside = QHBoxLayout(work)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.addWidget(self._work, 1)
        beside.addWidget(self.cancel)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 0, 6, 0)
        column.setSpacing(2)
        column.addLayout(row)
        below = in_a_row(in_place(self.line, work), self.more)
        below.setStretch(0, 1)
        column.addLayout(below)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)


class _Elided(QLabel):
    """Label of one line that may be narrower than its text, which its tooltip has whole."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def show_text(self, text: str, tip: str = "") -> None:
        self.setText(text)
        self.setToolTip("\n".join(dict.fromkeys(filter(None, (text, tip)))))

    def minimumSizeHint(self) -> QSize:
        return QSize(0, super().minimumSizeHint().height())


def _button(text: str, name: str) -> QPushButton:
    button = new_button(text, name)
    button.setStyleSheet(COMPACT)
    button.setAccessibleName(name)
    button.setFixedWidth(button.fontMetrics().horizontalAdvance(text) + 18)
    return button


def counts_text(counts: dict[State, int], seconds_left: float | None) -> str:
    """Return how many pictures are in each state, and about how long the rest takes.

    Examples
    --------
    >>> counts_text({State.DONE: 12, State.STARTED: 1, State.FILLED: 0, State.TODO: 27}, 1500)
    '12 done · 1 started · 27 to do · about 25 min left'
    >>> counts_text({State.DONE: 3, State.TODO: 0}, 0)
    'All 3 pictures are done.'
    """
    done, every = counts[State.DONE], sum(counts.values())
    if done == every:
        return FINISHED.format(every)
    states = State.DONE, State.STARTED, State.FILLED, State.TODO
    said = [f"{counts[one]} {one.value}" for one in states if counts.get(one)]
    if seconds_left:
        said.append(f"about {duration(seconds_left)} left")
    return " · ".join(said)
