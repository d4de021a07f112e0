"""Buttons beside each other, on as many lines as the width needs."""

from __future__ import annotations

from collections.abc import Iterable

from qtpy.QtCore import QEvent, QSize
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QPushButton, QSizePolicy, QWidget

__all__ = ["ButtonFlow"]

SPACE = 4  # pixels between two buttons


class ButtonFlow(QWidget):
    """Row of buttons that breaks where a layout of Qt would ask for more width."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._buttons: list[QPushButton] = []
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def show_buttons(self, buttons: Iterable[QPushButton]) -> None:
        """Show these buttons, in this order, and no others."""
        for old in self._buttons:
            old.setParent(None)
        self._buttons = list(buttons)
        for button in self._buttons:
            button.setParent(self)
            button.show()
        self.arrange()

    def sizeHint(self) -> QSize:
        """Return the height of all lines; any width will do."""
        return QSize(0, self._place(self.width(), move=False))

    def minimumSizeHint(self) -> QSize:
        """Return the same: no button is ever cut."""
        return self.sizeHint()

    def event(self, event: QEvent | None) -> bool:
        """Break the lines anew when a button has another text, is hidden or shown."""
        kinds = QEvent.Type.LayoutRequest, QEvent.Type.Show
        if event is not None and event.type() in kinds:
            self.arrange()
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Break the lines anew."""
        super().resizeEvent(event)
        self.arrange()

    def arrange(self) -> None:
        """Place the buttons that are not hidden."""
        self._place(self.width(), move=True)
        self.updateGeometry()

    def _place(self, width: int, move: bool) -> int:
        """Return the height; where a line has room left, its buttons share it."""
        lines: list[list[QPushButton]] = []
        used = width + 1
        for button in self._buttons:
            if button.isHidden():
                continue
            wide = button.sizeHint().width()
            if used + wide > width:
                lines.append([])
                used = 0
            lines[-1].append(button)
            used += wide + SPACE
        top = 0
        for line in lines:
            high = max(button.sizeHint().height() for button in line)
            if move:
                self._place_line(line, top, high, width)
            top += high + SPACE
        return max(top - SPACE, 0)

    def _place_line(self, line: list[QPushButton], top: int, high: int, width: int) -> None:
        wide = [min(button.sizeHint().width(), width) for button in line]
        spare = max(width - sum(wide) - SPACE * (len(line) - 1), 0) // len(line)
        left = 0
        for button, own in zip(line, wide, strict=True):
            button.setGeometry(left, top, own + spare, high)
            left += own + spare + SPACE
