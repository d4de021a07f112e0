"""Questions inside the panel: text that scrolls where there is little room, and buttons below."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from qtpy.QtCore import QEvent, QSize, Qt, Signal
from qtpy.QtGui import QColor, QIcon
from qtpy.QtWidgets import QFrame, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from napari_sam.widgets.common.button_flow import ButtonFlow
from napari_sam.widgets.common.forms import ASIDE, new_label

__all__ = ["PICTURE", "Asked", "Draw", "QueryRow", "Question", "ScrolledText"]

PICTURE = 24, 16  # width and height of the drawing on an answer, in pixels
Draw = Callable[[QColor], QIcon]
"""Draws a picture of words in a colour, that of the text beside it."""


class ScrolledText(QScrollArea):
    """Labels below each other that scroll when they are too high.

    Attributes
    ----------
    line : int
        Height of a line of text, in pixels.
    """

    def __init__(self, *labels: QLabel) -> None:
        super().__init__()
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        for label in labels:
            column.addWidget(label)
        column.addStretch()
        self.setWidget(inner)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the text is said by a screen reader
        self.line = self.fontMetrics().lineSpacing() + 4
        self.setMinimumHeight(self.line)


class Asked(QFrame):
    """Text and the buttons of its answers; hidden while nothing is asked.

    Attributes
    ----------
    asked : Signal(bool)
        Emitted when it is shown or hidden.
    """

    asked = Signal(bool)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.text = new_label(name)
        self.text.setStyleSheet(ASIDE)
        self.flow = ButtonFlow()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(ScrolledText(self.text), 1)
        column.addWidget(self.flow)
        self.hide()

    def show_text(self, text: str) -> None:
        """Show the text; hide all if it is empty."""
        self.text.setText(text)
        self.text.setToolTip(text)
        self.setVisible(bool(text))
        self.asked.emit(bool(text))


class Question(Asked):
    """Question whose answers are always the same.

    Parameters
    ----------
    name : str
        For screen readers.
    answers : str
        A button for each.
    """

    def __init__(self, name: str, *answers: str, parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self.answers = [QPushButton(answer) for answer in answers]
        self.flow.show_buttons(self.answers)

    def ask(self, text: str) -> None:
        """Show the question; hide it if the text is empty."""
        self.show_text(text)


class QueryRow(Asked):
    """Text with buttons below it, made anew for each question."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Question", parent)
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.buttons: list[QPushButton] = []
        self._drawn: list[Draw | None] = []  # on the buttons

    def show_query(
        self,
        text: str,
        answers: Sequence[tuple[str, str, Callable[[], object], Draw | None]] = (),
    ) -> None:
        """Show a question and its (text, tip, call, draw) answers; nothing if the text is empty."""
        for button in self.buttons:
            button.deleteLater()
        self.buttons = []
        self._drawn = [draw for *_, draw in answers]
        for label, tip, call, _ in answers:
            button = QPushButton(label, self.flow)  # in whose style it is
            button.setToolTip(tip)
            button.clicked.connect(lambda _=False, call=call: call())
            self.buttons.append(button)
        self._draw()
        self.flow.show_buttons(self.buttons)
        self.show_text(text)

    def changeEvent(self, event: QEvent | None) -> None:
        """Draw anew in the colour of another theme."""
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.StyleChange:
            self._draw()

    def _draw(self) -> None:
        for button, draw in zip(self.buttons, self._drawn, strict=True):
            if draw is not None:
                button.ensurePolished()
                button.setIconSize(QSize(*PICTURE))
                button.setIcon(draw(button.palette().buttonText().color()))
