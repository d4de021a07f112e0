"""Button for the box tool, with a menu of the other drawing tools."""

from __future__ import annotations

from functools import partial

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QAction
from qtpy.QtWidgets import QHBoxLayout, QMenu, QPushButton, QToolButton, QWidget

from napari_sam.widgets.common.keys import set_keyed_text
from napari_sam.widgets.layers.prompt_layers import Tool

__all__ = ["ShapeButton"]

NAMES = {
    Tool.BOX: ("▭ Box", "Drag a box around the object"),
    Tool.OUTLINE: ("✎ Outline", "Draw roughly around the object; the mask will be sharper"),
    Tool.ELLIPSE: ("◯ Ellipse", "Drag an ellipse over the object"),
    Tool.SCRIBBLE: ("∿ Scribble +", "Draw a line on what belongs to the object"),
    Tool.SCRIBBLE_OUT: ("∿ Scribble -", "Draw a line on what does not belong to it"),
    Tool.BOXES: ("▦ Boxes", "Boxes, one object each: drag a box around every object"),
    Tool.CUT: ("✂ Cut", "Draw across an object that is there, or click in each of its parts"),
    Tool.JOIN: ("⚭ Join", "Draw from one object into another one, to make them one"),
}


class ShapeButton(QWidget):
    """A button that activates the displayed tool, with a menu to change the tool."""

    tool_chosen = Signal(object)  # Tool

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.tool = Tool.BOX
        self.button = QPushButton()
        self.button.setCheckable(True)
        self.arrow = QToolButton()
        self.arrow.setArrowType(Qt.ArrowType.DownArrow)
        self.arrow.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.arrow.setStyleSheet("QToolButton::menu-indicator { image: none; }")  # one is enough
        self.arrow.setAccessibleName("More to draw")
        self.arrow.setToolTip("Outlines, scribbles, many boxes at once; cut and join objects")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.button, 1)
        row.addWidget(self.arrow)
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        self.entries: dict[Tool, QAction] = {}
        for tool, (name, tip) in NAMES.items():
            self.entries[tool] = action = QAction(f"{name}: {_small(tip)}", menu)
            action.triggered.connect(partial(self._choose, tool))
            menu.addAction(action)
        self.arrow.setMenu(menu)
        self.button.clicked.connect(lambda: self._choose(self.tool))
        self.show_tool(Tool.BOX)

    def show_tool(self, tool: Tool) -> None:
        """Display a tool as the one that a click activates."""
        self.tool = tool
        name, tip = NAMES[tool]
        set_keyed_text(self.button, name, "box")
        self.button.setToolTip(tip)
        self.button.setAccessibleName(name.split(maxsplit=1)[1])

    def _choose(self, tool: Tool, checked: bool = False) -> None:
        self.show_tool(tool)
        self.tool_chosen.emit(tool)


def _small(text: str) -> str:
    return text[0].lower() + text[1:]
