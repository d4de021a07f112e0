"""Options that open above what is below them, instead of pushing it away."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject, QPoint, QSize, Qt
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import (
    QApplication,
    QFrame,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_sam.widgets.common.forms import Scrolled

__all__ = ["Drawer"]

GAP = 2  # pixels below the button


class Drawer(QFrame):
    """Frame over a column that a button opens; closes with it, with Esc, or by a click elsewhere.

    Parameters
    ----------
    text : str
        On the button.
    content : QWidget
        What is inside; it scrolls when it is too high.
    column : QWidget
        What it lies over.

    Attributes
    ----------
    button : QToolButton
        Opens and closes it.
    """

    def __init__(self, text: str, content: QWidget, column: QWidget) -> None:
        super().__init__(column)
        self._column = column
        self._area = Scrolled(content)
        self.button = QToolButton()
        self.button.setText(text)
        self.button.setCheckable(True)
        self.button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # else its press is one elsewhere
        self.button.setArrowType(Qt.ArrowType.DownArrow)
        self.button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.button.toggled.connect(self._open)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAutoFillBackground(True)
        self.setObjectName("drawer")  # the style is that of the frame, not of what is in it
        self.setStyleSheet("#drawer { border: 1px solid rgba(128, 128, 128, 160); }")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 4, 8)
        layout.addWidget(self._area)
        column.installEventFilter(self)
        self.hide()

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Close with Esc."""
        if event is not None and event.key() == Qt.Key.Key_Escape:
            self.button.setChecked(False)
        else:
            super().keyPressEvent(event)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Keep to the column's size; make room where the content needs another one."""
        kinds = QEvent.Type.Resize, QEvent.Type.LayoutRequest
        if event is not None and event.type() in kinds and self.isVisible():
            self._place()
        return False

    def sizeHint(self) -> QSize:
        """Return the size at which nothing scrolls."""
        content, margins = self._area.widget(), self.contentsMargins()
        assert content is not None
        high = content.sizeHint().height() + 16 + 2 * self.frameWidth()
        return QSize(content.sizeHint().width(), high + margins.top() + margins.bottom())

    def _open(self, on: bool) -> None:
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        self.button.setArrowType(Qt.ArrowType.UpArrow if on else Qt.ArrowType.DownArrow)
        if on:
            self._place()
            self.show()
            self.raise_()
            self._fit()
            self._enter()
            app.focusChanged.connect(self._follow_focus)
        else:
            app.focusChanged.disconnect(self._follow_focus)
            if self._holds(app.focusWidget()):
                self.button.setFocus()  # else Qt chooses a field, where letters are no commands
            self.hide()

    def _fit(self) -> None:
        """Lay the content out in the room that the scroll bar has left."""
        content = self._area.widget()
        layout = None if content is None else content.layout()
        if layout is not None:
            layout.invalidate()
            layout.activate()

    def _enter(self) -> None:
        """Give the keyboard to the first field."""
        content = self._area.widget()
        field = None if content is None else content.nextInFocusChain()
        while field is not None and self._holds(field):
            if field.isVisible() and field.focusPolicy() & Qt.FocusPolicy.TabFocus:
                field.setFocus()
                return
            field = field.nextInFocusChain()

    def _follow_focus(self, old: QWidget | None, new: QWidget | None) -> None:
        """Close when the keyboard goes elsewhere, as by a click on the picture."""
        if new is None or new is self.button or self._holds(new):
            return
        if old is not None and self._holds(old) and (old.isHidden() or not old.isEnabled()):
            self._enter()  # a button that went or greyed lost the keyboard: nobody left
        else:
            self.button.setChecked(False)

    def _holds(self, widget: QWidget | None) -> bool:
        """Return whether a widget is inside, or in a list that opens from there."""
        while widget is not None and widget is not self:
            widget = widget.parentWidget()
        return widget is self

    def _place(self) -> None:
        column, button = self._column, self.button
        wanted, above = self.sizeHint().height(), button.mapTo(column, QPoint(0, 0)).y() - GAP
        top = above + button.height() + 2 * GAP
        below = column.height() - top
        if below < min(wanted, above):
            top, below = max(above - wanted, 0), above
        self.setGeometry(0, top, column.width(), min(wanted, below))
