"""Questions inside the panel: text that scrolls where there is little room, and buttons below."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QFrame, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from napari_sam.widgets.common.button_flow import ButtonFlow
from napari_sam.widgets.common.forms import ASIDE, new_label

__all__ = ["Asked", "QueryRow", "Question", "ScrolledText"]


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

    def show_query(
        self, text: str, answers: Sequence[tuple[str, str, Callable[[], object]]] = ()
    ) -> None:
        """Show a question and its (text, tip, call) answers; nothing if the text is empty."""
        for button in self.buttons:
            button.deleteLater()
        self.buttons = []
        for label, tip, call in answers:
            button = QPushButton(label)
            button.setToolTip(tip)
            button.clicked.connect(lambda _=False, call=call: call())
            self.buttons.append(button)
        self.flow.show_buttons(self.buttons)
        self.show_text(text)
