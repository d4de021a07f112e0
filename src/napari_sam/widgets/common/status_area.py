"""Area of fixed height for all that a tab says and asks."""

from __future__ import annotations

from qtpy.QtCore import QEvent, Qt
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QFrame, QStackedLayout, QVBoxLayout, QWidget

from napari_sam.widgets.common.forms import new_label, new_status
from napari_sam.widgets.common.questions import Asked, QueryRow, ScrolledText

__all__ = ["StatusArea"]

LINES = 8  # of text: a hint and a remark of three, or a question with two lines of buttons
MARGIN = 6  # pixels


class StatusArea(QFrame):
    """What to do next, what has happened, and the question that waits; none of it moves the rest.

    A question takes the place of the hint, and leaves a line for the remark. Text that is too long
    is scrolled; buttons are always in sight.

    Attributes
    ----------
    status : QLabel
        What to do next.
    remark : QLabel
        What has happened.
    query : QueryRow
        The question of the annotation.
    work : QLabel
        What is being waited for.
    """

    def __init__(self, lines: int = LINES, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.status = new_status()
        self.remark = new_label("Remark")
        self.remark.setTextFormat(Qt.TextFormat.PlainText)
        self.remark.hide()
        self.query = QueryRow()
        self.work = new_label("What is being done")
        self.work.hide()
        self._open: list[Asked] = []  # the last one is on show
        self._urgent: set[Asked] = set()
        self._pages: dict[Asked, QWidget] = {}
        self._said = ScrolledText(self.status, self.remark)
        self._column = column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self._said, 1)
        self._asked = QWidget()
        self._stack = QStackedLayout(self._asked)
        self._stack.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._asked, 3)
        self._lines = lines
        self.remark.installEventFilter(self)
        self.add_question(self.query)
        self.add_line(self.work)
        self._fit()
        self._show()

    def add_question(self, question: Asked, urgent: bool = False) -> None:
        """Show a question here while it is asked; an urgent one before all others, and alone."""
        if urgent:
            self._urgent.add(question)
        self._pages[question] = page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(question)
        self._stack.addWidget(page)
        question.asked.connect(lambda on: self._take(question, on))

    def add_line(self, widget: QWidget) -> None:
        """Add a widget that takes its height from the text while it is shown."""
        self._column.addWidget(widget)

    def show_work(self, text: str) -> None:
        """Show what is being waited for; nothing if it is empty."""
        self.work.setText(text)
        self.work.setVisible(bool(text))

    def changeEvent(self, event: QEvent | None) -> None:
        """Fit the height to the font, which a window's style may set."""
        super().changeEvent(event)
        if event is not None and event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._fit()

    def showEvent(self, event: QShowEvent | None) -> None:
        """Fit the height to the font, which a window's style may have set."""
        super().showEvent(event)
        self._fit()

    def show_remark(self, text: str) -> None:
        """Show what has happened; nothing if it is empty."""
        self.remark.setText(text)
        self.remark.setVisible(bool(text))

    def eventFilter(self, watched: object, event: QEvent | None) -> bool:
        """Leave a line for the remark beside a question, if there is one."""
        kinds = QEvent.Type.ShowToParent, QEvent.Type.HideToParent
        if watched is self.remark and event is not None and event.type() in kinds:
            self._show()
        return False

    def _fit(self) -> None:
        self.setFixedHeight(self._lines * self.status.fontMetrics().lineSpacing() + MARGIN)

    def _take(self, question: Asked, on: bool) -> None:
        if question in self._open:
            self._open.remove(question)
        if on:
            self._open.append(question)
        self._open.sort(key=self._urgent.__contains__)
        self._show()

    def _show(self) -> None:
        asks = bool(self._open)
        if asks:
            self._stack.setCurrentWidget(self._pages[self._open[-1]])
        self._asked.setVisible(asks)
        self.status.setVisible(not asks)
        alone = asks and self._open[-1] in self._urgent
        self._said.setVisible(not asks or not (alone or self.remark.isHidden()))
        self._said.setMaximumHeight(self._said.line if asks else self.maximumHeight())
