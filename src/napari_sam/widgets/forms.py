"""Forms, rows and labels as every tab lays them out."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFormLayout, QLabel, QToolButton, QWidget

__all__ = ["add_row", "new_fold", "new_form", "new_label"]


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
