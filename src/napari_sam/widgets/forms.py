"""Forms, rows and labels as every tab lays them out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLayout,
    QPushButton,
    QToolButton,
    QWidget,
)

__all__ = [
    "add_row",
    "in_a_row",
    "new_button",
    "new_choice",
    "new_fold",
    "new_form",
    "new_label",
    "new_status",
]


def new_form(parent: QWidget | None = None) -> QFormLayout:
    """Return a form without margins whose fields are as wide as they may."""
    form = QFormLayout(parent) if parent is not None else QFormLayout()
    form.setContentsMargins(0, 0, 0, 0)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    return form


def add_row(form: QFormLayout, text: str, field: QWidget, buddy: QWidget | None = None) -> None:
    """Add a field under a label whose letter after "&" moves the keyboard to `buddy`."""
    label = QLabel(text)
    label.setBuddy(buddy or field)
    (buddy or field).setAccessibleName(text.replace("&", ""))
    form.addRow(label, field)


def new_label(name: str) -> QLabel:
    """Return an empty label that breaks lines; `name` is for screen readers."""
    label = QLabel()
    label.setWordWrap(True)
    label.setAccessibleName(name)
    return label


def new_status(lines: int = 0) -> QLabel:
    """Return the label that says what to do next, with room for so many lines."""
    status = new_label("What to do next")
    status.setTextFormat(Qt.TextFormat.PlainText)
    status.setStyleSheet("border-left: 3px solid #4c6ef5; padding: 4px 0px 4px 8px;")
    if lines:  # what is below must not move while a handle is dragged
        status.setMinimumHeight(lines * status.fontMetrics().lineSpacing() + 8)
    return status


def new_button(text: str, tip: str) -> QPushButton:
    """Return a button with a hint."""
    button = QPushButton(text)
    button.setToolTip(tip)
    return button


def new_choice(entries: Mapping[Any, str], tip: str) -> QComboBox:
    """Return a list to choose from, with a hint; `entries` are its data and texts."""
    box = QComboBox()
    for name, text in entries.items():
        box.addItem(text, name)
    box.setToolTip(tip)
    return box


def in_a_row(*widgets: QWidget, parent: QWidget | None = None) -> QLayout:
    """Return a layout without margins with widgets side by side."""
    row = QHBoxLayout(parent) if parent is not None else QHBoxLayout()
    row.setContentsMargins(0, 0, 0, 0)
    for widget in widgets:
        row.addWidget(widget)
    return row


def new_fold(text: str, folded: QWidget) -> QToolButton:
    """Return a button that shows and hides a widget, which is hidden at first."""
    fold = QToolButton()
    fold.setText(text)
    fold.setCheckable(True)
    fold.setArrowType(Qt.ArrowType.RightArrow)
    fold.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    folded.hide()
    fold.toggled.connect(folded.setVisible)
    fold.toggled.connect(
        lambda on: fold.setArrowType(Qt.ArrowType.DownArrow if on else Qt.ArrowType.RightArrow)
    )
    return fold
