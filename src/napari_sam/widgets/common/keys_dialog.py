"""Window with all keys of the panel, in which each can be changed."""

from __future__ import annotations

from napari.settings import get_settings
from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import (
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QKeySequenceEdit,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from napari_sam.errors import InputError
from napari_sam.widgets.common.forms import Scrolled, new_button, new_form, new_label
from napari_sam.widgets.common.keys import KEYS, NAMES

__all__ = ["KeysDialog", "taken_by_napari"]

GROUPS = {
    "The mask that is being drawn": (
        *("accept", "reject", "undo", "redo", "polarity", "box", "cycle"),
    ),
    "The objects in the list": (
        *("next_unsure", "accept_slice", "accept_object", "unclear", "pick", "open", "continue"),
        *("merge", "split", "cut", "join", "clean", "lock", "delete"),
    ),
    "Through the slices of a stack": (
        *("follow", "halves", "copy_next", "copy_previous", "interpolate", "absent", "ends"),
        *("missing_follow", "missing_copy", "missing_ends"),
    ),
}
OTHERS = "The panel"
MOUSE = {
    "Click": "Include this place",
    "Right click, or Alt + click": "Exclude this place",
    "Drag": "Draw a box, or the chosen shape",
    "Click on an accepted object": "Select it",
    "Double click on an accepted object": "Correct it",
    "Space + drag, or middle button": "Move the picture",
}
HOW = "Click on a key and press another one. Keys work in the whole window, but not in text fields."


class KeysDialog(QDialog):
    """All keys by what they do; a change is checked, saved and used at once."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys of napari-sam")
        self.fields = {action: _field(action) for action in KEYS}
        self.remark = new_label("What was said of the last change")
        self.remark.setMinimumHeight(3 * self.remark.fontMetrics().lineSpacing())
        self.remark.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.defaults = new_button("Default keys", "Give every key back what it was at first")
        self.defaults.clicked.connect(KEYS.reset)
        for action, field in self.fields.items():
            field.editingFinished.connect(lambda action=action: self._change(action))
        self._lay_out()
        KEYS.changed.connect(follow := self._show_keys)
        self.destroyed.connect(lambda: KEYS.changed.disconnect(follow))

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.addWidget(QLabel(HOW))
        inside = QWidget()
        form = new_form(inside)
        named = {action for group in GROUPS.values() for action in group}
        others = tuple(action for action in KEYS if action not in named)
        for title, actions in {**GROUPS, OTHERS: others}.items():
            form.addRow(QLabel(f"<b>{title}</b>"))
            for action in actions:
                form.addRow(NAMES[action], self.fields[action])
        form.addRow(QLabel("<b>The mouse, on the picture</b>"))
        for gesture, what in MOUSE.items():
            form.addRow(what, QLabel(gesture))
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.FieldsStayAtSizeHint)
        form.setContentsMargins(0, 0, 8, 0)
        layout.addWidget(Scrolled(inside), 1)
        layout.addWidget(self.remark)
        row = QHBoxLayout()
        row.addWidget(self.defaults)
        row.addStretch()
        close = new_button("Close", "All changes are saved already")
        close.clicked.connect(self.accept)
        row.addWidget(close)
        layout.addLayout(row)
        self.resize(460, 640)

    def _change(self, action: str) -> None:
        key = self.fields[action].keySequence().toString()
        if QKeySequence(key) == QKeySequence(KEYS[action]):
            return
        try:
            KEYS.change(action, key)
        except (InputError, OSError) as error:
            self.remark.setText(f"⚠ {error}.")
        else:
            napari = taken_by_napari(key)
            warning = f" It is napari's key for “{napari}”, too; here it goes first."
            self.remark.setText(f"{key}: {NAMES[action]}.{warning if napari else ''}")
        self._show_keys()

    def _show_keys(self) -> None:
        for action, field in self.fields.items():
            blocker = QSignalBlocker(field)
            field.setKeySequence(QKeySequence(KEYS[action]))
            blocker.unblock()


def taken_by_napari(key: str) -> str:
    """Return what napari does with a key in words, empty if nothing."""
    wanted = QKeySequence(key)
    for action, bindings in get_settings().shortcuts.shortcuts.items():
        if any(QKeySequence(str(one)) == wanted for one in bindings):
            return str(action).rpartition(":")[2].replace("_", " ")
    return ""


def _field(action: str) -> QKeySequenceEdit:
    field = QKeySequenceEdit(QKeySequence(KEYS[action]))
    field.setMaximumSequenceLength(1)
    field.setAccessibleName(f"Key for: {NAMES[action]}")
    field.setFixedWidth(130)
    return field
