"""Layout helpers: forms, rows, labels and buttons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from qtpy.QtCore import QEvent, QObject, QSize, Qt
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QFormLayout,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QSlider,
    QWidget,
)

__all__ = [
    "ASIDE",
    "Scrolled",
    "add_row",
    "in_a_row",
    "in_place",
    "narrow",
    "new_button",
    "new_choice",
    "new_form",
    "new_label",
    "new_status",
]

COMFORTABLE = 380  # pixels
ASIDE = "border-left: 3px solid #f08c00; padding: 2px 0px 2px 8px;"  # asks or warns
TURNED = QComboBox, QAbstractSpinBox, QSlider  # by the wheel


def new_form(parent: QWidget | None = None) -> QFormLayout:
    """Return a form layout without margins whose fields expand."""
    form = QFormLayout(parent) if parent is not None else QFormLayout()
    form.setContentsMargins(0, 0, 0, 0)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    return form


def add_row(form: QFormLayout, text: str, field: QWidget, buddy: QWidget | None = None) -> None:
    """Add a field with a label whose "&" mnemonic moves the focus to `buddy`."""
    label = QLabel(text)
    label.setBuddy(buddy or field)
    (buddy or field).setAccessibleName(text.replace("&", ""))
    form.addRow(label, field)


def new_label(name: str) -> QLabel:
    """Return an empty word-wrapped label; `name` is its accessible name."""
    label = QLabel()
    label.setWordWrap(True)
    label.setAccessibleName(name)
    return label


def new_status() -> QLabel:
    """Return the label that says what to do next."""
    status = new_label("What to do next")
    status.setTextFormat(Qt.TextFormat.PlainText)
    status.setStyleSheet("border-left: 3px solid #4c6ef5; padding: 4px 0px 4px 8px;")
    return status


def new_button(text: str, tip: str) -> QPushButton:
    """Return a button with a tooltip."""
    button = QPushButton(text)
    button.setToolTip(tip)
    return button


def new_choice(entries: Mapping[Any, str], tip: str) -> QComboBox:
    """Return a combo box with a tooltip; `entries` maps data to texts."""
    box = QComboBox()
    for name, text in entries.items():
        box.addItem(text, name)
    box.setToolTip(tip)
    narrow(box)
    return box


def narrow(box: QComboBox) -> None:
    """Let a combo box be narrower than its longest entry."""
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(6)


def in_a_row(*widgets: QWidget, parent: QWidget | None = None) -> QHBoxLayout:
    """Return a horizontal layout without margins that holds the widgets."""
    row = QHBoxLayout(parent) if parent is not None else QHBoxLayout()
    row.setContentsMargins(0, 0, 0, 0)
    for widget in widgets:
        row.addWidget(widget)
    return row


def in_place(*states: QWidget) -> QWidget:
    """Return a widget in which widgets take turns: each is hidden by others, and it never moves."""
    return _Place(states)


class _Place(QWidget):
    """As high as the highest of its widgets, hidden or not."""

    def __init__(self, states: Sequence[QWidget]) -> None:
        super().__init__()
        self._states = states
        cell = QGridLayout(self)
        cell.setContentsMargins(0, 0, 0, 0)
        for state in reversed(states):  # the first on top, to be pressed
            cell.addWidget(state, 0, 0)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Return the largest size of all."""
        hint = super().sizeHint()
        return QSize(hint.width(), max(state.sizeHint().height() for state in self._states))

    def minimumSizeHint(self) -> QSize:
        """Return the same height, as the layout asks for less while widgets are hidden."""
        return QSize(super().minimumSizeHint().width(), self.sizeHint().height())


class Scrolled(QScrollArea):
    """Vertical scroll area that is never narrower than its content.

    The wheel scrolls, and turns no choice or number on its way that one has not clicked on.
    """

    def __init__(self, widget: QWidget) -> None:
        super().__init__()
        self.setWidget(widget)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self._bar = self.verticalScrollBar()
        assert self._bar is not None
        self._bar.rangeChanged.connect(self._keep_room)
        self._keep_room()
        for kind in TURNED:
            for child in widget.findChildren(kind):
                child.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # not by the wheel itself
                child.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Pass wheel events over a combo box to the scroll bar."""
        wheel = event is not None and event.type() == QEvent.Type.Wheel
        if wheel and isinstance(watched, TURNED) and not watched.hasFocus():
            event.ignore()  # type: ignore[union-attr]
            return True
        return super().eventFilter(watched, event)

    def _keep_room(self) -> None:
        """Leave room for the scroll bar, so that nothing moves when it comes."""
        assert self._bar is not None
        room = 0 if self._bar.maximum() > 0 else self._bar.sizeHint().width()
        self.setViewportMargins(0, 0, room, 0)

    def sizeHint(self) -> QSize:
        """Return a width at which hardly a text breaks."""
        return super().sizeHint().expandedTo(QSize(COMFORTABLE, 0))

    def minimumSizeHint(self) -> QSize:
        """Return a minimum size that fits the widget and the scroll bar."""
        bar = self.verticalScrollBar().sizeHint().width()  # type: ignore[union-attr]
        width = self.widget().minimumSizeHint().width() + bar  # type: ignore[union-attr]
        return QSize(width, super().minimumSizeHint().height())

    def event(self, event: QEvent | None) -> bool:
        """Update the geometry when the widget requests a layout."""
        if event is not None and event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().event(event)
