"""The question about channels, and the choice of what the model sees: widgets without logic."""

from __future__ import annotations

from qtpy.QtWidgets import QComboBox, QHBoxLayout, QWidget

from napari_sam.widgets.forms import add_row, new_form
from napari_sam.widgets.model_view import ModelView
from napari_sam.widgets.question import Question

__all__ = ["ChannelControls"]

COLOURS = {"Red": "#e03131", "Green": "#2f9e44", "Blue": "#1c7ed6"}


class ChannelControls(QWidget):
    """Rows for the options; the question stands elsewhere in the panel, where it is seen."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.question = Question("Channels", "Yes, channels", "No, it is a stack")
        self.yes, self.no = self.question.answers
        self.yes.setToolTip("One mask counts for all channels; the model sees them as colours")
        self.no.setToolTip("Each slice has masks of its own")
        self.axis = QComboBox()
        self.axis.setToolTip("Which axis holds the channels: masks do not go along it")
        self.sees = QComboBox()
        self.sees.setToolTip("What of the picture is handed to the model")
        self.colours = [QComboBox() for _ in COLOURS]
        self.mix = QWidget()
        self.view = ModelView()
        self._lay_out()

    def ask(self, question: str, note: str = "") -> None:
        """Show the question, or a note that needs no answer; two empty texts take both away."""
        self.question.ask(question or note)
        self.yes.setVisible(bool(question))
        self.no.setVisible(bool(question))

    def show_rows(self, axis: bool, sees: bool, mix: bool, view: bool) -> None:
        """Show only the rows that there is something to choose in."""
        shown = (self.axis, axis), (self.sees, sees), (self.mix, mix), (self.view, view)
        for field, on in shown:
            field.setVisible(on)
            self._form.labelForField(field).setVisible(on)  # type: ignore[union-attr]

    def _lay_out(self) -> None:
        row = QHBoxLayout(self.mix)
        row.setContentsMargins(0, 0, 0, 0)
        for box, (name, colour) in zip(self.colours, COLOURS.items(), strict=True):
            box.setAccessibleName(name)
            box.setToolTip(f"What the model sees as {name.lower()}")
            box.setStyleSheet(f"QComboBox {{ border-bottom: 2px solid {colour}; }}")
            box.setMinimumContentsLength(1)
            row.addWidget(box, 1)
        self._form = form = new_form(self)
        add_row(form, "C&hannels", self.axis)
        add_row(form, "Model &sees", self.sees)
        add_row(form, "As colours", self.mix, self.colours[0])
        self.colours[0].setAccessibleName(next(iter(COLOURS)))
        add_row(form, "Its view", self.view)
