"""Keyboard shortcuts of the panel: shown on buttons, inactive while text is typed."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QMainWindow, QShortcut, QWidget

__all__ = ["KEYS", "Keys", "with_key"]

# None of them is a default key of napari's viewer or of its Image, Points, Shapes or Labels layers.
KEYS = {
    "accept": "N",
    "reject": "Shift+N",
    "undo": "U",
    "redo": "Shift+U",
    "polarity": "Q",
    "box": "G",
    "cycle": "W",
    "next_unsure": "J",
    "pick": "Shift+J",
    "accept_slice": "K",
    "accept_object": "Shift+K",
    "unclear": "H",
    "open": "Shift+O",
    "continue": "Shift+C",
    "merge": "Shift+M",
    "split": "Shift+S",
    "lock": "Shift+X",
    "delete": "Shift+D",
    "look": "Shift+F",
}


def with_key(text: str, action: str) -> str:
    """Return a button's text with its shortcut appended.

    Examples
    --------
    >>> with_key("Undo", "undo")
    'Undo  [U]'
    """
    return f"{text}  [{KEYS[action]}]"


class Keys:
    """Keyboard shortcuts for actions, in the main window of a panel.

    They belong to the main window, so that they work while the canvas has the focus even when the
    panel floats; two viewers do not disturb each other. Text fields keep their letters.

    Parameters
    ----------
    panel : QWidget
        In whose window.
    actions : dict of str to callable
        By the names in `KEYS`.
    """

    def __init__(self, panel: QWidget, actions: dict[str, Callable[[], None]]) -> None:
        self._panel, self._actions = panel, actions
        self.shortcuts: list[QShortcut] = []

    def listen(self, on: bool) -> None:
        """Enable or disable all shortcuts."""
        for shortcut in self.shortcuts:
            shortcut.setParent(None)
            shortcut.deleteLater()
        self.shortcuts = [self._shortcut(*one) for one in self._actions.items()] if on else []

    def _shortcut(self, action: str, call: Callable[[], None]) -> QShortcut:
        window = self._panel
        while not isinstance(window, QMainWindow) and (parent := window.parentWidget()) is not None:
            window = parent
        shortcut = QShortcut(QKeySequence(KEYS[action]), window)
        shortcut.setContext(Qt.ShortcutContext.WindowShortcut)
        shortcut.activated.connect(call)
        return shortcut
