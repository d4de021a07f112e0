"""A question with its answers as buttons, hidden until it is asked."""

from __future__ import annotations

from qtpy.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from napari_sam.widgets.forms import ASIDE, new_label

__all__ = ["Question"]


class Question(QFrame):
    """Asks in the panel, where it holds nobody up.

    Parameters
    ----------
    name : str
        For screen readers.
    answers : str
        A button for each.
    """

    def __init__(self, name: str, *answers: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.text = new_label(name)
        self.text.setStyleSheet(ASIDE)
        self.answers = [QPushButton(answer) for answer in answers]
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.text)
        row = QHBoxLayout()
        column.addLayout(row)
        for button in self.answers:
            row.addWidget(button)
        self.hide()

    def ask(self, text: str) -> None:
        """Show the question; an empty text takes it away."""
        self.text.setText(text)
        self.setVisible(bool(text))
