"""View of what is done with an object slice by slice: the content of a drawer. No logic."""

from __future__ import annotations

from collections.abc import Mapping

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFrame, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_sam.widgets.common.button_flow import ButtonFlow
from napari_sam.widgets.common.forms import new_button
from napari_sam.widgets.common.keys import set_keyed_text

__all__ = ["ByHandControls"]

SELECTED = {
    "copy_previous": ("Copy back", "Copy the selected object's mask to the slice before"),
    "copy_next": ("Copy on", "Copy the selected object's mask to the next slice"),
    "interpolate": ("Fill between", "Fill the gap between two slices that it is accepted on"),
    "absent": ("Not on this slice", "The selected object is not on this slice alone"),
    "ends": ("Ends here", "This slice is its last one; what was found beyond goes"),
    "halves": (
        "Look in the middle",
        "Go to the slice that tells most of the object; again: it is right, and go on",
    ),
}
MISSING = {
    "missing_follow": ("Follow", "Follow the one that is framed in the strip from here on"),
    "missing_copy": ("Copy", "Copy its mask to this slice; accept it here if it is new"),
    "missing_ends": ("Ends", "It ends before this slice; no object if it is new"),
}


class ByHandControls(QFrame):
    """Buttons for the selected object, and for what is missing on the slice in view.

    Attributes
    ----------
    buttons : dict of str to QPushButton
        By the names of their keys.
    sides : QPushButton
        Opens the side view, or closes it.
    wanted : Signal(str)
        Emitted with the name of an action.
    """

    wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self.buttons: dict[str, QPushButton] = {}
        self._add(layout, "The selected object", SELECTED)
        self._add(layout, "What is missing here, or new", MISSING)
        layout.addWidget(QLabel("Across the slices"))
        self.sides = new_button(
            "Side view", "Show the two planes through the place clicked on last; they take clicks"
        )
        flow = ButtonFlow()
        flow.show_buttons([self.sides])
        layout.addWidget(flow)

    def _add(self, layout: QVBoxLayout, title: str, actions: Mapping[str, tuple[str, str]]) -> None:
        layout.addWidget(QLabel(title))
        made = {name: self._button(name, *texts) for name, texts in actions.items()}
        flow = ButtonFlow()
        flow.show_buttons(made.values())
        layout.addWidget(flow)
        self.buttons |= made

    def _button(self, name: str, text: str, tip: str) -> QPushButton:
        button = new_button("", tip)
        set_keyed_text(button, text, name)
        button.clicked.connect(lambda: self.wanted.emit(name))
        return button
