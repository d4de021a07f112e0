"""A question with a button for each answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from napari_sam.widgets.common.forms import ASIDE, new_label

__all__ = ["QueryRow"]


class QueryRow(QWidget):
    """Text with buttons below it, made anew for each question."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.text = new_label("Question")
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.text.setStyleSheet(ASIDE)
        self.buttons: list[QPushButton] = []
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.text)
        self._row = QHBoxLayout()
        column.addLayout(self._row)
        self.hide()

    def show_query(
        self, text: str, answers: Sequence[tuple[str, str, Callable[[], object]]] = ()
    ) -> None:
        """Show a question and its (text, tip, call) answers; nothing if the text is empty."""
        for button in self.buttons:
            button.setParent(None)
            button.deleteLater()
        self.buttons = []
        for label, tip, call in answers:
            button = QPushButton(label)
            button.setToolTip(tip)
            button.clicked.connect(lambda _=False, call=call: call())
            self._row.addWidget(button)
            self.buttons.append(button)
        self.text.setText(text)
        self.setVisible(bool(text))
