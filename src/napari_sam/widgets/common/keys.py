"""The panel's keys: printed on its buttons, alive in its window, silent while text is typed."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QMainWindow, QShortcut, QWidget

__all__ = ["KEYS", "connect_keys", "with_key"]

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
}


def with_key(text: str, action: str) -> str:
    """Return a button's text with its key behind it.

    Examples
    --------
    >>> with_key("Undo", "undo")
    'Undo  [U]'
    """
    return f"{text}  [{KEYS[action]}]"


def connect_keys(panel: QWidget, actions: dict[str, Callable[[], None]]) -> list[QShortcut]:
    """Connect every key to its action, in the panel's main window.

    The shortcuts belong to the main window, so that they work while the canvas has the focus even
    when the panel floats; two viewers do not disturb each other. Text fields keep their letters.
    """
    window = panel
    while not isinstance(window, QMainWindow) and (parent := window.parentWidget()) is not None:
        window = parent
    shortcuts = []
    for action, call in actions.items():
        shortcut = QShortcut(QKeySequence(KEYS[action]), window)
        shortcut.setContext(Qt.ShortcutContext.WindowShortcut)
        shortcut.activated.connect(call)
        shortcuts.append(shortcut)
    return shortcuts
